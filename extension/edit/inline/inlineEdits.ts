import * as vscode from 'vscode';
import type { Model } from '../../../shared/models.ts';
import { Disposable } from '../../platform/dispose.ts';
import { activeEditor } from '../files/activeEditor.ts';
import { wholeLines } from '../files/places.ts';
import { type EditPrompt, oneLine } from '../requests/prompt.ts';
import { refuseDocument } from '../requests/refusals.ts';
import type { EarlyKeys } from '../requests/strays.ts';
import type { Button } from '../words/messages.ts';
import { PromptCompletion, type PromptOffer } from './promptCompletion.ts';
import { CONTROLLER, PromptInputs, SHOWN_MS } from './promptInputs.ts';
import { PromptThread, type ThreadDeps } from './promptThread.ts';

/** The models that the account can use, and the one chosen for edits. */
export interface EditModels {
  readonly models: readonly Model[];
  /** Null until the list is loaded. */
  readonly id: string | null;
  /** How hard it thinks; undefined: as it does by itself. */
  readonly effort: string | undefined;
  load(): Promise<void>;
  choose(id: string): Promise<void>;
}

export interface InlineDeps extends Pick<ThreadDeps, 'edits' | 'read' | 'guide'> {
  prompt: Pick<EditPrompt, 'history' | 'remember'>;
  models(): Promise<EditModels>;
  /** What `@` offers. */
  offers(query: string, about: vscode.Uri): Promise<readonly PromptOffer[]>;
  memory: vscode.Memento;
}

/** What was typed into a prompt and not sent. */
const UNSENT = 'edit.unsent';

/**
 * The prompts of edits at their lines: threads of the editor's comments, the only input of several lines that an
 * extension can put into the text. Keep this module and its imports small: the prompt opens before the other edit
 * modules are loaded.
 */
export class InlineEdits extends Disposable {
  private controller: vscode.CommentController | undefined;
  private readonly inputs = this._register(new PromptInputs());
  private threads: PromptThread[] = [];
  /** The thread that was used last. */
  private current: PromptThread | undefined;
  /** What is typed into the editor until the input has the focus. */
  private keys: EarlyKeys | undefined;

  constructor(private readonly deps: InlineDeps) {
    super();
    const completion = new PromptCompletion(async (query) => {
      const about = this.threadOf(undefined)?.document.uri;
      return about ? deps.offers(query, about) : [];
    });
    const { registerCompletionItemProvider } = vscode.languages;
    this._register(registerCompletionItemProvider({ scheme: 'comment' }, completion, ...PromptCompletion.triggers));
    this._register(this.inputs.onDidType((text) => void deps.memory.update(UNSENT, text)));
    this._register({
      dispose: () => {
        void this.keys?.writeBack();
        for (const thread of [...this.threads]) thread.dispose();
        this.controller?.dispose();
      },
    });
  }

  /** The thread that was used last; undefined if there is none. */
  get thread(): vscode.CommentThread | undefined {
    return this.current?.thread;
  }

  /** Whether the prompt can stand at the lines of the active editor: only a text file that can be edited has comments. */
  private canShow({ document }: vscode.TextEditor): boolean {
    return vscode.workspace.getConfiguration('comments').get('visible', true) && !refuseDocument(document);
  }

  /**
   * Opens the prompt for the selected lines, or goes to the one that stands there. False if the editor shows none.
   * `keys`: what is typed into the editor until the input has the focus. `moved`: what was typed elsewhere before.
   */
  async open(keys: EarlyKeys | undefined, moved?: string): Promise<boolean> {
    if (!keys || !this.canShow(keys.editor)) return false;
    const { selection, editor } = keys;
    const { document } = editor;
    const region = wholeLines(selection);
    const there = this.at(editor, selection);
    void this.keys?.writeBack();
    this.keys = keys;
    if (there && !there.isEmpty) {
      // It has no input while it is written.
      if (there.isWriting) await keys.writeBack();
      else await this.goTo(there, keys, moved);
      return true;
    }
    for (const empty of this.threads.filter((one) => one.isEmpty)) empty.dispose();
    const shown = this.nextInput();
    const kept = this.deps.memory.get(UNSENT, '');
    if (moved && kept) await this.deps.prompt.remember(kept);
    const unsent = moved || kept;
    const thread = this.makeThread(document, region.start, region.end);
    const input = await shown;
    if (!input) {
      thread.dispose();
      return false;
    }
    this.inputs.own(input, thread);
    await this.focus();
    await this.inputs.fill(thread, unsent);
    await keys.take(async (early) => {
      const text = this.inputs.textOf(thread);
      const isKept = text === unsent;
      // The newest request is what was typed for this one; the kept one is among the earlier.
      if (!moved && isKept && unsent !== '') await this.deps.prompt.remember(unsent);
      const isPut = await this.inputs.put(thread, (isKept && !moved ? '' : text) + early);
      await this.focus();
      return isPut;
    });
    return true;
  }

