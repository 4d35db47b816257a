import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { plainMessage } from '../../platform/plainMessage.ts';
import { type Checkpoint, type Direction, summarise, tellTurned } from '../changes/checkpoint.ts';
import type { Accepted } from '../changes/proposal.ts';
import { type AskAboutStale, chooseCheckpoint } from './checkpointDialogs.ts';
import {
  ACCEPTED_SCHEME,
  type Bounds,
  type CheckpointMeta,
  CheckpointStore,
  type CheckpointTexts,
  newestFirst,
} from './checkpointStore.ts';
import { isTakenBackNow, turnFiles } from './checkpointTurn.ts';

/** `partly`: only the files without conflicts. `blocked`: nothing was written. `failed`: the user was told. */
export type TakeBackResult = 'done' | 'partly' | 'blocked' | 'failed';

/** The delay after the last undo of a burst. */
const LOOK_MS = 150;
/** The most checkpoints to check for one file. Older ones are seldom within reach of an undo. */
const MAX_LOOKED_AT = 20;

/**
 * Stores accepted changes, so that the user can take them back and apply them again later, even after the window
 * reloads. It never overwrites later changes.
 */
export class Checkpoints extends Disposable {
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  /** The list, or the state of one checkpoint, changed. */
  readonly onDidChange = this.changed.event;
  private readonly store: CheckpointStore;
  /** Newest first. */
  private all: Promise<CheckpointMeta[]> | undefined;
  /** Serialises changes of the store. */
  private queue: Promise<unknown> = Promise.resolve();
  /** Checkpoints that are being taken back or applied again. */
  private readonly busy = new Set<string>();
  /** Addresses of files in which the editor has undone or redone something. */
  private readonly undone = new Set<string>();
  private looking: ReturnType<typeof setTimeout> | undefined;

  /**
   * `storage`: the extension's folder, for the workspace if one is open. `ask`: whether to continue without the
   * conflicting files; by default it asks the user.
   */
  constructor(
    storage: vscode.Uri,
    private readonly log: Log,
    bounds?: Bounds,
    private readonly ask?: AskAboutStale,
  ) {
    super();
    this.store = new CheckpointStore(vscode.Uri.joinPath(storage, 'checkpoints'), bounds);
    const provider = { provideTextDocumentContent: ({ query }: vscode.Uri) => this.acceptedText(query) };
    this._register(vscode.workspace.registerTextDocumentContentProvider(ACCEPTED_SCHEME, provider));
    this._register(
      vscode.workspace.onDidChangeTextDocument(({ document, reason }) => {
        if (reason !== undefined) this.lookSoon([document.uri]);
      }),
    );
    // The editor reports files that an undo creates, moves or deletes, but not that the cause is an undo.
    this._register(vscode.workspace.onDidCreateFiles(({ files }) => this.lookSoon(files)));
    this._register(vscode.workspace.onDidDeleteFiles(({ files }) => this.lookSoon(files)));
    this._register(
      vscode.workspace.onDidRenameFiles(({ files }) =>
        this.lookSoon(files.flatMap(({ oldUri, newUri }) => [oldUri, newUri])),
      ),
    );
    this._register({ dispose: () => clearTimeout(this.looking) });
  }

  /**
   * Stores an accepted change and returns its id. Rejects on a disk error: the change stays, but can't be taken back.
   */
  async record({ source, files }: Accepted): Promise<string> {
    const id = crypto.randomUUID();
    const at = Date.now();
    const { title, runId, conversationId, block } = source;
    const heads = files.map((file) => ({
      uri: file.uri,
      movedTo: file.movedTo,
      ...summarise(file),
      isTakenBack: false,
      ...(file.blocks && { blocks: [...file.blocks] }),
      ...(file.partly && { partly: [...file.partly] }),
    }));
    const head = { id, at, source: { title, runId, conversationId, block }, files: heads };
    const texts = files.map(({ before = null, after = null }) => ({ before, after }));
    await this.change(async (all) => {
      const meta = await this.store.add(head, texts);
      if (meta) return this.store.prune(newestFirst([meta, ...all]), at);
      void vscode.window.showWarningMessage(
        `"${plainMessage(title)}" is too large to be kept for taking it back later. Undo, and your version control, still can.`,
      );
      return all;
    });
    return id;
  }

  /** Newest first. */
  async list(): Promise<Checkpoint[]> {
    return (await this.load()).map(toCheckpoint);
  }

  /** Restores its files to their state before it, as one undo step, or asks the user about conflicts. */
  takeBack(id: string): Promise<TakeBackResult> {
    return this.turn(id, 'takeBack');
  }

  /** The opposite of `takeBack`, by the same rules. */
  applyAgain(id: string): Promise<TakeBackResult> {
    return this.turn(id, 'applyAgain');
  }

  /** Lets the user choose a checkpoint to take back or apply again. */
  async choose(): Promise<void> {
    const chosen = await chooseCheckpoint(await this.list());
    // The list closes and nothing else shows the result, so tell the user.
    if (chosen) await this.turn(chosen.id, chosen.direction, true);
  }

  /** A file as the user accepted it, to compare with the current one. */
  private async acceptedText(query: string): Promise<string> {
    const [id = '', file = '', side = ''] = query.split('/');
    const meta = (await this.load()).find((one) => one.id === id);
    const texts = meta && (await this.store.readTexts(meta));
    return texts?.[Number(file)]?.[side === 'before' ? 'before' : 'after'] ?? '';
  }

