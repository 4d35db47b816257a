import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { Emitter } from '../../platform/emitter.ts';
import { languageIdOf } from '../../platform/languages.ts';
import { plainMessage } from '../../platform/plainMessage.ts';
import { holdsSecrets } from '../../platform/secrecy/guarded.ts';
import { judgedPath } from '../../platform/secrecy/judgedPath.ts';
import type { AttachNow } from '../protocol.ts';
import {
  AttachmentRefused,
  baseName,
  diffChip,
  fileChip,
  problemsChip,
  type StoredChip,
  selectionChip,
  textChip,
  workspacePath,
} from './attachments.ts';
import { folderChip } from './folders.ts';
import type { FoundContext } from './foundContext.ts';
import { askAddress, chooseOffer, type ListedKind, listedNow } from './lists.ts';
import type { Mentions } from './mentions.ts';
import { openFiles } from './mentions.ts';
import { pageChip, type WebPages } from './pages.ts';
import { activeFile, attachableNow, type SuggestedMessage, suggestMessages } from './suggestions.ts';
import type { Terminals } from './terminals.ts';

/** Typing and checking make many changes a second; suggestions need not be updated for each. */
const CALM_MS = 300;

/** What the editor offers for a message: suggestions from its active file, and things to attach. */
export class EditorContext extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  readonly onDidChangeSuggestions = this.changed.event;
  suggestions: SuggestedMessage[] = suggestMessages(activeFile());
  private shown = attachableNow(activeFile());
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly mentions: Mentions,
    private readonly found: Pick<FoundContext, 'chip'>,
    private readonly terminals: Pick<Terminals, 'last'>,
    private readonly pages: Pick<WebPages, 'isOffered' | 'read'>,
  ) {
    super();
    const later = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.suggestions = suggestMessages(activeFile());
        this.shown = attachableNow(activeFile());
        this.changed.fire();
      }, CALM_MS);
    };
    this._register(vscode.window.onDidChangeActiveTextEditor(later));
    this._register(vscode.window.onDidChangeTextEditorSelection(later));
    this._register(vscode.languages.onDidChangeDiagnostics(later));
    this._register(vscode.workspace.onDidSaveTextDocument(later));
    this._register(vscode.window.tabGroups.onDidChangeTabs(later));
    this._register(vscode.window.onDidStartTerminalShellExecution(later));
    this._register({ dispose: () => clearTimeout(this.timer) });
  }

  /** The kinds that can be attached now, besides any file. */
  get attachable(): Exclude<AttachNow, 'pick'>[] {
    return [...this.shown, ...listedNow(this.terminals), ...(this.pages.isOffered ? (['page'] as const) : [])];
  }

  /** Lets the user choose one of a kind. Resolves to an offer's id; undefined if the user chooses none. */
  async choose(kind: ListedKind | 'editors'): Promise<string | undefined> {
    if (kind !== 'editors') return chooseOffer(kind, this.mentions);
    await this.mentions.find('open editors', []);
    return kind;
  }

  /** The chip of a page with its text, or with the reason why there is none. */
  readPage(chip: StoredChip): Promise<StoredChip> {
    return this.pages.read(chip);
  }

  /** A chip for something in the editor; undefined if the user picks nothing. Throws `AttachmentRefused`. */
  async attach(kind: Exclude<AttachNow, ListedKind | 'editors'>): Promise<StoredChip | undefined> {
    const active = activeFile();
    switch (kind) {
      case 'pick': {
        const uri = await pickFile();
        return uri && chosenChip(uri);
      }
      case 'file':
        if (!active) throw new AttachmentRefused('No file is open in the editor.');
        return chosenChip(active);
      case 'selection':
        return selectionChip(vscode.window.activeTextEditor);
      case 'problems':
        return problemsChip(active);
      case 'diff':
        return diffChip(active);
      case 'found':
        return this.found.chip();
      case 'page': {
        const url = await askAddress();
        return url && pageChip(url);
      }
    }
  }

  /** The chips of an offered mention; none for an id that was never offered. Throws `AttachmentRefused`. */
  async *attachMention(id: string): AsyncIterable<StoredChip | undefined> {
    const what = this.mentions.resolve(id);
    if (what === undefined) return;
    if (typeof what === 'string') yield await this.attach(what);
    else if (what instanceof vscode.Uri) yield await chosenChip(what);
    else yield* await what.chips();
  }

  /** The chips that belong to a suggestion. */
  async attachAll(suggestion: SuggestedMessage): Promise<StoredChip[]> {
    const chips = await Promise.all(suggestion.attach.map((kind) => this.attach(kind)));
    return chips.filter((chip) => chip !== undefined);
  }
}

