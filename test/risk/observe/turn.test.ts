import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { CHAT } from '../../../server/gateway/calls/chat.ts';
import type { Dialect } from '../../../server/gateway/calls/dialect.ts';
import { MESSAGES } from '../../../server/gateway/calls/messages.ts';
import { RESPONSES } from '../../../server/gateway/calls/responses.ts';
import { boundTokens, estimateTokens, MESSAGE_OVERHEAD_TOKENS } from '../../../server/gateway/prompt/tokens.ts';
import { accountKey, hashText } from '../../../server/risk/observe/hashing.ts';
import { factsOfCall, factsOfRun, type TurnFacts, toTurn } from '../../../server/risk/observe/turn.ts';
import { MOST_PATHS } from '../../../server/risk/signals/observation.ts';
import type { RunRequest } from '../../../shared/runs.ts';

const KEY = accountKey(Buffer.alloc(32, 7), 'account');
const OPTIONS = {
  tokens: { estimate: estimateTokens, bound: boundTokens, overhead: MESSAGE_OVERHEAD_TOKENS },
  developerRole: true,
};

/** As the server reads a request of this dialect. */
const seen = (dialect: Dialect, body: unknown): TurnFacts => factsOfCall(dialect.read(body, OPTIONS).call.body);
const turnOf = (facts: TurnFacts) => toTurn(facts, KEY);

const chat = (messages: unknown[], tools: unknown = TOOLS) => seen(CHAT, { model: 'm', messages, tools });
const tool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } });
const TOOLS = [tool('bash'), tool('read')];
const user = (content: unknown) => ({ role: 'user', content });
const system = (content: string) => ({ role: 'system', content });
const call = (id: string, args: unknown, name = 'read') => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id, type: 'function', function: { name, arguments: JSON.stringify(args) } }],
});
const result = (id: string, content = 'ok') => ({ role: 'tool', tool_call_id: id, content });

const ASKED = 'Please find out why the invoices are sent twice';
const REMINDER = '<system-reminder>\nToday’s date is 2026-11-28. Do not mention this.\n</system-reminder>';

