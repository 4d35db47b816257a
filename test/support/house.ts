// The allowed imports between folders. test/architecture.test.ts enforces them, and test/rooms.ts prints them.

/** Each domain's floor. Imports go down only, never to the same floor. A longer path wins over a shorter one. */
export const FLOORS: Record<string, number> = {
  shared: -1,
  'server/platform': 0,
  'server/credits': 1,
  'server/conversations': 1,
  'server/fetch': 1,
  'server/risk': 1,
  'server/requests': 1,
  'server/accounts': 2,
  'server/gateway': 3,
  'server/web': 3,
  'server/jobs.ts': 4,
  'server/app.ts': 5,
  'server/main.ts': 6,
  'server/admin.ts': 6,
  'extension/platform': 0,
  'extension/backend.ts': 1,
  'extension/account': 2,
  'extension/chat': 3,
  'extension/edit': 3,
  'extension/index': 3,
  'extension/models': 3,
  'extension/quota': 3,
  'extension/later.ts': 4,
  'extension/edits.ts': 5,
  'extension/commands.ts': 6,
  'extension/extension.ts': 7,
};

/**
 * The rooms of a domain, from the ground up: a room imports only rooms listed before it. Rooms on one line never import
 * each other. Files beside the rooms have no floor, but must not be part of an import cycle.
 */
export const ROOMS: Record<string, string[][]> = {
  shared: [['money', 'answers', 'media'], ['math']],
  'server/platform': [['values', 'config', 'migrations'], ['db'], ['http']],
  'server/platform/db': [['rows'], ['postgres']],
  'server/credits': [['rules'], ['journal'], ['plans'], ['holds'], ['payments', 'prices', 'limits', 'log', 'audit']],
  'server/risk': [['signals'], ['score', 'observe'], ['flags']],
  'server/accounts': [
    ...[['sessions'], ['keys', 'people'], ['referrals', 'reviewers'], ['signIn'], ['cases'], ['data', 'notices']],
    ...[['desk'], ['operator']],
  ],
  'server/gateway': [['prompt', 'dialects'], ['upstreams'], ['routing'], ['runs'], ['calls']],
  'server/gateway/upstreams': [['demo']],
  'server/web': [['kit'], ['pages', 'desk']],
  'extension/platform': [['secrecy', 'server'], ['instructions']],
  'extension/account': [['session'], ['signIn']],
  'extension/quota': [['words']],
  'extension/index': [['ranking']],
  'extension/chat': [['context'], ['commands'], ['conversation', 'answers', 'participant', 'webview']],
  'extension/chat/webview': [['blocks'], ['model'], ['parts'], ['markdown'], ['ui']],
  'extension/edit': [
    ['hunks'],
    ['engine'],
    ['changes', 'runs', 'files'],
    ['words'],
    ['notifications'],
    ['proposals', 'review'],
    ['checkpoints', 'apply'],
    ['requests'],
    ['actions', 'inline'],
  ],
  'extension/edit/engine': [['text'], ['reading', 'placing'], ['planning'], ['snippets']],
};

/** Folders whose files have no I/O, clock, randomness or async: their output depends only on their input. */
export const CORES = [
  'shared/answers',
  'shared/media',
  'shared/money',
  'server/credits/rules',
  'server/gateway/dialects',
  'server/gateway/prompt',
  'server/platform/values',
  'server/risk/score',
  'server/risk/signals',
  'extension/chat/webview/blocks',
  'extension/edit/actions/texts',
  'extension/edit/changes',
  'extension/edit/engine',
  'extension/edit/hunks',
  'extension/edit/words',
  'extension/index/ranking',
  'extension/quota/words',
];
