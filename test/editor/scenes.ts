// What `npm run pictures` shows. A scene gets a fresh editor on the sample workspace, with the demo model behind it, and
// leaves on the screen what is to be seen.
import type { Backend } from './backend.ts';
import type { Workbench } from './workbench.ts';

export interface Stage {
  editor: Workbench;
  backend: Backend;
  /** Gives an open side bar the width of the picture's shape. */
  setSideBarWidth: () => Promise<void>;
}

/** A part of the window, in CSS pixels. */
export type Area = { x: number; y: number; width: number; height: number };

export interface Scene {
  /** Begins the picture's file name. */
  name: string;
  /** Dark and light by default. */
  themes?: ('dark' | 'light' | 'contrast')[];
  /** False where the width of the side bar doesn't matter. */
  narrow?: boolean;
  /** Resolves when the picture can be taken, of the whole window or of the area it returns. */
  setUp: (stage: Stage) => Promise<Area | undefined>;
}

async function openChat({ editor, setSideBarWidth }: Stage) {
  await editor.openFile('src/client.ts', 14);
  await editor.runCommand('Perigee: Open Chat');
  const chat = editor.webview();
  await chat.getByLabel('Message', { exact: true }).getByRole('textbox').waitFor();
  await setSideBarWidth();
  await editor.statusBarItem(/\d+ of \d+/).waitFor();
  return chat;
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
      const chat = await openChat(stage);
      const composer = chat.getByLabel('Message', { exact: true }).getByRole('textbox');
      await composer.fill('Why does `fetchOrder` give up after one failure?');
      await composer.press('Enter');
      const answer = chat.getByRole('article', { name: 'Answer' });
      await answer.and(chat.locator('[aria-busy="false"]')).waitFor();
      return undefined;
    },
  },
];