/** A chip for a file that the user chose. */
async function chosenChip(uri: vscode.Uri): Promise<StoredChip | undefined> {
  return (await isMeant(judgedPath(uri))) ? fileChip(uri) : undefined;
}

/**
 * A chip for a dropped file or folder. The view names it, so it must be in the workspace. Throws `AttachmentRefused`.
 */
export async function droppedChip(address: string): Promise<StoredChip | undefined> {
  let uri: vscode.Uri;
  try {
    uri = vscode.Uri.parse(address, true);
  } catch {
    throw new AttachmentRefused('The dropped item has no address that can be read.');
  }
  if (!vscode.workspace.getWorkspaceFolder(uri)) {
    throw new AttachmentRefused(
      `${baseName(uri.path)} is not in the workspace. Choose it with “Choose a file” under +.`,
    );
  }
  const isFolder = await vscode.workspace.fs.stat(uri).then(
    ({ type }) => (type & vscode.FileType.Directory) !== 0,
    () => false,
  );
  return isFolder ? folderChip(uri) : chosenChip(uri);
}

/** A chip for a text file that was pasted or dropped. */
export async function pastedChip(name: string, text: string): Promise<StoredChip | undefined> {
  return (await isMeant(`/${name}`)) ? textChip(name, text, await languageIdOf(/\.(\w+)$/.exec(name)?.[1])) : undefined;
}

/** Warns before a file is attached that may hold secrets. */
export async function isMeant(path: string): Promise<boolean> {
  if (!holdsSecrets(path)) return true;
  const words = `${baseName(path)} may hold secrets.`;
  const detail = 'An attachment is sent to the model service and kept in the conversation.';
  const button = 'Attach It';
  return (await vscode.window.showWarningMessage(plainMessage(words), { modal: true, detail }, button)) === button;
}

interface FileItem extends vscode.QuickPickItem {
  uri?: vscode.Uri;
}

/** Offers the open files first, then the workspace's, then any file. */
async function pickFile(): Promise<vscode.Uri | undefined> {
  const item = (uri: vscode.Uri): FileItem => {
    const path = workspacePath(uri);
    const name = path.slice(path.lastIndexOf('/') + 1);
    return {
      label: name,
      description: path.slice(0, -name.length - 1),
      iconPath: vscode.ThemeIcon.File,
      uri,
      resourceUri: uri,
    } as FileItem;
  };
  const list = async (): Promise<FileItem[]> => {
    const open = openFiles();
    const isOpen = new Set(open.map(String));
    const others = (await vscode.workspace.findFiles('**/*', undefined, 2_000)).filter(
      (uri) => !isOpen.has(uri.toString()),
    );
    const separator = (label: string): FileItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
    return [
      { label: '$(folder-opened) Browse …', alwaysShow: true },
      ...(open.length > 0 ? [separator('Open'), ...open.map(item)] : []),
      ...(others.length > 0 ? [separator('In the workspace'), ...others.map(item)] : []),
    ];
  };
  const picked = await vscode.window.showQuickPick(list(), { title: 'Attach a File', matchOnDescription: true });
  if (!picked) return undefined;
  if (picked.uri) return picked.uri;
  const [chosen] = (await vscode.window.showOpenDialog({ title: 'Attach a File', openLabel: 'Attach' })) ?? [];
  return chosen;
}
