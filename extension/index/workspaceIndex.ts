import * as vscode from 'vscode';
import { Disposable } from '../platform/dispose.ts';
import { Emitter } from '../platform/emitter.ts';
import type { Log } from '../platform/log.ts';
import { INDEX_ENABLED } from '../platform/settings.ts';
import { whyNotUnasked } from '../platform/unasked.ts';
import { type Built, Indexer } from './indexer.ts';
import { type FoundSymbol, mergeSymbols } from './ranking/merge.ts';
import { readQuestion } from './ranking/question.ts';
import type { Found } from './ranking/scoring.ts';
import { type Names, pathIn } from './roots.ts';
import { Slices } from './slices.ts';
import { IndexStore } from './store.ts';
import { symbolsFor } from './symbols.ts';
import { isNeverRead } from './walk.ts';
import { type WorkspaceRoot, workspaceRoots } from './workspaceRoots.ts';

/** Lines of a file that fit a question, counted from 1; `to` is included. */
export interface FoundPiece extends Found {
  /** As the editor shows it: from the workspace folder, with several folders from the folder's name on. */
  path: string;
  uri: vscode.Uri;
  text: string;
}

/** A question waits so long for the first index; then it is answered from what is there. */
const PATIENCE_MS = 8_000;
/** Changes come in bursts. */
const CALM_MS = 500;
/** More changes than these are a checkout or an install: everything is looked at again. */
const MANY = 500;
const IGNORE_FILES = new Set(['.gitignore', '.ignore']);
/** The settings that say what is left out. */
const LEAVING_OUT = ['files.exclude', 'search.exclude', 'perigee.index'];

interface Deps {
  /** The workspace's storage; undefined without a workspace. */
  storage: vscode.Uri | undefined;
  log: Log;
}

/**
 * Finds pieces of the workspace's files by a question. The index is built at the first question, in slices, from files
 * that may be read unasked; it stays on this machine.
 */
export class WorkspaceIndex extends Disposable {
  private readonly changed = this._register(new Emitter<number>());
  /** How many files the index has, while it is built. */
  readonly onProgress = this.changed.event;
  private readonly slices = new Slices();
  private readonly store: IndexStore | undefined;
  private readonly log: Log;
  private current: Current | undefined;

  constructor({ storage, log }: Deps) {
    super();
    this.log = log;
    this.store = storage && new IndexStore(vscode.Uri.joinPath(storage, 'index'), this.slices);
    this._register(vscode.workspace.onDidChangeWorkspaceFolders(() => this.renew()));
    this._register(vscode.workspace.onDidGrantWorkspaceTrust(() => this.renew()));
    this._register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (LEAVING_OUT.some((section) => event.affectsConfiguration(section))) this.renew();
      }),
    );
    this._register({ dispose: () => this.current?.dispose() });
  }

  /** Why nothing can be found here, in a sentence; undefined if something can. */
  whyNot(): string | undefined {
    if (!vscode.workspace.workspaceFolders?.length) return 'No folder is open, so there is nothing to search.';
    if (!vscode.workspace.isTrusted)
      return 'You do not trust this workspace, so Perigee reads nothing of it by itself.';
    if (workspaceRoots().length === 0) return `The setting ${INDEX_ENABLED} is off, so Perigee keeps no index here.`;
    return undefined;
  }

  /** Whether the index is being built, so that a question may miss files. */
  get isBuilding(): boolean {
    return this.current?.built === undefined;
  }

  /** What the last build saw; undefined before. */
  get built(): Built | undefined {
    return this.current?.built;
  }

  /** The best pieces for a question, best first, each of another file. None if `whyNot` says so. */
  async find(question: string, limit: number): Promise<FoundPiece[]> {
    if (this.isDisposed || this.whyNot() !== undefined) {
      await this.forget();
      return [];
    }
    const current = this.open();
    const symbols = symbolsFor(question);
    await current.ready(PATIENCE_MS);
    await current.catchUp();
    const asked = readQuestion(question);
    let found = await this.slices.run(current.index.find(asked, limit * 2));
    // Lines move when a file changes, and the watcher may not have told yet.
    if (await current.refresh(found)) found = await this.slices.run(current.index.find(asked, limit * 2));
    const defined = (await symbols).flatMap((location) => current.symbolAt(location));
    const pieces = await Promise.all(mergeSymbols(found, defined, limit * 2).map((one) => current.read(one)));
    return pieces.filter((piece) => piece !== undefined).slice(0, limit);
  }

  /** Builds the index if there is none, because a question is coming. Resolves when it is built, or can't be. */
  async prepare(): Promise<void> {
    if (!this.isDisposed && this.whyNot() === undefined) await this.open().ended();
  }

  private open(): Current {
    this.current ??= new Current(workspaceRoots(), this.slices, this.store, this.log, (files) =>
      this.changed.fire(files),
    );
    return this.current;
  }

  /** Begins anew at the next question: what may be read has changed. What is left out now is also deleted. */
  private renew(): void {
    if (this.whyNot() !== undefined) return void this.forget();
    this.current?.dispose();
    this.current = undefined;
  }

  private async forget(): Promise<void> {
    const before = this.current;
    this.current = undefined;
    before?.dispose();
    await before?.ended();
    // Untrusted or closed for now is no reason to read all of it again; switched off is.
    if (vscode.workspace.isTrusted && vscode.workspace.workspaceFolders?.length) await this.store?.clear();
  }
}