  /** Whether a proposal's thread stands at the selected lines. */
  isAt(editor: vscode.TextEditor): boolean {
    return this.at(editor, editor.selection)?.isEmpty === false;
  }

  private at({ document }: vscode.TextEditor, selection: vscode.Selection): PromptThread | undefined {
    const lines = wholeLines(selection);
    return this.threads.find((one) => {
      const { start, end } = one.region;
      return one.document === document && start < lines.end && lines.start < end;
    });
  }

  /** Gives the keys to a thread that stands there. */
  private async goTo(thread: PromptThread, keys: EarlyKeys, moved?: string): Promise<void> {
    this.current = thread;
    thread.thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    await this.focus();
    if (moved) await this.inputs.put(thread, moved, '');
    await keys.take(async (early) => {
      const isPut = await this.inputs.put(thread, this.inputs.textOf(thread) + early);
      await this.focus();
      return isPut;
    });
  }

  /** The next input that comes on the screen; undefined if that takes too long, and the box takes its place. */
  private nextInput(): Promise<vscode.TextDocument | undefined> {
    return new Promise((resolve) => {
      const end = (input?: vscode.TextDocument) => {
        clearTimeout(late);
        opened.dispose();
        resolve(input);
      };
      const late = setTimeout(end, SHOWN_MS);
      const opened = this.inputs.onDidOpen(end);
    });
  }

  /** The editor calls it with the thread and the text of its input. */
  async send(reply?: vscode.CommentReply): Promise<void> {
    const thread = this.threadOf(reply?.thread);
    if (!thread || !reply) return;
    this.current = thread;
    const late = (await this.keys?.stop()) ?? '';
    await this.deps.memory.update(UNSENT, late);
    await thread.send(reply.text);
  }

  async regenerate(of?: vscode.CommentThread | vscode.CommentReply): Promise<void> {
    const thread = this.threadOf(of);
    if (!thread) return;
    this.current = thread;
    await thread.regenerate();
  }

  /** Closes the prompt; what was typed is kept for the next one. A thread with a proposal is folded away. */
  async close(of?: vscode.CommentThread | vscode.CommentReply): Promise<void> {
    const thread = this.threadOf(of);
    if (!thread) return;
    const late = (await this.keys?.stop()) ?? '';
    await this.deps.prompt.remember(this.inputs.textOf(thread) + late);
    if (thread.isEmpty) thread.dispose();
    else thread.thread.collapsibleState = vscode.CommentThreadCollapsibleState.Collapsed;
    await vscode.commands.executeCommand('workbench.action.focusActiveEditorGroup');
  }

  /** Chooses one of the earlier prompts for the input. */
  async earlier(of?: vscode.CommentThread | vscode.CommentReply): Promise<void> {
    const thread = this.threadOf(of);
    const { history } = this.deps.prompt;
    if (history.length === 0) return void vscode.window.showInformationMessage('There is no earlier prompt yet.');
    const items = history.map((prompt) => ({ label: oneLine(prompt), prompt }));
    const picked = await vscode.window.showQuickPick(items, { title: 'Earlier Prompts', matchOnDescription: true });
    if (!thread || !this.threads.includes(thread)) return;
    this.current = thread;
    if (picked) await this.inputs.put(thread, picked.prompt);
    await this.focus();
  }

