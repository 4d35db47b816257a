import * as vscode from 'vscode';
import { nameOf, tellPlace, wholeLines } from '../files/places.ts';
import type { Range } from '../hunks/track.ts';
import { forget, readHistory, remember } from '../words/promptHistory.ts';
import { EarlyKeys, Strays } from './strays.ts';

const KEY = 'edit.requests';
/**
 * Stray keys move into the box once the user has not typed there for this long: setting the value during typing would
 * lose keys.
 */
const QUIET_MS = 300;
/** How long a key may be under way to the editor after a prompt has got the focus. */
const LATE_KEYS_MS = 1_000;

const MOVE: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('list-selection'),
  tooltip: 'Write Several Lines, With @, Below the Selection',
};

interface RequestItem extends vscode.QuickPickItem {
  request: string;
}

interface Asking {
  /** The initial text of the box. */
  typed?: string;
  placeholder?: string;
  /** Keys typed into this editor before the box opens are meant for the box. */
  editor?: vscode.TextEditor;
  /** Offers to go on at the lines. */
  canMove?: boolean;
}

/** An open prompt. */
export interface Question {
  /** The typed or chosen request; undefined if the user closed the prompt. */
  readonly answer: Promise<string | undefined>;
  /** Resolves when the editor has its overwritten text back. */
  settled(): Promise<void>;
  /** The text with which the user went on at the lines; undefined if they did not. */
  moved(): string | undefined;
  /** Says in the title what goes along with the request. */
  tell(along: string): void;
  close(): void;
}

/** A prompt about the active editor's file. */
export interface FileQuestion extends Question {
  readonly editor: vscode.TextEditor;
}

export interface SelectionQuestion extends FileQuestion {
  readonly selection: vscode.Selection;
  /** The lines that the selection touches. */
  readonly text: string;
}

/**
 * Asks for an instruction, and remembers earlier ones. Keep this module and its imports small: the prompt opens before
 * the other edit modules are loaded.
 */
export class EditPrompt {
  constructor(private readonly memory: vscode.Memento) {}

  get history(): readonly string[] {
    return readHistory(this.memory.get(KEY));
  }

  async remember(request: string): Promise<void> {
    await this.memory.update(KEY, remember(this.history, request));
  }

  /**
   * Keeps the keys that are typed into the active editor while `open` brings a prompt on the screen, and a moment longer.
   * If it did not, resolves to the keys, for another prompt.
   */
  async catchingKeys(open: (keys: EarlyKeys | undefined) => Promise<boolean>): Promise<string | undefined> {
    const editor = vscode.window.activeTextEditor;
    const keys = editor && new EarlyKeys(editor);
    let isOpen = false;
    try {
      isOpen = await open(keys);
    } catch (error) {
      await keys?.writeBack();
      throw error;
    }
    if (!isOpen) return (await keys?.stop()) ?? '';
    setTimeout(() => void keys?.writeBack(), LATE_KEYS_MS);
    return undefined;
  }

  /**
   * Asks about the selected lines of the active editor; undefined if there is none. `isLate`: the window was still
   * loading when the key was pressed. `typed`: the keys that another prompt caught.
   */
  openForSelection(isLate = false, typed = ''): SelectionQuestion | undefined {
    const editor = vscode.window.activeTextEditor;
    if (!editor) return undefined;
    const { selection, document } = editor;
    const lines = wholeLines(selection);
    const text = textOf(document, lines);
    const title = `Edit ${tellPlace(lines, nameOf(document))}`;
    const canMove = vscode.workspace.getConfiguration('comments').get('visible', true);
    const placeholder = isLate ? 'The window was still loading: type it again. Enter starts, Escape closes' : undefined;
    return { ...this.open(title, { editor, placeholder, typed, canMove }), editor, selection, text };
  }

  /** The same for the whole file. */
  openForFile(): FileQuestion | undefined {
    const editor = vscode.window.activeTextEditor;
    return editor && { ...this.open(`Edit ${nameOf(editor.document)}`, { editor }), editor };
  }

  /** `title` says what will be edited. Text that was typed but not sent is kept among the earlier requests. */
  open(title: string, { typed = '', placeholder, editor, canMove = false }: Asking = {}): Question {
    const pick = vscode.window.createQuickPick<RequestItem>();
    const removeButton: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('close'), tooltip: 'Forget' };
    let before = '';
    let moved: string | undefined;
    let quiet: ReturnType<typeof setTimeout> | undefined;
    const text = () => (before + pick.value).trim();
    const update = () => {
      const request = text();
      const recent = this.history
        .filter((earlier) => earlier !== request)
        .map((earlier): RequestItem => ({ label: oneLine(earlier), request: earlier, buttons: [removeButton] }));
      if (recent[0]) recent[0].description = 'recent';
      // The typed text comes first, so that Enter always sends it.
      const own: RequestItem[] = request ? [{ label: oneLine(request), request, alwaysShow: true }] : [];
      if (own[0]) own[0].description = title.replace(/^Edit /, 'edit ');
      pick.items = [...own, ...recent];
      // In an empty box Enter does nothing: it may be one of the keys typed before the box opened.
      pick.activeItems = own;
      clearTimeout(quiet);
      if (before !== '') quiet = setTimeout(join, QUIET_MS);
    };
    const join = () => {
      pick.value = before + pick.value;
      before = '';
      update();
    };
    const strays =
      editor &&
      new Strays(editor, (keys) => {
        before += keys;
        update();
      });
    pick.title = title;
    pick.value = typed;
    pick.placeholder = placeholder ?? 'What should change? Enter starts, Escape closes';
    if (canMove) pick.buttons = [MOVE];
    pick.onDidTriggerButton(() => {
      moved = before + pick.value;
      pick.hide();
    });
    pick.onDidChangeValue(() => {
      strays?.stop();
      update();
    });
    pick.onDidTriggerItemButton(async ({ item }) => {
      await this.memory.update(KEY, forget(this.history, item.request));
      update();
    });
    update();
    const answer = new Promise<string | undefined>((resolve) => {
      let request: string | undefined;
      pick.onDidAccept(() => {
        request = pick.activeItems[0]?.request ?? text();
        if (request) pick.hide();
      });
      pick.onDidHide(() => {
        strays?.stop();
        clearTimeout(quiet);
        if (moved === undefined) void this.remember(request ?? text());
        resolve(request);
        pick.dispose();
      });
      pick.show();
    });
    const tell = (along: string) => {
      pick.title = `${title} · ${along}`;
    };
    return { answer, settled: async () => strays?.settled(), moved: () => moved, tell, close: () => pick.hide() };
  }
}

export const textOf = (document: vscode.TextDocument, { start, end }: Range) =>
  document.getText(new vscode.Range(start, 0, end, 0));

export const oneLine = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .join(' ↵ ');