describe('the turn of a call', () => {
  it('is a person’s, the first, then of a tool, then a person’s again, in one conversation', () => {
    const first = chat([system('Today is Monday'), user(ASKED)]);
    assert.deepEqual(
      { kind: first.kind, isFirst: first.isFirst, text: first.text, language: first.language, paths: first.paths },
      { kind: 'human', isFirst: true, text: ASKED, language: 'english', paths: [] },
    );
    const loop = [user(ASKED), call('1', { path: '/u/shop/billing/invoice.ts' }), result('1')];
    const second = chat([system('Today is Tuesday'), ...loop]);
    assert.deepEqual(
      { kind: second.kind, isFirst: second.isFirst, text: second.text, language: second.language, paths: second.paths },
      { kind: 'tool', isFirst: false, text: '', language: null, paths: ['billing/invoice.ts'] },
    );
    const third = chat([
      system('Today is Tuesday'),
      ...loop,
      { role: 'assistant', content: 'Done.' },
      user('Thank you, and now the tests'),
    ]);
    assert.deepEqual(
      { kind: third.kind, isFirst: third.isFirst, text: third.text, paths: third.paths },
      { kind: 'human', isFirst: false, text: 'Thank you, and now the tests', paths: [] },
    );
    assert.equal(second.root, first.root);
    assert.equal(third.root, first.root);
    assert.notEqual(chat([user(`${ASKED}!`)]).root, first.root);
  });

  it('is hashed by the account’s key', () => {
    const facts = chat([user(ASKED), call('1', { path: '/u/shop/billing/invoice.ts' }), result('1')]);
    const turn = turnOf(facts);
    assert.equal(turn.root, hashText(KEY, facts.root));
    assert.deepEqual(turn.paths, [hashText(KEY, 'billing/invoice.ts')]);
    assert.equal(turn.template, 0);
    assert.notEqual(turnOf(chat([user(ASKED)])).template, 0);
    assert(!JSON.stringify(turn).includes('invoice'));
  });

  /** The newest message or messages, and whose turn they make. */
  const TURNS: [title: string, messages: unknown[], kind: string, text?: string][] = [
    ['a reminder before the text', [user(`${REMINDER}\n${ASKED}`)], 'human', ASKED],
    [
      'reminders in messages of their own, behind the text',
      [user(ASKED), user(REMINDER), user(REMINDER)],
      'human',
      ASKED,
    ],
    [
      'a reminder as a part',
      [
        user([
          { type: 'text', text: REMINDER },
          { type: 'text', text: ASKED },
        ]),
      ],
      'human',
      ASKED,
    ],
    ['a system message behind the text', [user(ASKED), system('You have 3 tools')], 'human', ASKED],
    ['a reminder behind a result', [user(ASKED), call('1', {}), result('1'), user(REMINDER)], 'tool'],
    ['a text behind a result', [user(ASKED), call('1', {}), result('1'), user('stop that')], 'human', 'stop that'],
    [
      'a text after an interruption',
      [
        user(ASKED),
        call('1', {}),
        result('1'),
        user('[Request interrupted by user for tool use]\n\nuse the other one'),
      ],
      'human',
      'use the other one',
    ],
    ['an interruption alone', [user(ASKED), call('1', {}), result('1'), user('[Request interrupted by user]')], 'tool'],
    ['a picture alone', [user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }])], 'human', ''],
    [
      'a picture in a result',
      [
        user(ASKED),
        call('1', {}),
        {
          role: 'tool',
          tool_call_id: '1',
          content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }],
        },
      ],
      'tool',
    ],
    ['a result without its call', [user(ASKED), result('gone')], 'tool'],
    [
      'Codex: instructions and environment before the text',
      [
        { role: 'developer', content: 'You are Codex' },
        user('# AGENTS.md instructions for /u/shop\n\n<INSTRUCTIONS>\nUse tabs.\n</INSTRUCTIONS>'),
        user('<environment_context>\n  <cwd>/u/shop</cwd>\n</environment_context>'),
        user(ASKED),
      ],
      'human',
      ASKED,
    ],
    [
      'Codex: in an IDE',
      [
        user(
          `# Context from my IDE setup:\n\n## Active file: billing/invoice.ts\n\n## My request for Codex:\n${ASKED}\n`,
        ),
      ],
      'human',
      ASKED,
    ],
    [
      'Codex: a compaction',
      [user(ASKED), user('You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff')],
      'machine',
    ],
    [
      'Claude Code: a compaction',
      [user(ASKED), user('Your task is to create a detailed summary of the conversation so far')],
      'machine',
    ],
    [
      'Claude Code: after a compaction',
      [user('This session is being continued from a previous conversation that ran out of context.')],
      'machine',
    ],
    [
      'Claude Code: a command',
      [user('<command-message>review</command-message>\n<command-args>the last commit</command-args>')],
      'human',
      'the last commit',
    ],
    [
      'Claude Code: what a command said',
      [user(ASKED), user('<local-command-stdout>ok</local-command-stdout>')],
      'human',
      ASKED,
    ],
    [
      'Cline: the task and its environment',
      [
        user(
          `<task>\n${ASKED}\n</task>\n\n<environment_details>\n# VSCode Open Tabs\nbilling/invoice.ts\n</environment_details>`,
        ),
      ],
      'human',
      ASKED,
    ],
    [
      'Cline: a result as a text',
      [
        user(ASKED),
        { role: 'assistant', content: '<read_file>' },
        user("[read_file for 'billing/invoice.ts'] Result:\n1 | a"),
      ],
      'tool',
    ],
    [
      'Cline: an answer of the person in a result',
      [
        user(ASKED),
        { role: 'assistant', content: '<attempt_completion>' },
        user(
          '[attempt_completion] Result:\n<feedback>\nnot yet\n</feedback>\n<environment_details>x</environment_details>',
        ),
      ],
      'human',
      'not yet',
    ],
    [
      'Copilot: the request in its context',
      [user(`<context>\nToday.\n</context>\n<userRequest>\n${ASKED}\n</userRequest>`)],
      'human',
      ASKED,
    ],
    [
      'marks that a person wrote',
      [user('<instructions>Rename the class in all the files</instructions>')],
      'human',
      'Rename the class in all the files',
    ],
    ['a page of HTML', [user(`Why? ${'<div><p>'.repeat(5_000)}`)], 'human', `Why? ${'<div><p>'.repeat(5_000)}`],
    ['an unclosed mark', [user(`${ASKED} <system-reminder>`)], 'human', `${ASKED} <system-reminder>`],
    ['a reminder that was cut short', [user(ASKED), user(`${REMINDER}<system-reminder> Today’s`)], 'human', ASKED],
    ['an answer to be gone on with', [user(ASKED), { role: 'assistant', content: 'The first' }], 'machine'],
    ['instructions alone', [system('Hello')], 'machine'],
    ['Claude Code: the look at the quota', [user('quota')], 'machine'],
  ];
  for (const [title, messages, kind, text = ''] of TURNS)
    it(`is of ${kind}: ${title}`, () => {
      const facts = chat(messages);
      assert.deepEqual({ kind: facts.kind, text: facts.text }, { kind, text });
    });

  /** Requests of the client's own carry no tools. */
  const OWN: [title: string, messages: unknown[]][] = [
    [
      'OpenCode’s title',
      [
        system('You are a title generator. You output ONLY a thread title.'),
        user('Generate a title for this conversation:\n'),
        user(ASKED),
      ],
    ],
    [
      'Claude Code’s title',
      [system('You are Claude Code.\n\nGenerate a concise, sentence-case title (3-7 words)'), user(ASKED)],
    ],
    ['Claude Code’s topic', [system('Analyze if this message indicates a new conversation topic.'), user(ASKED)]],
    [
      'Claude Code’s older title',
      [
        system('Summarize this coding conversation in under 50 characters.'),
        user('Please write a 5-10 word title the following conversation:'),
      ],
    ],
    ['Continue’s title', [user('Given the following... please reply with a title for the chat that is 3-4 words')]],
    ['Open WebUI’s title', [user('### Task:\nGenerate a concise, 3-5 word title')]],
    [
      'Aider’s commit',
      [
        system('You are an expert software engineer that generates concise, one-line Git commit messages'),
        user('diff --git a/x b/x'),
      ],
    ],
  ];
  for (const [title, messages] of OWN)
    it(`is the client’s own: ${title}`, () => assert.equal(chat(messages, []).kind, 'machine'));

  it('is a person’s where the instructions only speak of titles, among tools', () => {
    const messages = [system('You can set a short title of the page. You are a helpful assistant.'), user(ASKED)];
    assert.equal(chat(messages).kind, 'human');
  });

  it('knows Aider’s examples and files from the person’s text', () => {
    const facts = chat(
      [
        system('Act as an expert software developer.'),
        user('Change get_factorial() to use math.factorial'),
        { role: 'assistant', content: 'To make this change…' },
        user("I switched to a new code base. Please don't consider the above files or try to edit them any longer."),
        { role: 'assistant', content: 'Ok.' },
        user('I have *added these files to the chat* so you can go ahead and edit them.'),
        { role: 'assistant', content: 'Ok, any changes I propose will be to those files.' },
        user(ASKED),
      ],
      [],
    );
    assert.deepEqual([facts.kind, facts.isFirst, facts.text, facts.root], ['human', true, ASKED, `\n${ASKED}`]);
  });
});

