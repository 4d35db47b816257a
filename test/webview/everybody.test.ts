import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import {
  ago,
  answer,
  broken,
  CONVERSATION,
  conversation,
  guest,
  historyPage,
  instructions,
  longAnswer,
  problem,
  row,
  running,
  surroundings,
  user,
} from './samples.ts';
import { sharedHarness } from './shared.ts';
import type { Harness, Theme, View } from './view.ts';

describe('chat view: for everybody', () => {
  let harness: Harness;
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  const asked = user('Why does averyveryverylongidentifierthatnobodycanbreakbutwemust fail?', {
    attachments: [
      { id: 'a', kind: 'file', path: `src/${'deep/'.repeat(9)}a-very-long-file-name-indeed.ts`, characters: 5 },
    ],
  });
  const failed = broken({
    text: 'Half',
    state: 'failed',
    reason: 'upstream_failed',
    problem: problem('upstream_failed'),
  });
  const chips = [{ id: 'c', kind: 'file' as const, label: 'a-very-long-file-name-that-goes-on.ts', tokens: 90_000 }];
  const scenes: Record<string, (view: View) => Promise<unknown>> = {
    empty: (view) => view.tell(surroundings(guest(7)), conversation([])),
    conversation: (view) =>
      view.tell(surroundings({ chips }), conversation([asked, answer(longAnswer(300)), user('x'), failed])),
    attached: async (view) => {
      const found = { id: 'm/0', kind: 'found' as const, path: 'src/a.ts', characters: 9 };
      const output = { id: 'm/1', kind: 'terminal' as const, path: `npm run ${'long-'.repeat(12)}name`, characters: 9 };
      const chip = { label: 'The workspace', tokens: 8_000, note: 'reading files, 12,400 so far' };
      await view.tell(
        surroundings({
          chips: [
            { ...chip, id: 'w', kind: 'found' },
            { ...chip, id: 'f', kind: 'folder', label: `${'long-'.repeat(12)}name/`, leftOut: 'Left out: 1 file.' },
            { ...chip, id: 'p', kind: 'pasted', label: 'Pasted text, 120 lines', note: undefined },
          ],
        }),
        conversation([user('Where?', { attachments: [found, output] })]),
        { type: 'files', asked: ['src/a.ts'], found: ['src/a.ts'] },
      );
      await view.page.getByRole('link', { name: 'a.ts' }).waitFor();
    },
    answering: (view) => {
      const there = running({ text: 'One', device: 'desktop' });
      return view.tell(surroundings(), conversation([asked, there], { elsewhere: [there.runId!] }));
    },
    waiting: async (view) => {
      const message = { text: `${'long'.repeat(60)} ${'word '.repeat(60)}`, chips };
      await view.tell(
        surroundings({ chips }),
        conversation([asked, running({ text: 'One' })], { chatId: CONVERSATION }),
        {
          type: 'queue',
          chatId: CONVERSATION,
          messages: [
            { id: '1', ...message, held: 'The answer was stopped.' },
            { id: '2', ...message },
            { id: '3', ...message, isSending: true },
          ],
        },
      );
      await view.composer.fill('And more');
    },
    leadingOn: async (view) => {
      const text = 'In `fetchOrder`:\n\n```bash\nnpm test\n```\n\n```mermaid\ngraph TD\n```\n';
      await view.tell(
        surroundings({ look: { sendWith: 'Ctrl+Enter', fontSize: 20 } }),
        conversation([asked, answer(text)]),
      );
      await view.tell({ type: 'symbols', asked: ['fetchOrder'], found: ['fetchOrder'] });
    },
    thinking: async (view) => {
      const thinking = { text: `One [link](https://example.org).\n\n- ${'long'.repeat(40)} \`code\``, ms: 12_000 };
      await view.tell(
        surroundings(),
        conversation([asked, answer('Yes.', { thinking }), asked, running({ thinking })]),
      );
      await view.page.getByRole('button', { name: 'Thought for 12 s' }).click();
      await view.page.getByRole('button', { name: 'Thinking…' }).click();
    },
    offline: (view) =>
      view.tell(
        surroundings({ connection: { state: 'offline', detail: `http://${'x'.repeat(60)}:8787` } }),
        conversation([asked]),
      ),
    changes: async (view) => {
      const block = '<<<<<<< SEARCH\nconst a = 1; // one\n=======\nconst a = "two"; // two\n>>>>>>> REPLACE';
      const moved = '*** Begin Patch\n*** Delete File: a-long-name-of-a-file.ts\n*** Add File: b.ts\n+b\n*** End Patch';
      const text = `src/a-rather-long-name-of-a-file.ts\n\`\`\`ts\n${block}\n\`\`\`\n\n${moved}\n`;
      const reply = answer(text, { kind: 'edit' });
      await view.tell(surroundings(), conversation([asked, reply]));
      await view.page.getByRole('button', { name: /^Apply: a-/ }).click();
      const { block: id } = await view.until('apply');
      const file = { path: 'src/a-rather-long-name-of-a-file.ts', change: 'updated' as const, added: 1, removed: 1 };
      await view.tell({
        type: 'changes',
        value: {
          [reply.id]: {
            blocks: { [id]: { state: 'refused', why: `There is no ${'long'.repeat(20)} in it.` } },
            all: { state: 'review' },
            checkpoints: [
              { id: reply.id, at: ago(0), files: [{ ...file, isTakenBack: false }] },
              { id: asked.id, at: ago(9e7), files: [{ ...file, isTakenBack: true }] },
            ],
          },
        },
      });
    },
    history: async (view) => {
      await view.tell(surroundings(), conversation([asked]));
      await view.page.getByRole('button', { name: 'History' }).click();
      await view.tell(historyPage([row('One with quite a long title to be cut', ago(0)), row('Two', ago(9e7))]));
      await view.page.keyboard.press('ArrowDown');
    },
    menu: async (view) => {
      await view.tell(surroundings(), conversation([asked]));
      await view.page.getByRole('button', { name: /^Model/ }).click();
    },
    commands: async (view) => {
      await view.tell(surroundings({ instructions, chips }), conversation([asked]));
      await view.page.keyboard.type('/');
      await view.page.getByRole('listbox', { name: 'Commands' }).waitFor();
    },
    help: async (view) => {
      await view.tell(surroundings({ instructions: { ...instructions, isOut: true } }), conversation([asked]));
      await view.page.keyboard.type('/help');
      await view.page.keyboard.press('Enter');
    },
    instructions: async (view) => {
      await view.tell(surroundings({ instructions }), conversation([asked]));
      await view.page.getByRole('button', { name: /^Instructions/ }).click();
    },
    editing: async (view) => {
      await view.tell(surroundings(), conversation([asked]));
      await view.page.keyboard.press('ArrowUp');
    },
    refused: async (view) => {
      await view.tell(surroundings({ chips }), conversation([asked]));
      await view.page.keyboard.type('x');
      await view.page.keyboard.press('Enter');
      const { requestId } = await view.until('send');
      const drop = [{ what: 'Earlier messages', tokens: 91_000 }];
      await view.tell({
        type: 'notSent',
        requestId,
        problem: problem('context_too_long', { limitTokens: 128_000, drop }),
      });
    },
  };

  before(async function () {
    this.timeout(180_000);
    harness = await sharedHarness();
  });

  for (const [name, set] of Object.entries(scenes)) {
    for (const theme of ['light', 'dark', 'contrast'] as Theme[]) {
      it(`has no serious barrier: ${name}, ${theme}`, async () => {
        const view = await harness.open({ theme, reducedMotion: true });
        await set(view);
        await view.page.evaluate(await readFile(axe, 'utf8'));
        const found = (await view.page.evaluate(
          `axe.run().then((r) => r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
            .map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 150) + ' ' + n.failureSummary).join('; ')))`,
        )) as string[];
        await view.close();
        assert.deepEqual(found, []);
      });
    }
    it(`fits into 260 pixels: ${name}`, async () => {
      const view = await harness.open({ width: 260, height: 560 });
      await set(view);
      const wide = await view.page.evaluate(
        `[document.documentElement.scrollWidth - innerWidth, document.querySelector('.transcript').scrollWidth - document.querySelector('.transcript').clientWidth]`,
      );
      const overflow = await view.page.evaluate('fake.overflow()');
      await view.close();
      assert.deepEqual({ wide, overflow }, { wide: [0, 0], overflow: [] });
    });
  }

  it('keeps lines of answers readable in a wide tab: 80 characters at most', async () => {
    const view = await harness.open({ width: 1600, height: 700 });
    await view.tell(surroundings(), conversation([asked, answer('word '.repeat(200))]));
    const characters = (await view.page.evaluate(`(() => {
      const box = document.querySelector('.answer p');
      const probe = document.createElement('span');
      probe.textContent = '0'.repeat(80);
      probe.className = 'probe';
      box.append(probe);
      return box.getBoundingClientRect().width / (probe.getBoundingClientRect().width / 80);
    })()`)) as number;
    await view.close();
    assert.ok(characters <= 81, `${characters}`);
  });

  it('stands still with reduced motion, and keeps its edges with forced colours', async () => {
    const view = await harness.open({ reducedMotion: true, forcedColors: true });
    await view.tell(surroundings(), conversation([asked, running()]));
    const spinning = await view.page.locator('.answering .codicon').evaluate((e) => getComputedStyle(e).animationName);
    const edge = await view.page.locator('.composer').evaluate((e) => getComputedStyle(e).borderTopWidth);
    await view.close();
    assert.deepEqual({ spinning, edge }, { spinning: 'none', edge: '1px' });
  });
});
