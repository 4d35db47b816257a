import type { Message } from '../../../shared/conversations.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { baseName } from '../context/attachments.ts';
import type {
  AnswerChanges,
  ApplyState,
  FromHost,
  Reading,
  ShownCheckpoint,
  ShownCheckpointFile,
  ToHost,
} from '../protocol.ts';
import { Comparison } from './comparison.ts';

/** The source of changes. The edits store it with accepted changes. */
export interface ChangeSource {
  title: string;
  runId?: string;
  conversationId?: string;
  block?: string;
}

/** The result of applying code. Messages are sentences for the user. */
export type Applied =
  /** `skipped`: descriptions of the parts that are not for a file. */
  | { kind: 'review'; skipped: readonly string[] }
  | { kind: 'proposal'; files: number; refused: number; skipped: readonly string[] }
  /**
   * `uri`: its only file, if the code has no place there. `readings`: those between which the user may choose.
   * `isOfEditor`: the editor takes no changes, so that other code would be refused as well.
   */
  | { kind: 'refused'; message: string; uri?: string; readings?: readonly Reading[]; isOfEditor?: true }
  | { kind: 'nothing'; message?: string };

export interface KeptCheckpoint {
  id: string;
  source: ChangeSource;
  /** In ms since 1970. */
  at: number;
  /**
   * `blocks`: its blocks of the answer; if absent, the source's. `partly`: blocks of which the user accepted only a
   * part.
   */
  files: (ShownCheckpointFile & { blocks?: readonly string[]; partly?: readonly string[] })[];
}

/** A change that waits for the user's decision, and its blocks. */
export interface Waiting {
  source: ChangeSource;
  blocks: readonly string[];
  /** The files in which it waits, relative to the workspace. */
  paths: readonly string[];
}

/** The chat's interface to the edits. It is injected: neither imports the other, and the edits load when needed. */
export interface ChatEdits {
  applyCode(code: {
    text: string;
    language?: string;
    path?: string;
    isUnclear?: boolean;
    spoken?: { info: string; prose: string };
    /** It was applied before, and not taken back. */
    wasApplied?: boolean;
    reading?: Reading;
    source: ChangeSource;
  }): Promise<Applied>;
  /** `blocks`: edits for a file in `done` are left out, because they are applied there or wait for the user. */
  applyAnswer(answer: {
    text: string;
    blocks: readonly { name: string; text: string; language?: string; path?: string; done: readonly string[] }[];
    source: ChangeSource;
  }): Promise<Applied>;
  /**
   * Lets a model insert code into a file, which costs credits. Resolves to whether there is something to review then.
   */
  placeCode(code: { text: string; language?: string; uri: string; source: ChangeSource }): Promise<boolean>;
  undecided(): Promise<{
    /** Everything that waits now, including what an undo has brought back. */
    list(): readonly Waiting[];
    onDidChange(listener: () => void): { dispose(): void };
  }>;
  /** Shows the editor or list in which the user decides. */
  show(waiting: Waiting): Promise<void>;
  checkpoints(): Promise<{
    /** Newest first. */
    list(): Promise<readonly KeptCheckpoint[]>;
    onDidChange(listener: () => void): { dispose(): void };
    takeBack(id: string): Promise<unknown>;
    applyAgain(id: string): Promise<unknown>;
  }>;
}

type Request = Extract<
  ToHost,
  { type: 'apply' | 'applyAll' | 'placeCode' | 'compareCode' | 'showReview' | 'takeBack' | 'applyAgain' }
>;

/** The current or last state of applying a block, or all blocks. */
interface Live {
  source: ChangeSource;
  state: ApplyState;
  /** The code that has no place in its file, and that file. */
  unplaced?: { text: string; language?: string; uri: string };
  /** The standing when the state was set: of the block alone if it was refused, else of the whole answer. */
  when?: string;
}

/** The key for the whole answer, beside the names of its blocks. */
const ALL = '';

interface BlockStanding {
  /** The files in which it is applied; `true` if the user accepted only a part. */
  applied: Map<string, boolean>;
  /** The files in which it waits for the user; undefined if there are none. */
  waiting?: Set<string>;
}