describe('the turns of agents whose model writes its calls as text', () => {
  const said = (content: string) => ({ role: 'assistant', content });
  const agent = (...results: unknown[]) =>
    chat([user(ASKED), ...results.flatMap((one) => [said('<call>ls</call>'), user(one)])], []);

  for (const form of [
    'EXECUTION RESULT of [execute_bash]:\nbilling',
    'OBSERVATION:\nbilling',
    'Observation: billing',
    'Tool output for read_file tool call:\n\nlet a;',
    '[Tool Output for read_file]:\nlet a;',
    'Tool read_file result: {"ok":true}',
    'TOOL RESULT read_file: {"ok":true}',
    'Tool Response (malformed): {}',
    'Tool results:\n- billing',
    '### Tool results\n\nread_file: let a;',
    '[Tool result for call_1]\nlet a;\n[End of tool result.]',
    "[Tool 'read_file' executed successfully]\nResult: let a;",
    '[Function read_file failed]\nError: gone',
    'exitcode: 0 (execution succeeded)\nCode output: 3',
    'Code output: 3',
    'Command output:\n3',
    '<tool_response>\n{"ok":true}\n</tool_response>',
    '<read_file_result>\nlet a;\n</read_file_result>',
    '{"ok":true,"text":"let a;"}',
    '[{"tool":"read","text":"let a;"}]',
  ])
    it(`are no person’s from the first one on: ${JSON.stringify(form)}`, () => {
      const { kind, text, root } = agent(form);
      assert.deepEqual({ kind, text, root }, { kind: 'tool', text: '', root: `\n${ASKED}` });
    });

  const UNKNOWN: [what: string, result: (n: number) => unknown][] = [
    ['a first line', (n) => `Ran it.\nfile${n}`],
    ['a beginning', (n) => `Here is what the machine said to you: file${n} and ${'x'.repeat(n * 40)}`],
    ['a last line', (n) => `file${n}\nand ${n} more\nbash-$`],
    ['an end', (n) => `${n} lines were read. Go on with another action or say that you are done.`],
    [
      'a first line in parts',
      (n) => [
        { type: 'text', text: `Ran it.\nfile${n}` },
        { type: 'text', text: `${n}` },
      ],
    ],
  ];
  for (const [what, result] of UNKNOWN)
    it(`are no person’s from the third one on where all have the same ${what}`, () => {
      const of = (count: number) => agent(...Array.from({ length: count }, (_, n) => result(n))).kind;
      assert.deepEqual([1, 2, 3, 4, 12].map(of), ['human', 'human', 'tool', 'tool', 'tool']);
    });

  const PERSONS: [what: string, texts: string[]][] = [
    ['different things', ['and the tests', 'and the docs', 'now push it']],
    ['short things again and again', ['continue', 'continue', 'continue', 'continue']],
    ['the same beginning twice', ['Can you please have a look at a.ts', 'no', 'Can you please have a look at b.ts']],
    ['a mark within a text', ['why <b>this</b>', '<b>what</b> is that', 'and <i>that</i>']],
    ['what a tool has failed with', ['Tool calls fail, why?', 'The command failed: see above', 'npm ERR! code 1']],
    ['lists', ['[a] first\n[b] second', '- one\n- two', '{ is what is missing }']],
  ];
  for (const [what, texts] of PERSONS)
    it(`are a person’s who says ${what}`, () => {
      assert.equal(agent(...texts).kind, 'human');
      assert.equal(agent(...texts).text, texts.at(-1));
    });

  it('are a person’s whose client puts each text between the same marks', () => {
    const wrapped = (text: string) => user(`<prompt>\n${text} in all of the files of it\n</prompt>`);
    const facts = chat(
      [wrapped('a'), said('ok'), wrapped('b'), said('ok'), wrapped('c'), said('ok'), wrapped('d')],
      [],
    );
    assert.deepEqual([facts.kind, facts.isFirst], ['human', false]);
    assert.equal(chat([wrapped('a')]).isFirst, true);
  });

  it('are a person’s beside real calls, however alike', () => {
    const alike = (n: number) => [
      call(`${n}`, {}),
      result(`${n}`),
      said('Done.'),
      user(`Now please do the next one: ${n}`),
    ];
    assert.equal(chat([user(ASKED), ...[1, 2, 3, 4].flatMap(alike)]).kind, 'human');
  });

  it('are read in time that grows with the length of what is sent, and no more', () => {
    const huge = (n: number) => `${'['.repeat(2e5)}${'tool '.repeat(2e5)}${n}`;
    const began = performance.now();
    for (let i = 0; i < 20; i++) agent(huge(1), huge(2), huge(3));
    assert.ok(performance.now() - began < 5_000);
  });
});

