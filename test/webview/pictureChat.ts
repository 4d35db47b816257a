import type { FromHost, Mention } from '../../extension/chat/protocol.ts';
import { png } from '../support/pngs.ts';
import {
  asked,
  CHINESE,
  chips,
  failed,
  MATH,
  RETRY,
  rows,
  type State,
  selected,
  THOUGHTS,
  WRITINGS,
} from './pictureTexts.ts';
import {
  ago,
  answer,
  CONVERSATION,
  conversation,
  DAY,
  guest,
  historyPage,
  instructions,
  longAnswer,
  MINUTE,
  problem,
  row,
  running,
  surroundings,
  thinkingModels,
  user,
} from './samples.ts';
import type { View } from './view.ts';

/** A question about two pictures, and another picture in the composer. */
function withPictures(modelId: string): FromHost[] {
  const image = { mediaType: 'image/png', width: 640, height: 400, bytes: 9 } as const;
  const attachments = ['layout.png', 'tall.png', 'gone.png'].map((path, n) => ({
    ...{ id: `p/${n}`, kind: 'image' as const, path, characters: 0, image },
  }));
  const id = `image ${'a'.repeat(64)}`;
  const drawn = (of: string, bytes: Buffer): FromHost => ({
    ...{ type: 'picture', id: of, mediaType: 'image/png', data: bytes.toString('base64') },
  });
  const told = surroundings({
    chips: [{ id, kind: 'image', label: 'Screenshot of the settings.png', path: 'a.png', tokens: 1_640 }],
  });
  if (told.type === 'surroundings') {
    told.value.models.push({ ...told.value.models[0]!, id: 'eyes', name: 'eyes', vision: true });
    told.value.modelId = modelId;
  }
  return [
    told,
    conversation([user('Why is the button cut off here?', { attachments }), answer('The row does not wrap.')]),
    drawn('p/0', png(640, 400)),
    drawn('p/1', png(200, 900, [40, 120, 200])),
    { type: 'picture', id: 'p/2', why: 'It is no longer there.' },
    drawn(id, png(64, 48, [20, 160, 90])),
  ];
}

/** The chat itself: its answers, the composer and the history. */
const PAGE = 'https://docs.example.org/guide/retries';