/**
 * The standing of the blocks of one answer: what editors, lists and files contain now, whatever was reported before.
 */
interface Standing {
  blocks: Map<string, BlockStanding>;
  waiting: Waiting[];
}

/** Carries out the view's requests to apply proposed changes, and reports their state to the view. */
export class AnswerChangesHost extends Disposable {
  /** By message and block. */
  private readonly live = new Map<string, Map<string, Live>>();
  private kept: readonly KeptCheckpoint[] = [];
  private undecided: Awaited<ReturnType<ChatEdits['undecided']>> | undefined;
  private listening: Promise<void> | undefined;
  private following: Promise<void> | undefined;
  /** Applies one block after the other: each to the file as the previous one left it. */
  private queue: Promise<unknown> = Promise.resolve();
  private readonly comparison = this._register(new Comparison());
  private told = '';

  constructor(
    private readonly edits: ChatEdits,
    /** The open conversation. */
    private readonly open: () => { id: string; title: string; messages: readonly Message[] },
    private readonly post: (message: FromHost) => void,
    private readonly log: Log,
  ) {
    super();
  }

  /** Sends the state to the view if it has changed; with `anew`, always. */
  tell(anew = false): void {
    if (this.open().messages.some(({ runId }) => runId)) this.listening ??= this.listen();
    const value = this.value();
    const telling = JSON.stringify(value);
    if (telling === this.told && !anew) return;
    this.told = telling;
    this.post({ type: 'changes', value });
  }

  /** Resolves when the request is done, without waiting for the user's decisions. Rejects with an error to report. */
  async do(request: Request): Promise<void> {
    switch (request.type) {
      case 'apply': {
        const { text, language, path, isUnclear, spoken, reading, block, messageId } = request;
        const title = path ? `Apply to ${baseName(path)}` : 'Apply from the chat';
        const code = { text, language: language || undefined };
        const work = ({ runId }: Message, source: ChangeSource) => {
          const wasApplied = this.standing(runId).blocks.has(block);
          const more = {
            ...(isUnclear && { isUnclear, spoken }),
            ...(wasApplied && { wasApplied }),
            ...(reading && { reading }),
          };
          return this.edits.applyCode({ ...code, path, ...more, source });
        };
        return this.apply(messageId, block, title, work, code);
      }
      case 'placeCode':
        return this.placeCode(request);
      case 'compareCode': {
        const { messageId, block, text } = request;
        const uri = this.live.get(messageId)?.get(block)?.unplaced?.uri;
        return uri === undefined ? undefined : this.comparison.show(uri, text);
      }
      case 'applyAll': {
        const answer = this.answer(request.messageId);
        if (answer?.state === 'running') return;
        // Use the host's own text. The view renders text from a model, so it is only trusted to name blocks.
        const title = `Answer in “${this.open().title}”`;
        return this.apply(request.messageId, ALL, title, ({ text, runId }, source) => {
          const done = this.standing(runId).blocks;
          const blocks = request.blocks.map(({ block, ...code }) => ({
            ...code,
            name: block,
            done: filesOf(done.get(block)),
          }));
          return this.edits.applyAnswer({ text, blocks, source });
        });
      }
      case 'showReview': {
        const { messageId, block = ALL } = request;
        const { waiting } = this.standing(this.answer(messageId)?.runId);
        const isMeant = ({ source, blocks }: Waiting) => source.block === block || blocks.includes(block);
        const meant = waiting.find(isMeant) ?? (block === ALL ? waiting[0] : undefined);
        return meant && this.edits.show(block === ALL ? meant : { ...meant, blocks: [block] });
      }
      case 'takeBack':
        await (await this.edits.checkpoints()).takeBack(request.checkpointId);
        return;
      case 'applyAgain':
        await (await this.edits.checkpoints()).applyAgain(request.checkpointId);
        return;
      default:
        request satisfies never;
    }
  }

