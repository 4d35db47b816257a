import * as vscode from 'vscode';
import { mayHaveRepository } from '../../platform/git.ts';
import type { AttachNow, Mention } from '../protocol.ts';
import { type Mentions, openFiles } from './mentions.ts';
import { addressRefusal, webAddress } from './pages.ts';

/** Kinds of which the user chooses one from a list. Their offers' ids begin with the kind. */
const LISTS = {
  folder: {
    title: 'Attach a Folder',
    placeholder: 'Type a part of its path',
    query: (typed: string) => typed || 'folder',
  },
  symbol: { title: 'Attach a Symbol', placeholder: 'Type a part of its name', query: (typed: string) => `#${typed}` },
  commit: {
    ...{ title: 'Attach a Commit', placeholder: 'Type a word of its message, or its hash' },
    query: (typed: string) => (typed.length < 3 ? 'commit' : typed),
  },
  terminal: {
    ...{ title: 'Attach the Output of a Terminal', placeholder: 'Type a part of the command' },
    query: (typed: string) => typed || 'terminal',
  },
} as const;
export type ListedKind = keyof typeof LISTS;

export const isListed = (kind: AttachNow): kind is ListedKind => Object.hasOwn(LISTS, kind);

/** The kinds with a list that may have something in it now, and those that need no choice. */
export function listedNow(terminals: { last: readonly unknown[] }): (ListedKind | 'editors')[] {
  const hasFolders = !!vscode.workspace.workspaceFolders?.length;
  return [
    ...(hasFolders ? (['folder', 'symbol'] as const) : []),
    ...(openFiles().length > 1 ? (['editors'] as const) : []),
    ...(mayHaveRepository() ? (['commit'] as const) : []),
    ...(terminals.last.length > 0 ? (['terminal'] as const) : []),
  ];
}

/** Lets the user choose one of what `@` offers of a kind. Resolves to the offer's id, or undefined. */
export function chooseOffer(kind: ListedKind, mentions: Mentions): Promise<string | undefined> {
  const { title, placeholder, query } = LISTS[kind];
  const list = vscode.window.createQuickPick<vscode.QuickPickItem & { id: string }>();
  Object.assign(list, { title, placeholder });
  let asked = 0;
  const look = async () => {
    const turn = ++asked;
    list.busy = true;
    const found = await mentions.find(query(list.value.trim()), []).catch((): Mention[] => []);
    // A later word was typed meanwhile, or the list is gone.
    if (turn !== asked) return;
    list.busy = false;
    list.items = found
      .filter(({ id }) => id.startsWith(`${kind} `))
      .map(({ id, icon, label, detail }) => ({
        ...{ id, label, description: detail, iconPath: new vscode.ThemeIcon(icon) },
        // It was found by more than its label.
        alwaysShow: true,
      }));
  };
  return new Promise((resolve) => {
    list.onDidChangeValue(() => void look());
    list.onDidAccept(() => {
      const [chosen] = list.activeItems;
      if (!chosen) return;
      resolve(chosen.id);
      list.hide();
    });
    list.onDidHide(() => {
      asked++;
      resolve(undefined);
      list.dispose();
    });
    list.show();
    void look();
  });
}

/** Asks for the address of a page of the web. */
export async function askAddress(): Promise<URL | undefined> {
  const typed = await vscode.window.showInputBox({
    title: 'Attach a Web Page',
    prompt: 'The server reads it as text, and the text goes along with your message.',
    placeHolder: 'https://example.org/guide',
    ignoreFocusOut: true,
    validateInput: (value) =>
      value.trim() === '' || webAddress(value.trim())
        ? undefined
        : (addressRefusal(value.trim()) ?? 'Type a whole address that begins with https://.'),
  });
  return webAddress(typed?.trim() ?? '');
}
