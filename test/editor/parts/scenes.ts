// The scenes of `npm run pictures`. A scene gets a new editor on the sample workspace, with the demo model, and leaves
// on the screen what the picture shows.
import type { Call, Script } from '../../doubles/upstream.ts';
import type { Backend } from '../backend.ts';
import { between, inTwo, pieces } from '../sampleEdit.ts';
import type { Workbench } from '../workbench.ts';

export interface Stage {
  editor: Workbench;
  backend: Backend;
  /** Sets an open side bar to the width for the picture's shape. */
  setSideBarWidth: () => Promise<void>;
  /** The answer of the scene's script. */
  call?: Call;
}

/** A part of the window, in CSS pixels. */
export type Area = { x: number; y: number; width: number; height: number };

export interface Scene {
  /** The start of the picture's file name. */
  name: string;
  /** Dark and light by default. */
  themes?: ('dark' | 'light' | 'contrast')[];
  /** False if the width of the side bar doesn't matter. */
  narrow?: boolean;
  /** The model's answer, if not the demo model's. */
  script?: Script;
  /** Resolves when the picture can be taken: of the whole window, or of the returned area. */
  setUp: (stage: Stage) => Promise<Area | undefined>;
}

/**
 * Opens the sample twice: the first time, on a busy machine, VS Code gives up on the colours of some lines. Then waits
 * until the language service has named the function at the line.
 */
async function openSample({ editor }: Pick<Stage, 'editor'>, line: number): Promise<void> {
  const isRead = editor.page.locator('.breadcrumbs-control').getByText('fetchOrder');
  await editor.openFile('src/client.ts', line);
  await isRead.waitFor();
  await editor.runCommand('View: Close Editor');
  await editor.openFile('src/client.ts', line);
  await isRead.waitFor();
}

async function openChat({ editor, setSideBarWidth }: Stage) {
  await openSample({ editor }, 14);
  await editor.chat.open();
  await setSideBarWidth();
  await editor.statusBarItem(/\d+ of \d+/).waitFor();
}

/** Asks the chat and waits until the answer has ended. */
async function ask({ editor: { chat } }: Stage, text: string, answers: number): Promise<void> {
  await chat.send(text);
  await chat.ended(chat.answers.nth(answers - 1));
}

async function editFile({ editor }: Pick<Stage, 'editor'>): Promise<void> {
  await openSample({ editor }, 12);
  await editor.runCommand('Perigee: Edit File');
  await editor.parts.request('Edit client.ts', 'Wait between the tries');
}

export const scenes: Scene[] = [
  {
    name: 'empty',
    setUp: async (stage) => {
      await openChat(stage);
      return undefined;
    },
  },
  {
    name: 'chat',
    setUp: async (stage) => {
      await openChat(stage);
      await ask(stage, 'Why does `fetchOrder` give up after one failure?', 1);
      return undefined;
    },
  },
  {
    name: 'failed',
    narrow: false,
    setUp: async (stage) => {
      await openChat(stage);
      await ask(stage, 'fail', 1);
      return undefined;
    },
  },
  {
    name: 'history',
    narrow: false,
    setUp: async (stage) => {
      await openChat(stage);
      for (const text of ['Why does `fetchOrder` give up?', 'Review my uncommitted changes', 'table']) {
        await stage.editor.chat.startNew();
        await ask(stage, text, 1);
      }
      await stage.editor.runCommand('Perigee: Show Chat History');
      await stage.editor.chat.view.getByText('Review my uncommitted changes').waitFor();
      return undefined;
    },
  },
  {
    name: 'edit',
    narrow: false,
    setUp: async ({ editor }) => {
      await openSample({ editor }, 12);
      await editor.parts.selectLines(12, 21);
      const title = 'Edit lines 12–21 of client.ts';
      await editor.press('Alt+Shift+E', 'the question', editor.page.getByText(title));
      await editor.parts.request(title, 'rename i to attempt');
      await editor.parts.lenses('Perigee: hunk 1 of').first().waitFor();
      return undefined;
    },
  },
  {
    name: 'edit-file-writing',
    narrow: false,
    script: { pieces, gateAt: between },
    setUp: async ({ editor, call }) => {
      await editFile({ editor });
      await call?.atGate;
      await editor.parts.shows('if (i === tries - 1)');
      await editor.parts.typeAt(24, 100, '\n// Twice as long each time.');
      await editor.parts.shows('// Twice as long each time.');
      return undefined;
    },
  },
  {
    name: 'edit-file',
    narrow: false,
    script: { pieces },
    setUp: async ({ editor }) => {
      await editFile({ editor });
      await editor.parts.lenses('hunk 3 of 3').waitFor();
      await editor.parts.shows(inTwo.split('\n')[1]?.trim() ?? '');
      return undefined;
    },
  },
  {
    name: 'proposals',
    narrow: false,
    setUp: async ({ editor, setSideBarWidth }) => {
      const { page } = editor;
      await openSample({ editor }, 12);
      await editor.runCommand('Perigee: Edit in Workspace');
      await editor.parts.confirmPicks('Which files');
      await editor.parts.request(
        'What should change',
        'rename i to attempt; new file src/backoff.ts: export const backoffMs = 100; move README.md to docs/README.md; delete src/totals.py',
      );
      const list = page.locator('.pane').filter({ hasText: 'Proposed Changes' });
      await list.getByText('totals.py').waitFor();
      await list.locator('.codicon-loading').waitFor({ state: 'detached' });
      await setSideBarWidth();
      await editor.click(list.getByText('client.ts'), 'its diff', editor.parts.tab('client.ts (proposed)'));
      await page.locator('.monaco-diff-editor .line-insert').first().waitFor();
      await list.locator('.pane-header').hover();
      return undefined;
    },
  },
  {
    name: 'quota',
    narrow: false,
    setUp: async (stage) => {
      await openChat(stage);
      await ask(stage, 'Why does `fetchOrder` give up?', 1);
      await ask(stage, 'fail', 2);
      await stage.editor.runCommand('Perigee: Show What Is Left');
      await stage.editor.page.locator('.quick-input-widget').getByText('Not charged').first().waitFor();
      // Off the field, whose tooltip would cover the title.
      await stage.editor.page.mouse.move(900, 700);
      await stage.editor.page.locator('.workbench-hover').waitFor({ state: 'hidden' });
      return undefined;
    },
  },
];