  /** `isTold`: report success as a message, too. For its own requests the chat shows it in a row. */
  private async turn(id: string, direction: Direction, isTold = false): Promise<TakeBackResult> {
    if (this.busy.has(id)) return 'blocked';
    this.busy.add(id);
    try {
      return await this.turnNow(id, direction, isTold);
    } finally {
      this.busy.delete(id);
    }
  }

  private async turnNow(id: string, direction: Direction, isTold: boolean): Promise<TakeBackResult> {
    const stored = (await this.load()).find((one) => one.id === id);
    const texts = stored && (await this.store.readTexts(stored));
    if (!stored || !texts) {
      return fail('This change is not kept any more. Perigee keeps the newest 100 changes that it can read.');
    }
    const meta = (await this.lookAt(stored, texts, () => true)) ?? stored;
    if (meta.files.every(({ isTakenBack }) => isTakenBack === (direction === 'takeBack'))) {
      void vscode.window.showInformationMessage(plainMessage(tellTurned(direction, meta.files.map(pathOf), 0)));
      return 'done';
    }
    const turned = await turnFiles(meta, texts, direction, this.ask);
    if (turned.kind === 'failed') return fail(turned.message);
    if (turned.files.size === 0) return turned.kind;
    await this.mark(id, turned.files, direction === 'takeBack');
    if (isTold || turned.written === 0) {
      const paths = [...turned.files].map((file) => pathOf(meta.files[file]!));
      void vscode.window.showInformationMessage(plainMessage(tellTurned(direction, paths, turned.written)));
    }
    return turned.kind;
  }

  /** Waits a moment, because undo and redo come in bursts. */
  private lookSoon(uris: readonly vscode.Uri[]): void {
    for (const uri of uris) this.undone.add(uri.toString());
    clearTimeout(this.looking);
    this.looking = setTimeout(() => {
      const files = new Set(this.undone);
      this.undone.clear();
      void this.look(files).catch((error) => this.log.warn(`What was undone is not known: ${error}`));
    }, LOOK_MS);
  }

  /** Updates checkpoints that the editor's own undo has taken back, or its redo has applied again. */
  private async look(uris: ReadonlySet<string>): Promise<void> {
    const isMeant = ({ uri, movedTo }: CheckpointMeta['files'][number]) =>
      uris.has(uri) || (movedTo !== undefined && uris.has(movedTo));
    const all = (await this.load()).filter(({ id, files }) => !this.busy.has(id) && files.some(isMeant));
    for (const meta of all.slice(0, MAX_LOOKED_AT)) {
      const texts = await this.store.readTexts(meta);
      if (texts) await this.lookAt(meta, texts, isMeant);
    }
  }

  /** The same for one checkpoint. Returns its new state, or undefined if it is unchanged. */
  private async lookAt(
    meta: CheckpointMeta,
    texts: CheckpointTexts,
    isMeant: (file: CheckpointMeta['files'][number]) => boolean,
  ): Promise<CheckpointMeta | undefined> {
    const [back, again] = [new Set<number>(), new Set<number>()];
    for (const [index, file] of meta.files.entries()) {
      const isBack = isMeant(file) ? await isTakenBackNow(meta, texts, index) : undefined;
      if (isBack !== undefined && isBack !== file.isTakenBack) (isBack ? back : again).add(index);
    }
    if (back.size > 0) await this.mark(meta.id, back, true);
    if (again.size > 0) await this.mark(meta.id, again, false);
    return back.size + again.size > 0 ? (await this.load()).find(({ id }) => id === meta.id) : undefined;
  }

  private async mark(id: string, files: ReadonlySet<number>, isTakenBack: boolean): Promise<void> {
    await this.change(async (all) => {
      const at = all.findIndex((one) => one.id === id);
      const old = all[at];
      if (!old) return all;
      const marked = old.files.map((file, index) => (files.has(index) ? { ...file, isTakenBack } : file));
      const meta = { ...old, files: marked };
      await this.store.write(meta).catch((error) => this.log.warn(`A checkpoint's state is not stored: ${error}`));
      return all.map((one) => (one === old ? meta : one));
    });
  }

  private load(): Promise<CheckpointMeta[]> {
    this.all ??= this.store.readAll();
    return this.all;
  }

  private change(body: (all: CheckpointMeta[]) => Promise<CheckpointMeta[]>): Promise<void> {
    const changed = this.queue.then(async () => {
      const next = await body(await this.load());
      this.all = Promise.resolve(next);
      this.changed.fire();
    });
    this.queue = changed.catch(() => {});
    return changed;
  }
}

function toCheckpoint({ id, source, at, files }: CheckpointMeta): Checkpoint {
  return {
    id,
    source,
    at,
    state: files.every(({ isTakenBack }) => isTakenBack) ? 'takenBack' : 'applied',
    files: files.map((file) => {
      const { uri: _, movedTo: __, ...told } = file;
      return { path: pathOf(file), ...told };
    }),
  };
}

/** The path after the change, relative to the workspace, with forward slashes. */
const pathOf = ({ uri, movedTo }: CheckpointMeta['files'][number]) =>
  vscode.workspace.asRelativePath(vscode.Uri.parse(movedTo ?? uri, true)).replaceAll('\\', '/');

function fail(message: string): 'failed' {
  void vscode.window.showWarningMessage(plainMessage(`Perigee: ${message}`));
  return 'failed';
}