describe('the root of a conversation', () => {
  const step = (messages: unknown[], tools?: unknown) => chat(messages, tools).root;

  it('stays when tools join, when the instructions change, and when reminders come and go', () => {
    const root = step([user(`${REMINDER}${ASKED}`)]);
    assert.equal(step([system('2026-11-29'), user(ASKED), user(REMINDER)], [...TOOLS, tool('mcp__db__query')]), root);
    assert.equal(
      step([
        user([
          { type: 'text', text: REMINDER },
          { type: 'text', text: ASKED },
        ]),
        call('1', {}),
        result('1'),
      ]),
      root,
    );
  });

  it('is another one for another first tool, and for none', () => {
    const roots = [step([user(ASKED)]), step([user(ASKED)], [tool('other')]), step([user(ASKED)], [])];
    assert.equal(new Set(roots).size, 3);
  });

  it('is of the head, the tail and the length of a long text', () => {
    const long = (middle: string) => step([user(`${'head '.repeat(1_000)}${middle}${'tail '.repeat(1_000)}`)]);
    assert.equal(long('x'), long('y'));
    assert.notEqual(long('x'), long('xy'));
    assert(long('x').length < 5_000);
  });

  it('stays from a summary on', () => {
    const summary = user(
      'This session is being continued from a previous conversation that ran out of context. Summary: …',
    );
    const root = step([summary, call('1', {}), result('1')]);
    assert.equal(step([summary, call('1', {}), result('1'), user('now the tests')]), root);
    assert.equal(chat([summary, user('now the tests')]).isFirst, false);
  });

  it('is the same through all three dialects, step by step', () => {
    const parameters = { type: 'object', properties: {} };
    const asked = { path: '/u/shop/billing/invoice.ts' };
    const steps = [1, 3].map((length) => ({
      chat: seen(CHAT, {
        model: 'm',
        messages: [system('Monday'), ...[user(ASKED), call('toolu_1', asked), result('toolu_1')].slice(0, length)],
        tools: TOOLS,
      }),
      messages: seen(MESSAGES, {
        model: 'm',
        max_tokens: 100,
        system: [{ type: 'text', text: 'Tuesday' }],
        messages: [
          user([
            { type: 'text', text: REMINDER },
            { type: 'text', text: ASKED },
          ]),
          { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'read', input: asked }] },
          user([
            { type: 'tool_result', tool_use_id: 'toolu_1', content: 'ok' },
            { type: 'text', text: REMINDER },
          ]),
        ].slice(0, length),
        tools: [
          { name: 'bash', input_schema: parameters },
          { name: 'read', input_schema: parameters },
        ],
      }),
      responses: seen(RESPONSES, {
        model: 'm',
        instructions: 'Wednesday',
        input: [
          { type: 'message', role: 'user', content: [{ type: 'input_text', text: ASKED }] },
          { type: 'function_call', call_id: 'c1', name: 'read', arguments: JSON.stringify(asked) },
          { type: 'function_call_output', call_id: 'c1', output: 'ok' },
        ].slice(0, length),
        tools: [
          { type: 'function', name: 'bash', parameters },
          { type: 'function', name: 'read', parameters },
        ],
      }),
    }));
    for (const { chat: one, messages, responses } of steps) {
      assert.deepEqual(messages, one);
      assert.deepEqual(responses, one);
    }
    assert.equal(steps[0]!.chat.root, steps[1]!.chat.root);
    assert.deepEqual(
      steps.map(({ chat: one }) => [one.kind, one.isFirst, one.paths]),
      [
        ['human', true, []],
        ['tool', false, ['billing/invoice.ts']],
      ],
    );
  });
});

