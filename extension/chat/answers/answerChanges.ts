import type { Message } from '../../../shared/conversations.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { baseName } from '../context/attachments.ts';
import type { AnswerChanges, ApplyState, FromHost, ShownCheckpoint, ShownCheckpointFile, ToHost } from '../protocol.ts';
import { Comparison } from './comparison.ts';

/** Where changes come from, as the edits keep it with what is accepted. */
export interface ChangeSource {
  title: string;
  runId?: string;
  conversationId?: string;
  block?: string;
}

/** What became of something that was to be applied. Messages are sentences for the user. */
export type Applied =
  /** `skipped`: parts that are not for a file, in words. */
  | { kind: 'review'; skipped: readonly string[] }
  | { kind: 'proposal'; files: number; refused: number; skipped: readonly string[] }
  /** `uri`: of the one file that it is for, which has no place for it. */
  | { kind: 'refused'; message: string; uri?: string }
  | { kind: 'nothing'; message?: string };

export interface KeptCheckpoint {
  id: string;
  source: ChangeSource;
  /** In ms since 1970. */
  at: number;
  /** `blocks`: those of the answer that it is of; without them it is the source's. `partly`: of these not all was accepted. */
  files: (ShownCheckpointFile & { blocks?: readonly string[]; partly?: readonly string[] })[];
}

/** Something that waits for the user's decision, and the blocks that it is of. */
export interface Waiting {
  source: ChangeSource;
  blocks: readonly string[];
  /** Where it waits, relative to the workspace. */
  paths: readonly string[];
}

/** What the chat asks of the edits. Handed in: neither knows the other, and the edits are loaded when they are needed. */
export interface ChatEdits {
  applyCode(code: {
    text: string;
    language?: string;
    path?: string;
    isUnclear?: boolean;
    spoken?: { info: string; prose: string };
    /** It was applied before, and not taken back. */
    wasApplied?: boolean;
    source: ChangeSource;
  }): Promise<Applied>;
  /** `blocks`: of each what is for a file of `done` is left out: there it is applied already, or waits for the user. */
  applyAnswer(answer: {
    text: string;
    blocks: readonly { name: string; text: string; language?: string; path?: string; done: readonly string[] }[];
    source: ChangeSource;
  }): Promise<Applied>;
  /** Has a model place code in a file, which is charged. Resolves to whether there is something to review then. */
  placeCode(code: { text: string; language?: string; uri: string; source: ChangeSource }): Promise<boolean>;
  undecided(): Promise<{
    /** All that waits now, also what an undo has brought back. */
    list(): readonly Waiting[];
    onDidChange(listener: () => void): { dispose(): void };
  }>;
  /** Shows where the user decides about it. */
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

/** What happens now with a block, or all of them, or was said last. */
interface Live {
  source: ChangeSource;
  state: ApplyState;
  /** What has no place in its file, and that file. */
  unplaced?: { text: string; language?: string; uri: string };
  /** How it stood when that was said: of the block alone where it was refused, else of all of the answer. */
  when?: string;
}

/** All of an answer, among the names of its blocks. */
const ALL = '';

interface BlockStanding {
  /** Where it is applied; `true` where not all of it was accepted. */
  applied: Map<string, boolean>;
  /** Where it waits for the user; undefined where it does nowhere. */
  waiting?: Set<string>;
}

/** How it stands with the blocks of one answer: by what is in editors, lists and files, whatever was said before. */
interface Standing {
  blocks: Map<string, BlockStanding>;
  waiting: Waiting[];
}

/** What becomes of the changes that answers propose: told to the view, and done when it asks for it. */
export class AnswerChangesHost extends Disposable {
  /** By message and block. */
  private readonly live = new Map<string, Map<string, Live>>();
  private kept: readonly KeptCheckpoint[] = [];
  private undecided: Awaited<ReturnType<ChatEdits['undecided']>> | undefined;
  private listening: Promise<void> | undefined;
  private following: Promise<void> | undefined;
  /** One block after the other: each is placed in what the one before has made of its file. */
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

  /** Tells the view, if it is news; `anew` in any case. */
  tell(anew = false): void {
    if (this.open().messages.some(({ runId }) => runId)) this.listening ??= this.listen();
    const value = this.value();
    const telling = JSON.stringify(value);
    if (telling === this.told && !anew) return;
    this.told = telling;
    this.post({ type: 'changes', value });
  }

  /** Resolves when it is done, as far as it doesn't wait for the user. Rejects with what should be told. */
  async do(request: Request): Promise<void> {
    switch (request.type) {
      case 'apply': {
        const { text, language, path, isUnclear, spoken, block, messageId } = request;
        const title = path ? `Apply to ${baseName(path)}` : 'Apply from the chat';
        const code = { text, language: language || undefined };
        const work = ({ runId }: Message, source: ChangeSource) => {
          const wasApplied = this.standing(runId).blocks.has(block);
          const more = { ...(isUnclear && { isUnclear, spoken }), ...(wasApplied && { wasApplied }) };
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
        // The text is the host's own: what the view has of it goes through a model's hands, and only names its blocks.
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
      // What was applied before is left out, and known only then.
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

  /** Why it was refused comes back, with all ways on, when nothing comes of it. */
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

  /** Before the first block is applied in this window nothing can wait. */
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
          // Of one file a later record may have brought the rest.
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

  /** The same as a text to compare with: of one block, or of all. */
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
        // What was said then is not so any more.
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

/** Where a block is applied or waits. */
const filesOf = (block: BlockStanding | undefined): string[] =>
  block ? [...new Set([...block.applied.keys(), ...(block.waiting ?? [])])] : [];

/** Whether all that a block brings was accepted, and nothing of it waits. */
function isApplied(block: BlockStanding | undefined): boolean {
  const state = block && toState(block);
  return state?.state === 'applied' && !state.isPart;
}

function toShown({ id, at, files }: KeptCheckpoint): ShownCheckpoint {
  const shown = files.map(({ blocks: _, partly: __, ...file }) => file);
  return { id, at: new Date(at).toISOString(), files: shown };
}

/** Undefined when the user thought better of it. `wasApplied`: the same was applied before, and not taken back. */
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
      if (wasApplied) return { state: 'nothing', why: 'It was applied already. To apply it anew, take it back first.' };
      const file = applied.uri === undefined ? {} : { file: decodeURIComponent(baseName(applied.uri)) };
      return { state: 'refused', why: applied.message, ...file };
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