/** An index under one set of rules. */
class Current extends Disposable {
  built: Built | undefined;
  private readonly indexer: Indexer;
  private readonly roots: ReadonlyMap<string, WorkspaceRoot>;
  private pending = new Map<string, { root: WorkspaceRoot; names: Names }>();
  private isAllPending = false;
  /** Texts of unsaved documents that the index has instead of the disk's. */
  private readonly unsaved = new Map<string, { root: WorkspaceRoot; names: Names; version: number }>();
  private work: Promise<void>;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    roots: readonly WorkspaceRoot[],
    slices: Slices,
    private readonly store: IndexStore | undefined,
    private readonly log: Log,
    private readonly tell: (files: number) => void,
  ) {
    super();
    this.indexer = new Indexer(slices);
    this.roots = new Map(roots.map((root) => [root.name, root]));
    for (const root of roots) this.watch(root);
    this._register({ dispose: () => clearTimeout(this.timer) });
    this._register({ dispose: () => this.indexer.stop() });
    this.work = this.start();
  }

  get index() {
    return this.indexer.index;
  }

  /** Resolves when the first build is done, or after `ms`. */
  async ready(ms: number): Promise<void> {
    if (this.built) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.work, late]);
    clearTimeout(timer);
  }

  /** Resolves when nothing of it is under way any more: after `dispose`. */
  ended(): Promise<void> {
    return this.work;
  }

  /** Takes in what has changed since: on the disk, and in editors. */
  async catchUp(): Promise<void> {
    if (!this.built) return;
    await this.flush();
    for (const [path, { root, names, version }] of this.unsaved) {
      const document = openDocument(root.uriOf(names));
      if (document?.isDirty && document.version === version) continue;
      this.unsaved.delete(path);
      if (!document?.isDirty) await this.indexer.refresh({ root, names });
    }
    for (const document of vscode.workspace.textDocuments) {
      const place = document.isDirty ? this.placeOf(document.uri) : undefined;
      const path = place && pathIn(place.root, place.names);
      if (!place || !path || this.unsaved.has(path) || !this.index.get(path)) continue;
      await this.indexer.overlay(path, document.getText());
      this.unsaved.set(path, { ...place, version: document.version });
    }
  }

  /** Reads found files again that have changed. Whether any has. */
  async refresh(found: readonly Found[]): Promise<boolean> {
    const places = found.flatMap(({ path }) => (this.unsaved.has(path) ? [] : (this.placeAt(path) ?? [])));
    const changes = await Promise.all(places.map((place) => this.indexer.refresh(place)));
    return changes.includes(true);
  }

  /** A definition, if its file is in the index: else the file must not be read unasked. */
  symbolAt({ uri, range }: vscode.Location): FoundSymbol[] {
    const place = this.placeOf(uri);
    const path = place && pathIn(place.root, place.names);
    if (!path || !this.index.get(path)) return [];
    return [{ path, from: range.start.line + 1, to: range.end.line + 1 }];
  }

  /** The text of a piece as it is now; undefined if it is gone. */
  async read(found: Found): Promise<FoundPiece | undefined> {
    const place = this.placeAt(found.path);
    if (!place) return undefined;
    const uri = place.root.uriOf(place.names);
    // Looked at once more, as for all that goes along unasked: a folder above may have become a link since.
    if (await whyNotUnasked(uri)) return undefined;
    try {
      const document = openDocument(uri);
      const text = document ? document.getText() : await decoded(uri, await place.root.read(place.names));
      const lines = text.split(/\r\n|\n|\r/).slice(found.from - 1, found.to);
      if (lines.length === 0) return undefined;
      const path = vscode.workspace.asRelativePath(uri).replaceAll('\\', '/');
      return { ...found, path, to: found.from + lines.length - 1, uri, text: lines.join('\n') };
    } catch {
      return undefined;
    }
  }

  private async start(): Promise<void> {
    try {
      await this.store?.load((files) => this.indexer.restore(files));
      await this.buildAll();
    } catch (error) {
      this.log.warn(`The index of the workspace could not be built: ${error instanceof Error ? error.name : 'error'}`);
    }
  }

  private async buildAll(): Promise<void> {
    const began = performance.now();
    const built = await this.indexer.build([...this.roots.values()], this.tell);
    if (this.isDisposed) return;
    this.built = built;
    const ms = Math.round(performance.now() - began);
    this.log.info(
      `The index of the workspace has ${built.files} files${built.isFull || built.isCutShort ? ', and is full' : ''} (${ms} ms).`,
    );
    await this.save();
  }

  private async save(): Promise<void> {
    if (this.isDisposed || !this.store) return;
    await this.store
      .save(this.index.all(), this.indexer.changed, () => this.isDisposed)
      .catch((error) =>
        this.log.warn(`The index could not be stored: ${error instanceof Error ? error.name : 'error'}`),
      );
  }

  private watch(root: WorkspaceRoot): void {
    const watcher = this._register(
      vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(root.folder, '**/*')),
    );
    const take = (uri: vscode.Uri) => {
      const place = this.placeOf(uri);
      if (!place || place.root !== root || isNeverRead(place.names)) return;
      if (IGNORE_FILES.has(place.names.at(-1)!) || this.pending.size >= MANY) this.isAllPending = true;
      this.pending.set(pathIn(root, place.names), place);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.flush(), CALM_MS);
    };
    this._register(watcher.onDidChange(take));
    this._register(watcher.onDidCreate(take));
    this._register(watcher.onDidDelete(take));
  }

  /** Does what is pending, after what is under way. */
  private flush(): Promise<void> {
    clearTimeout(this.timer);
    this.work = this.work.then(async () => {
      if (this.isDisposed || (this.pending.size === 0 && !this.isAllPending)) return;
      const [places, isAll] = [[...this.pending.values()], this.isAllPending];
      this.pending = new Map();
      this.isAllPending = false;
      try {
        if (isAll) return await this.buildAll();
        for (const { root, names } of places) if (!this.isDisposed) await this.indexer.update(root, names);
        await this.save();
      } catch (error) {
        this.log.warn(`The index could not be updated: ${error instanceof Error ? error.name : 'error'}`);
      }
    });
    return this.work;
  }

  private placeOf(uri: vscode.Uri): { root: WorkspaceRoot; names: Names } | undefined {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    const root = folder && [...this.roots.values()].find((one) => one.folder.uri.toString() === folder.uri.toString());
    if (!root || uri.scheme !== root.folder.uri.scheme) return undefined;
    const names = uri.path.slice(root.folder.uri.path.replace(/\/?$/, '/').length).split('/');
    return names[0] === '' || names.includes('..') ? undefined : { root, names };
  }

  private placeAt(path: string): { root: WorkspaceRoot; names: Names } | undefined {
    const [name, ...names] = path.split('/');
    const root = this.roots.get(name!);
    return root && { root, names };
  }
}

function openDocument(uri: vscode.Uri): vscode.TextDocument | undefined {
  const address = uri.toString();
  return vscode.workspace.textDocuments.find((open) => !open.isClosed && open.uri.toString() === address);
}

const decoded = (uri: vscode.Uri, bytes: Uint8Array) => vscode.workspace.decode(bytes, { uri });