describe('the paths of a turn', () => {
  const read = (n: number) => [call(`${n}`, { path: `billing/file${n}x.ts` }), result(`${n}`)];

  it('are of the newest tool calls since the person’s text', () => {
    const old = [user('first'), ...read(1), user('second')];
    assert.deepEqual(chat([...old, ...read(2)]).paths, ['billing/file2x.ts']);
    const many = Array.from({ length: 30 }, (_, n) => read(n)).flat();
    const { paths } = chat([user('first'), ...many]);
    assert(paths.length <= MOST_PATHS && paths.includes('billing/file29x.ts') && !paths.includes('billing/file0x.ts'));
  });

  it('are of what the editor has open, beside a person’s text', () => {
    const open = '<environment_details>\n# VSCode Open Tabs\nbilling/invoice.ts\nREADME.md\n</environment_details>';
    assert.deepEqual(chat([user(`<task>${ASKED}</task>${open}`)]).paths, ['billing/invoice.ts']);
    assert.deepEqual(
      chat([user("[read_file for 'billing/invoice.ts'] Result:\n1 | see other/file9x.ts")]).paths.at(0),
      'billing/invoice.ts',
    );
  });

  it('are not those that a person only writes of', () => {
    assert.deepEqual(chat([user('look at billing/invoice.ts')]).paths, []);
  });

  it('are of patches in a custom tool of Responses', () => {
    const { paths } = seen(RESPONSES, {
      model: 'm',
      input: [
        { type: 'message', role: 'user', content: ASKED },
        {
          type: 'custom_tool_call',
          call_id: 'c1',
          name: 'apply_patch',
          input: '*** Begin Patch\n*** Update File: billing/invoice.ts\n',
        },
        { type: 'custom_tool_call_output', call_id: 'c1', output: 'ok' },
      ],
    });
    assert.deepEqual(paths, ['billing/invoice.ts']);
  });
});