  private async apply(
    messageId: string,
    block: string,
    title: string,
    work: (answer: Message, source: ChangeSource) => Promise<Applied>,
    code?: { text: string; language?: string },
  ): Promise<void> {
    const answer = this.answer(messageId);
    const before = this.live.get(messageId)?.get(block);
    if (!answer || before?.state.state === 'applying') return;
    const source = { title, runId: answer.runId, conversationId: this.open().id, block };
    this.set(messageId, block, { source, state: { state: 'applying' } });
    try {
      // Wait until it is known which blocks are applied already, because those are left out.
      await Promise.all([this.follow(), this.listening]);
      const wasApplied = isApplied(this.standing(answer.runId).blocks.get(block));
      const applied = await this.inTurn(() => work(answer, source));
      const state = stateOf(applied, wasApplied);
      const uri = state?.state === 'refused' && applied.kind === 'refused' ? applied.uri : undefined;
      const unplaced = code && uri !== undefined ? { unplaced: { ...code, uri } } : {};
      const when = this.sayStanding(answer.runId, state?.state === 'refused' ? block : ALL);
      this.set(messageId, block, state && { source, state, when, ...unplaced });
    } catch (error) {
      this.set(messageId, block, undefined);
      throw error;
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(work);
    this.queue = done.catch(() => {});
    return done;
  }

  /** If it fails, the earlier refusal is shown again with all its next steps. */
  private async placeCode({ messageId, block }: Extract<Request, { type: 'placeCode' }>): Promise<void> {
    const refused = this.live.get(messageId)?.get(block);
    if (!refused?.unplaced || refused.state.state !== 'refused') return;
    const { source, unplaced } = refused;
    const isCurrent = () => this.live.get(messageId)?.get(block)?.source === source;
    let isPlaced = false;
    this.set(messageId, block, { ...refused, state: { state: 'applying' } });
    try {
      await this.follow();
      isPlaced = await this.edits.placeCode({ ...unplaced, source });
    } finally {
      if (isCurrent()) this.set(messageId, block, isPlaced ? undefined : refused);
    }
  }

  private answer(messageId: string): Message | undefined {
    return this.open().messages.find(({ id, role }) => id === messageId && role === 'assistant');
  }

  private set(messageId: string, block: string, live: Live | undefined): void {
    const blocks = this.live.get(messageId) ?? new Map<string, Live>();
    this.live.set(messageId, blocks);
    if (live) blocks.set(block, live);
    else blocks.delete(block);
    this.tell();
  }

  /** Loads the edits. Nothing can wait before the first block is applied in this window. */
  private follow(): Promise<void> {
    this.following ??= this.edits.undecided().then((undecided) => {
      this.undecided = undecided;
      this._register(undecided.onDidChange(() => !this.isDisposed && this.tell()));
    });
    return this.following;
  }

  private async listen(): Promise<void> {
    try {
      const checkpoints = await this.edits.checkpoints();
      const read = async () => {
        this.kept = await checkpoints.list();
        if (!this.isDisposed) this.tell();
      };
      this._register(checkpoints.onDidChange(() => void read()));
      await read();
    } catch (error) {
      this.log.warn(`What was applied could not be read: ${error}`);
    }
  }

  private standing(runId: string | undefined): Standing {
    const blocks: Standing['blocks'] = new Map();
    const blockOf = (name: string) => {
      const block: BlockStanding = blocks.get(name) ?? { applied: new Map() };
      blocks.set(name, block);
      return block;
    };
    for (const { source, files } of this.kept) {
      if (runId === undefined || source.runId !== runId) continue;
      for (const { path, isTakenBack, blocks: names, partly = [] } of files) {
        if (isTakenBack) continue;
        for (const name of names ?? (source.block ? [source.block] : [])) {
          const { applied } = blockOf(name);
          // A later checkpoint may have applied the rest of the file.
          applied.set(path, (applied.get(path) ?? true) && partly.includes(name));
        }
      }
    }
    const waiting = this.undecided?.list().filter(({ source }) => runId !== undefined && source.runId === runId) ?? [];
    for (const one of waiting) {
      for (const name of one.blocks) {
        const block = blockOf(name);
        block.waiting = new Set([...(block.waiting ?? []), ...one.paths]);
      }
    }
    return { blocks, waiting };
  }

  /** The same as a string to compare: of one block, or of all. */
  private sayStanding(runId: string | undefined, block: string, { blocks } = this.standing(runId)): string {
    const told = ([name, one]: [string, BlockStanding]) => [name, toState(one)] as const;
    const one = blocks.get(block);
    if (block !== ALL) return JSON.stringify(one ? toState(one) : '');
    return JSON.stringify([...blocks].map(told).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private value(): Record<string, AnswerChanges> {
    const value: Record<string, AnswerChanges> = {};
    const byRun = new Map<string | undefined, KeptCheckpoint[]>();
    for (const one of this.kept) byRun.set(one.source.runId, [one, ...(byRun.get(one.source.runId) ?? [])]);
    for (const { id, role, runId } of this.open().messages) {
      if (role !== 'assistant' || !runId) continue;
      const kept = byRun.get(runId) ?? [];
      const live = this.live.get(id);
      const standing = this.standing(runId);
      if (kept.length === 0 && !live?.size && standing.waiting.length === 0) continue;
      const states = new Map<string, ApplyState>();
      for (const [block, one] of standing.blocks) states.set(block, toState(one));
      if (standing.waiting.some(({ source }) => source.block === ALL)) states.set(ALL, { state: 'review' });
      for (const [block, { state, when }] of [...(live ?? [])]) {
        const isOf = state.state === 'refused' ? block : ALL;
        const isOver =
          state.state === 'review'
            ? states.get(block)?.state !== 'review'
            : state.state !== 'applying' && when !== this.sayStanding(runId, isOf, standing);
        // The standing has changed, so the message is out of date.
        if (isOver) live!.delete(block);
        else states.set(block, state);
      }
      const all = states.get(ALL);
      states.delete(ALL);
      value[id] = { blocks: Object.fromEntries(states), ...(all && { all }), checkpoints: kept.map(toShown) };
    }
    return value;
  }
}

function toState({ applied, waiting }: BlockStanding): ApplyState {
  if (waiting) return { state: 'review' };
  const isPart = [...applied.values()].some((part) => part);
  return { state: 'applied', paths: [...applied.keys()], ...(isPart && { isPart }) };
}

/** The files in which a block is applied or waits. */
const filesOf = (block: BlockStanding | undefined): string[] =>
  block ? [...new Set([...block.applied.keys(), ...(block.waiting ?? [])])] : [];

/** Whether the user accepted all of a block, and nothing of it waits. */
function isApplied(block: BlockStanding | undefined): boolean {
  const state = block && toState(block);
  return state?.state === 'applied' && !state.isPart;
}

function toShown({ id, at, files }: KeptCheckpoint): ShownCheckpoint {
  const shown = files.map(({ blocks: _, partly: __, ...file }) => file);
  return { id, at: new Date(at).toISOString(), files: shown };
}

/** Undefined if the user cancelled. `wasApplied`: the same was applied before, and not taken back. */
function stateOf(applied: Applied, wasApplied: boolean): ApplyState | undefined {
  switch (applied.kind) {
    case 'review':
      return { state: 'review', why: leftOut(applied.skipped) };
    case 'proposal': {
      const { files, refused, skipped } = applied;
      const why = refused > 0 ? [`${refused} of ${files + refused} files can’t be changed: the list says why.`] : [];
      return { state: 'review', why: [...why, leftOut(skipped)].filter(Boolean).join(' ') || undefined };
    }
    case 'refused': {
      const isRepeated = wasApplied && !applied.isOfEditor;
      if (isRepeated) return { state: 'nothing', why: 'It was applied already. To apply it anew, take it back first.' };
      const file = applied.uri === undefined ? {} : { file: decodeURIComponent(baseName(applied.uri)) };
      const readings = applied.readings && { readings: [...applied.readings] };
      const isOfEditor = applied.isOfEditor && { isOfEditor: applied.isOfEditor };
      return { state: 'refused', why: applied.message, ...file, ...readings, ...isOfEditor };
    }
    case 'nothing':
      return applied.message ? { state: 'nothing', why: applied.message } : undefined;
    default:
      return applied satisfies never;
  }
}

/** "Left out: a command for a shell, a unified diff." */
function leftOut(skipped: readonly string[]): string | undefined {
  return skipped.length > 0 ? `Left out: ${[...new Set(skipped)].join(', ')}.` : undefined;
}