  async chooseModel(of?: vscode.CommentThread | vscode.CommentReply): Promise<void> {
    this.current = this.threadOf(of) ?? this.current;
    const models = await this.deps.models();
    await models.load();
    const items = models.models.map(({ id, name }) => ({
      label: name,
      description: id === models.id ? 'chosen' : undefined,
      id,
    }));
    const picked = await vscode.window.showQuickPick(items, { title: 'The Model for Edits' });
    if (picked) await models.choose(picked.id);
    for (const thread of this.threads) await thread.label();
    await this.focus();
  }

  /** The user chose a way on that the last message names. */
  choose(button: Button, of?: vscode.CommentThread | vscode.CommentReply): void {
    this.threadOf(of)?.choose(button);
  }

  /** The review that a thread's menu means; what names no thread is left as it is. */
  target<T>(of: T): T | { review: number } {
    const wanted = (of as Partial<vscode.CommentReply> | undefined)?.thread ?? of;
    const found = this.threads.find(({ thread }) => thread === wanted);
    return found?.reviewId === undefined ? of : { review: found.reviewId };
  }

  /** Whoever went on to another file is not called back. */
  private async giveBack(thread: PromptThread, text: string): Promise<void> {
    await this.deps.memory.update(UNSENT, text);
    if (activeEditor()?.document !== thread.document) return;
    this.current = thread;
    await this.focus();
    await this.inputs.fill(thread, text);
  }

  private makeThread(document: vscode.TextDocument, start: number, end: number): PromptThread {
    this.controller ??= this.makeController();
    const last = document.lineAt(Math.min(end, document.lineCount) - 1);
    const range = new vscode.Range(start, 0, last.lineNumber, last.text.length);
    const { edits, read, guide, prompt, models } = this.deps;
    const made = this.controller.createCommentThread(document.uri, range, []);
    const deps: ThreadDeps = {
      ...{ edits, read, guide },
      model: async () => {
        const known = await models();
        if (known.id === null) await known.load();
        const model = known.models.find(({ id }) => id === known.id);
        return model && { id: model.id, name: model.name, effort: known.effort };
      },
      remember: (text) => prompt.remember(text),
      giveBack: (of, text) => this.giveBack(of, text),
    };
    const thread = new PromptThread(deps, made, document, { start, end });
    this.threads.push(thread);
    this.current = thread;
    thread.onDidClose(() => {
      this.threads = this.threads.filter((one) => one !== thread);
      this.inputs.forget(thread);
      if (this.current === thread) this.current = this.threads.at(-1);
      if (this.threads.length > 0) return;
      // Without a controller, the editor hides its list of comments.
      this.controller?.dispose();
      this.controller = undefined;
    });
    return thread;
  }

  private makeController(): vscode.CommentController {
    const controller = vscode.comments.createCommentController(CONTROLLER, 'Perigee');
    controller.options = {
      prompt: 'Now also …',
      placeHolder: 'What should change? @ names files, Escape closes',
    };
    return controller;
  }

  /** The thread that a menu names; for a key, the one whose input has the focus, else the one that was used last. */
  private threadOf(of: vscode.CommentThread | vscode.CommentReply | undefined): PromptThread | undefined {
    if (of) {
      const wanted = 'thread' in of ? of.thread : of;
      return this.threads.find(({ thread }) => thread === wanted);
    }
    const { focused } = this.inputs;
    const owner = focused && this.inputs.ownerOf(focused);
    return this.threads.find((thread) => thread === owner) ?? this.current;
  }

  /** Gives the input of the current thread the keys. No call of the API does it, but these two commands do. */
  private async focus(): Promise<void> {
    const editor = activeEditor();
    if (!editor || editor.document !== this.current?.document) return;
    // The first command looks for a thread that ends at a selected line.
    const last = Math.min(this.current.region.end, editor.document.lineCount) - 1;
    const { start, end } = editor.selection;
    if (last < start.line || end.line < last) {
      const at = editor.document.lineAt(last).range.end;
      editor.selection = new vscode.Selection(at, at);
      if (this.keys?.editor === editor) this.keys.moveTo(editor.selection);
    }
    // At once, because keys between the two would go nowhere.
    const commands = ['workbench.action.focusCommentOnCurrentLine', 'widgetNavigation.focusNext'];
    const { current } = this;
    await vscode.commands.executeCommand('runCommands', { commands });
    const { focused } = this.inputs;
    if (focused && !this.inputs.ownerOf(focused)) this.inputs.own(focused, current);
  }
}