describe('anything a client sends', () => {
  it('makes a turn, and no fault', () => {
    const odd = [null, 0, '', 'x', [], {}, [null], { role: 'user' }, { role: 'user', content: [null, 1, { text: 2 }] }];
    for (const messages of [
      ...odd,
      odd,
      [{ role: 'assistant', tool_calls: [null, {}, { function: { arguments: 1 } }] }, { role: 'tool' }],
    ])
      for (const tools of [...odd, odd])
        assert.equal(typeof toTurn(factsOfCall({ messages, tools }), KEY).root, 'number');
  });

  it('takes no longer than its length says', () => {
    const seconds = (n: number) => {
      const piece = '<system-reminder><task>"path":"*** Update File: \\\\';
      const messages = [
        user(piece.repeat(n)),
        call('1', { path: piece.repeat(n) }),
        result('1'),
        user(piece.repeat(n)),
      ];
      const before = process.cpuUsage();
      for (let i = 0; i < 5; i++) factsOfCall({ messages });
      return process.cpuUsage(before).user;
    };
    seconds(1_000);
    const [small, large] = [seconds(2_000), seconds(16_000)];
    assert(large < 60 * small + 100_000, `${small} and ${large} µs`);
  });
});

describe('the turn of a run in the editor', () => {
  const ids = { id: 'cc11a0c5-0f5e-4a3e-9f0e-1f2e3d4c5b6a', conversationId: 'aa11a0c5-0f5e-4a3e-9f0e-1f2e3d4c5b6a' };
  const selection = { start: 0, end: 1, text: 'a' };
  const RUNS: [string, Omit<RunRequest, 'id' | 'conversationId'>, string, string[]][] = [
    ['a chat', { kind: 'chat', input: { text: ASKED } }, 'human', []],
    [
      'a chat with files',
      {
        kind: 'chat',
        input: {
          text: ASKED,
          attachments: [
            { kind: 'file', path: 'billing/invoice.ts', text: 'a' },
            { id: 'x' },
            { kind: 'problems', text: 'b' },
          ],
        },
      },
      'human',
      ['billing/invoice.ts'],
    ],
    ['an answer that goes on', { kind: 'chat', input: { text: '' }, continues: ids.id }, 'machine', []],
    [
      'an edit',
      {
        kind: 'edit',
        input: {
          instruction: ASKED,
          path: 'billing/invoice.ts',
          languageId: 'typescript',
          selection,
          before: '',
          after: '',
        },
      },
      'human',
      ['billing/invoice.ts'],
    ],
    [
      'an edit of files',
      {
        kind: 'edit',
        input: {
          instruction: ASKED,
          files: [{ path: 'billing/invoice.ts', languageId: 'typescript', text: '' }],
          paths: Array.from({ length: 100 }, (_, n) => `billing/file${n}x.ts`),
        },
      },
      'human',
      ['billing/invoice.ts', ...Array.from({ length: MOST_PATHS - 1 }, (_, n) => `billing/file${n}x.ts`)],
    ],
    [
      'a repair',
      { kind: 'edit', input: { repairs: ids.id, refused: [{ path: 'billing/invoice.ts', lookedFor: 'a', why: 'b' }] } },
      'machine',
      ['billing/invoice.ts'],
    ],
  ];
  for (const [title, request, kind, paths] of RUNS)
    it(`is of ${kind}: ${title}`, () => {
      const facts = factsOfRun({ ...ids, ...request } as RunRequest, true);
      assert.deepEqual(
        { kind: facts.kind, paths: facts.paths, root: facts.root, isFirst: facts.isFirst },
        { kind, paths, root: ids.conversationId, isFirst: kind === 'human' },
      );
    });

  it('is not the first one in a conversation that has messages', () => {
    assert.equal(factsOfRun({ ...ids, kind: 'chat', input: { text: ASKED } }, false).isFirst, false);
  });
});

