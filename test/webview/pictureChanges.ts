import { apply, asked, changes, EDITS, file, proposed, RETRY, type State } from './pictureTexts.ts';
import { ago, answer, conversation, guest, HOUR, MINUTE, running, surroundings } from './samples.ts';

/** Changes that an answer proposes. */
export const changeStates: Record<string, State> = {
  changes: { messages: [surroundings(), conversation([asked, proposed])] },
  changesStreaming: {
    messages: [
      surroundings(),
      conversation([asked, running({ id: '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b77' })]),
      { type: 'text', messageId: '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b77', text: EDITS.slice(0, 380), at: 0 },
    ],
  },
  changesHover: {
    messages: [surroundings(), conversation([asked, proposed])],
    act: (view) => view.page.locator('.code').nth(1).hover(),
  },
  changesRefused: {
    messages: [surroundings(), conversation([asked, proposed])],
    act: async (view) => {
      const block = await apply(view);
      const why =
        'client.ts has no such lines: "for (let i = 0; i < tries; i++) {". The nearest are at line 14: "for (let n = 0; n < tries; n++) {".';
      await view.tell(changes({ blocks: { [block]: { state: 'refused', why, file: 'client.ts' } } }));
    },
  },
  refusedCode: {
    messages: [surroundings(guest(7)), conversation([asked, answer(RETRY, { id: proposed.id })])],
    act: async (view) => {
      const block = await apply(view);
      const why = 'client.ts: Nothing in the file is like this code, so its place is not known.';
      await view.tell(changes({ blocks: { [block]: { state: 'refused', why, file: 'client.ts' } } }));
    },
  },
  refusedWhole: {
    messages: [surroundings(guest(7)), conversation([asked, answer(RETRY, { id: proposed.id })])],
    act: async (view) => {
      const block = await apply(view);
      const why =
        'client.ts: The code looks like all of the file, but 2 lines of it are missing: line 3 ("const PAUSE_MS = 200;") and line 4 ("const MOST_TRIES = 5;").';
      const readings = ['file' as const, 'part' as const];
      await view.tell(changes({ blocks: { [block]: { state: 'refused', why, file: 'client.ts', readings } } }));
    },
  },
  changesReview: {
    messages: [surroundings(), conversation([asked, proposed])],
    act: async (view) => {
      const block = await apply(view);
      await view.tell(changes({ blocks: { [block]: { state: 'review' } }, all: { state: 'applying' } }));
    },
  },
  applyOthers: {
    messages: [surroundings(), conversation([asked, proposed])],
    act: async (view) => {
      const block = await apply(view);
      const row = (line: number, isTakenBack: boolean, age: number) => ({
        id: crypto.randomUUID(),
        at: ago(age),
        files: [file('src/client.ts', { line, isTakenBack })],
      });
      const checkpoints = [row(14, true, 4 * MINUTE), row(14, false, MINUTE), row(48, false, MINUTE)];
      await view.tell(changes({ blocks: { [block]: { state: 'applied', isPart: true } }, checkpoints }));
      await view.page.locator('.checkpoints').scrollIntoViewIfNeeded();
    },
  },
  checkpoints: {
    messages: [surroundings(), conversation([asked, answer(RETRY, { id: proposed.id })])],
    act: async (view) => {
      const block = await apply(view);
      await view.tell(
        changes({
          blocks: { [block]: { state: 'applied' } },
          checkpoints: [
            { id: crypto.randomUUID(), at: ago(2 * HOUR), files: [file('src/client.ts', { isTakenBack: true })] },
            {
              id: crypto.randomUUID(),
              at: ago(MINUTE),
              files: [file('src/client.ts'), file('src/wait.ts'), file('src/old.ts', { isTakenBack: true })],
            },
          ],
        }),
      );
    },
  },
};