export const chatStates: Record<string, State> = {
  pictures: { messages: withPictures('eyes') },
  picturesUnseen: {
    messages: withPictures('kimi-k2'),
    act: async (view) => {
      await view.composer.fill('And this one?');
      await view.composer.press('Enter');
      const { requestId } = await view.until('send');
      const detail = 'kimi-k2 reads no pictures. Nothing was sent: choose another model, or remove the picture.';
      await view.tell({ type: 'notSent', requestId, problem: problem('no_vision', { detail }) });
    },
  },
  empty: { messages: [surroundings(guest(7)), conversation([])] },
  answered: {
    messages: [
      surroundings({ chips: chips.slice(0, 1) }),
      conversation([asked, answer(RETRY), user('And the timeout?'), failed()]),
    ],
  },
  implicit: {
    messages: [
      surroundings({ chips: [...chips.slice(0, 1), selected] }),
      conversation([
        user('Where does it try again?', {
          attachments: [
            {
              ...{ id: 'a1', kind: 'selection', visible: true, path: 'src/client.ts', characters: 900 },
              range: { start: 0, end: 44 },
            },
            { id: 'a2', kind: 'selection', path: 'src/orders.ts', range: { start: 119, end: 259 }, characters: 9000 },
          ],
        }),
        answer(RETRY),
      ]),
    ],
  },
  implicitVisible: {
    messages: [
      surroundings({
        chips: [{ ...selected, label: 'client.ts, visible part', implicit: 'visible', tokens: 1204, lines: 45 }],
      }),
      conversation([]),
    ],
  },
  implicitOut: {
    messages: [
      surroundings({ chips: chips.slice(0, 1), leftOut: { label: 'client.ts, visible part' } }),
      conversation([]),
    ],
  },
  implicitTooLarge: {
    messages: [
      surroundings({ leftOut: { label: 'a-long-name-of-a-file.generated.json:1–52000', why: 'It is too large.' } }),
      conversation([]),
    ],
  },
  attachedMore: {
    messages: [
      surroundings({
        chips: [
          { id: 'w', kind: 'found', label: 'The workspace', tokens: 8000, note: 'what fits your question' },
          { id: 'f', kind: 'folder', label: 'net/', path: 'src/net', tokens: 2100, note: '9 of 12 files' },
          { id: 's', kind: 'symbol', label: 'fetchOrder', path: 'src/client.ts', tokens: 120 },
          { id: 'c', kind: 'commit', label: '3f2a1bc Try failed requests again', tokens: 310 },
          { id: 't', kind: 'terminal', label: 'npm test', path: 'npm test', tokens: 900 },
          { id: 'p', kind: 'pasted', label: 'Pasted text, 120 lines', path: '120 lines', tokens: 1200 },
        ],
      }),
      conversation([
        user('Where is the retry logic?', {
          attachments: [
            ...[
              { path: 'src/client.ts', range: { start: 11, end: 39 } },
              { path: 'src/backoff.ts', range: { start: 0, end: 44 } },
              { path: 'test/client.test.ts', range: { start: 119, end: 160 } },
            ].map((one, place) => ({ ...one, id: `m/${place}`, kind: 'found' as const, characters: 900 })),
            { id: 'm/8', kind: 'terminal', path: 'npm test', characters: 900 },
            { id: 'm/9', kind: 'pasted', path: '120 lines', characters: 900 },
          ],
        }),
        answer(RETRY),
      ]),
      { type: 'files', asked: ['src/client.ts', 'src/backoff.ts'], found: ['src/client.ts', 'src/backoff.ts'] },
    ],
  },
  pages: {
    messages: [
      surroundings({
        chips: [
          { id: 'p1', kind: 'page', label: 'docs.example.org: How to retry requests', path: PAGE, tokens: 3120 },
          { id: 'p2', kind: 'page', label: 'example.org/guide', path: PAGE, tokens: 0, isReading: true },
          {
            ...{ id: 'p3', kind: 'page', label: 'intranet.example.org/wiki/a-long-name', path: PAGE, tokens: 0 },
            failed:
              'This address is not read. It leads to a private or reserved network address, and only the public internet is read. Paste the text into the message instead.',
          },
        ],
        attachable: [
          ...(['file', 'selection', 'problems', 'diff', 'editors', 'found'] as const),
          ...(['folder', 'symbol', 'commit', 'terminal', 'page'] as const),
        ],
      }),
      conversation([
        user('What does it say of retries?', {
          attachments: [{ id: 'm/1', kind: 'page', path: 'https://docs.example.org/guide/retries', characters: 9000 }],
        }),
        answer(RETRY),
      ]),
    ],
  },
  attachMenu: {
    messages: [
      surroundings({
        chips: [],
        attachable: [
          ...(['file', 'selection', 'problems', 'diff', 'editors', 'found'] as const),
          ...(['folder', 'symbol', 'commit', 'terminal', 'page'] as const),
        ],
      }),
      conversation([]),
    ],
    act: async (view) => {
      await view.page.getByRole('button', { name: 'Attach', exact: true }).click();
    },
  },
  mentionsInEdit: {
    messages: [surroundings({ chips: [] }), conversation([user('Why does it retry'), answer(RETRY)])],
    act: async (view) => {
      await view.page.getByRole('button', { name: 'Edit and send again' }).click();
      await view.page.locator('.editing textarea').pressSequentially(' @re');
      const { requestId } = await view.until('mentions', 3);
      const items: Mention[] = [
        { id: '1', icon: 'file', label: 'retry.ts', detail: 'src/net' },
        { id: '2', icon: 'folder', label: 'requests/', detail: 'src' },
        { id: '3', icon: 'globe', label: 'docs.example.org/guide/retries', detail: 'Read this web page' },
      ];
      await view.tell({ type: 'mentions', requestId, items });
    },
  },
  mentionsMore: {
    messages: [surroundings({ chips: [] }), conversation([])],
    act: async (view) => {
      await view.composer.pressSequentially('Why @re');
      const { requestId } = await view.until('mentions', 3);
      const items: Mention[] = [
        { id: '1', icon: 'file', label: 'retry.ts', detail: 'src/net' },
        { id: '2', icon: 'folder', label: 'requests/', detail: 'src' },
        { id: '3', icon: 'symbol-method', label: 'retryAfter', detail: 'src/net/retry.ts:40' },
        { id: '4', icon: 'terminal', label: 'terminal: npm run retries', detail: 'Failed with 1' },
        { id: '5', icon: 'git-commit', label: '3f2a1bc Try failed requests again', detail: 'commit, 2026-11-20' },
        { id: '6', icon: 'files', label: 'open editors', detail: '4 files' },
      ];
      await view.tell({ type: 'mentions', requestId, items });
    },
  },
  markdown: { messages: [surroundings(), conversation([user('Everything, please.'), answer(longAnswer(500))])] },
  writings: {
    messages: [
      surroundings(),
      conversation([user('اشرح الدالة `fetchOrder` من فضلك.'), answer(WRITINGS), user('为什么？'), answer(CHINESE)], {
        title: 'شرح الدالة fetchOrder',
      }),
      { type: 'files', asked: ['src/client.ts', 'README.md'], found: ['src/client.ts', 'README.md'] },
    ],
    act: async (view) => {
      await view.composer.fill('كيف أختبر ذلك؟');
    },
  },
  math: {
    messages: [surroundings(), conversation([user('How long does it take?'), answer(MATH)])],
    act: async (view) => {
      await view.page.waitForSelector('math');
    },
  },
  answering: {
    messages: [
      surroundings({ chips }),
      conversation([asked, running({ id: '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b77' })]),
      { type: 'text', messageId: '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b77', text: RETRY.slice(0, 230), at: 0 },
    ],
  },
  queued: {
    messages: [
      surroundings({ chips: chips.slice(0, 1) }),
      conversation([asked, running({ text: RETRY.slice(0, 230) })], { chatId: CONVERSATION }),
      {
        type: 'queue',
        chatId: CONVERSATION,
        messages: [
          { id: '1', text: 'And add a test for the last try, please: it has to give up there.', chips: [] },
          { id: '2', text: 'Then write the changelog.\nOne line.\nNo more.', chips: chips.slice(0, 2) },
        ],
      },
    ],
    act: async (view) => view.composer.fill('Also log each try'),
  },
  queuedHeld: {
    messages: [
      surroundings(),
      conversation([asked, answer('As far as it came', { state: 'stopped', chargedMicro: 130_000 })], {
        chatId: CONVERSATION,
      }),
      {
        type: 'queue',
        chatId: CONVERSATION,
        messages: [
          { id: '1', text: 'And add a test for the last try', chips: [], held: 'The answer was stopped.' },
          { id: '2', text: 'Then the changelog', chips: [], isSending: true },
        ],
      },
    ],
  },
  leadingOn: {
    messages: [
      surroundings({ look: { sendWith: 'Ctrl+Enter', fontSize: 16, fontFamily: 'serif' } }),
      conversation([
        user('How do I try it?'),
        answer(
          'Run the tests of `fetchOrder`, then look at the order:\n\n```bash\nnpm ci\nnpm test\n```\n\n```mermaid\ngraph TD\n  client --> orders\n```',
        ),
      ]),
      { type: 'symbols', asked: ['fetchOrder'], found: ['fetchOrder'] },
    ],
    act: async (view) => view.page.locator('.code').first().hover(),
  },
  answeringShort: {
    messages: [surroundings(), conversation([asked, running({ text: RETRY.slice(0, 110), clampedTo: 812 })])],
  },
  unpinned: {
    messages: [surroundings(), conversation([asked, answer(longAnswer(900))])],
    act: async (view) => {
      await view.page.mouse.move(150, 300);
      await view.page.mouse.wheel(0, -500);
      await view.page.getByRole('button', { name: 'Latest' }).waitFor();
    },
  },
  broken: {
    messages: [
      surroundings(),
      conversation([
        user('One'),
        answer('So far so good', { state: 'interrupted', chargedMicro: 0, reason: 'interrupted', usage: undefined }),
        user('Two'),
        answer('As far as it came', { state: 'stopped', chargedMicro: 130_000 }),
        user('Three'),
        answer('', { state: 'failed', chargedMicro: 0, reason: 'upstream_failed', problem: problem('upstream_busy') }),
        user('Four'),
        answer('', { chargedMicro: 0, reason: 'empty_answer' }),
      ]),
    ],
  },
  elsewhere: {
    messages: (() => {
      const there = running({ device: 'desktop', text: 'Step one is done, now the' });
      return [surroundings(), conversation([asked, there], { elsewhere: [there.runId!] })];
    })(),
  },
  ...thinkingStates(),
  early: {
    messages: [],
    act: async (view) => {
      await view.page.keyboard.type('And the timeout?');
      await view.tell(
        surroundings({ chips }),
        conversation([asked, answer(RETRY)], { draft: 'Please also log each try' }),
      );
      await view.page.locator('.before').waitFor();
    },
  },
  hard: {
    messages: [
      surroundings(),
      conversation([
        user('Quote it'),
        answer(`First **bold**.\n\n${'>'.repeat(600)} deep\n\nLast: use <div>, \`<p>\` or H<sub>2</sub>O.`),
      ]),
    ],
  },
  history: {
    messages: [surroundings(guest(7)), conversation([])],
    act: async (view) => {
      await view.page.getByRole('button', { name: 'History' }).click();
      await view.tell(historyPage(rows));
      await view.page.keyboard.press('ArrowDown');
      await view.page.keyboard.press('ArrowDown');
    },
  },
  historyPins: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.page.getByRole('button', { name: 'History' }).click();
      await view.tell(historyPage([{ ...rows[5]!, pinned: true }, { ...rows[6]!, pinned: true }, ...rows.slice(0, 5)]));
      await view.page.keyboard.press('ArrowDown');
    },
  },
  historyDelete: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.page.getByRole('button', { name: 'History' }).click();
      await view.tell(historyPage(rows));
      await view.page.getByRole('button', { name: 'Delete Flaky test in CI' }).click();
    },
  },
  historyFound: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.page.getByRole('button', { name: 'History' }).click();
      await view.page.keyboard.type('retry');
      await view.until('history', 2);
      const passage = {
        before: '…so the loop never runs. ',
        match: 'Retry',
        after: ' after a moment, and give up only after the last of several tries; see…',
      };
      await view.tell(
        historyPage(
          [
            row('Retry with backoff', ago(12 * MINUTE), { passage }),
            row('When to retry at all', ago(DAY)),
            row('Errors of the client', ago(4 * DAY), { passage }),
          ],
          { search: 'retry' },
        ),
      );
    },
  },
  editing: {
    messages: [
      surroundings({ edited: { messageId: asked.id, chips: chips.slice(1) } }),
      conversation([asked, answer(RETRY)]),
    ],
    act: async (view) => view.page.keyboard.press('ArrowUp'),
  },
  editingAttach: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.page.keyboard.press('ArrowUp');
      await view.page.locator('.editing').getByRole('button', { name: 'Attach', exact: true }).click();
    },
  },
  models: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => view.page.getByRole('button', { name: 'Model: kimi-k2' }).click(),
  },
  compacted: {
    messages: [
      surroundings({ contextTokens: 4_100 }),
      conversation([
        asked,
        answer(RETRY),
        answer('## Goal\n\nRetry with backoff in `client.ts`, because the service drops requests.', {
          summary: 'used',
        }),
        user('And the timeout?'),
        answer('Ten seconds.'),
      ]),
    ],
  },
  modelEfforts: {
    messages: [
      surroundings({ ...thinkingModels(), effort: 'max' }),
      conversation([asked, answer(RETRY, { model: 'kimi-k3', effort: 'max', chargedMicro: 1_400_000 })]),
    ],
    act: async (view) => view.page.getByRole('button', { name: /^Model: kimi-k3/ }).click(),
  },
  attach: {
    messages: [surroundings(), conversation([])],
    act: async (view) => view.page.getByRole('button', { name: 'Attach', exact: true }).click(),
  },
  context: {
    messages: [surroundings({ contextTokens: 104_000, chips }), conversation([asked, answer(RETRY)])],
    act: async (view) => view.page.getByRole('button', { name: /^Context/ }).click(),
  },
  mentions: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.composer.pressSequentially('Look at @cl');
      const { requestId } = await view.until('mentions', 3);
      await view.tell({
        type: 'mentions',
        requestId,
        items: [
          { id: '1', icon: 'file', label: 'client.ts', detail: 'src' },
          { id: '2', icon: 'file', label: 'client.test.ts', detail: 'a/rather/long/folder/for/a/narrow/side/bar/test' },
          { id: '3', icon: 'warning', label: 'Problems in client.ts' },
        ],
      });
      await view.page.keyboard.press('ArrowDown');
    },
  },
  slash: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.composer.pressSequentially('/');
      await view.page.keyboard.press('ArrowDown');
    },
  },
  slashHelp: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.composer.pressSequentially('/help');
      await view.page.keyboard.press('Enter');
    },
  },
  instructions: {
    messages: [
      surroundings({ instructions, chips }),
      conversation([
        user('Why?', {
          attachments: [
            { id: 'i/0', kind: 'instructions', characters: 40 },
            { id: 'i/1', kind: 'instructions', path: 'AGENTS.md', characters: 4000 },
          ],
        }),
        answer(RETRY),
      ]),
    ],
  },
  instructionsListed: {
    messages: [surroundings({ instructions }), conversation([asked, answer(RETRY)])],
    act: async (view) => view.page.getByRole('button', { name: /^Instructions/ }).click(),
  },
  instructionsOut: {
    messages: [surroundings({ instructions: { ...instructions, isOut: true } }), conversation([])],
  },
  more: {
    messages: [surroundings(guest(3)), conversation([asked, answer(RETRY)])],
    act: async (view) => view.page.getByRole('button', { name: 'More' }).click(),
  },
};

/** An answer whose model thinks, folded and unfolded: before its text, after it, and without one. */
function thinkingStates(): Record<string, State> {
  const unfold = async (view: View) => view.page.getByRole('button', { name: /^(Thinking|Thought)/ }).click();
  const thinking = running({ thinking: { text: THOUGHTS, ms: 12_300 } });
  const before = [surroundings(), conversation([asked, thinking])];
  const after = [surroundings(), conversation([asked, answer(RETRY, { thinking: { text: THOUGHTS, ms: 72_000 } })])];
  const stopped = { state: 'stopped' as const, chargedMicro: 130_000, thinking: { text: THOUGHTS, ms: 12_000 } };
  return {
    thinking: { messages: before },
    thinkingUnfolded: { messages: before, act: unfold },
    thinkingClamped: {
      messages: [surroundings(), conversation([asked, { ...thinking, clampedTo: 812 }])],
    },
    thought: { messages: after },
    thoughtUnfolded: { messages: after, act: unfold },
    thoughtAlone: {
      messages: [surroundings(), conversation([asked, answer('', { ...stopped })])],
      act: unfold,
    },
  };
}