describe('requests of real clients', () => {
  const captures = new URL('../../../../shared/captures/', import.meta.url);
  const CLIENTS: [file: string, path: string][] = [
    ['kimi', 'w/colour.txt'],
    ['opencode', 'w/colour.txt'],
    ['cline', 'w/colour.txt'],
    ['continue', 'w/colour.txt'],
    ['sdk-ai', 'w/colour.txt'],
    ['sdk-anthropic', 'w/colour.txt'],
    ['sdk-ai-anthropic', 'w/colour.txt'],
    ['sdk-openai-chat', 'w/colour.txt'],
    ['sdk-openai-responses', 'w/colour.txt'],
  ];
  const dialects: Record<string, Dialect> = { chat: CHAT, messages: MESSAGES, responses: RESPONSES };

  interface Exchange {
    dialect: string;
    side: boolean;
    step: number;
    body: unknown;
  }

  for (const [client, path] of CLIENTS)
    it(`are one human turn and the rest of tools, in one conversation: ${client}`, function () {
      const file = new URL(`${client}-none.json`, captures);
      if (!existsSync(file)) return this.skip();
      const { exchanges } = JSON.parse(readFileSync(file, 'utf8')) as { exchanges: Exchange[] };
      // Among them are notes on closed connections.
      const main = exchanges.filter(({ side, body }) => !side && body);
      const turns = main.map(({ dialect, body }) => seen(dialects[dialect]!, body));
      assert.deepEqual(
        turns.map(({ kind, isFirst }) => [kind, isFirst]),
        [['human', true], ...turns.slice(1).map(() => ['tool', false])],
      );
      assert(turns.length >= 3);
      assert.equal(new Set(turns.map(({ root }) => root)).size, 1);
      assert.equal(turns[0]!.language, 'english');
      assert.match(turns[0]!.text, /^"?In the file colour\.txt/);
      for (const { paths } of turns.slice(1)) assert(paths.includes(path), paths.join());
      for (const { dialect, body } of exchanges.filter(({ side }) => side))
        assert.equal(seen(dialects[dialect]!, body).kind, 'machine');
    });
});
