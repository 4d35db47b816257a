import type { Message } from '../../../shared/conversations.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { baseName } from '../context/attachments.ts';
import type { AnswerChanges, ApplyState, FromHost, ShownCheckpoint, ToHost } from '../protocol.ts';
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
  files: ShownCheckpoint['files'];
}

/** What the chat asks of the edits. Handed in: neither knows the other, and the edits are loaded when they are needed. */
export interface ChatEdits {
  applyCode(code: {
    text: string;
    language?: string;
    path?: string;
    isUnclear?: boolean;
    spoken?: { info: string; prose: string };
    source: ChangeSource;
  }): Promise<Applied>;
  applyAnswer(answer: { text: string; source: ChangeSource }): Promise<Applied>;
  /** Has a model place code in a file, which is charged. Resolves to whether there is something to review then. */
  placeCode(code: { text: string; language?: string; uri: string; source: ChangeSource }): Promise<boolean>;
  /** Resolves when nothing from this source waits for the user's decision any more. */
  decided(source: ChangeSource): Promise<void>;
  /** Shows where the user decides about it. */
  show(source: ChangeSource): Promise<void>;
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

interface Live {
  source: ChangeSource;
  state: ApplyState;
  /** What has no place in its file, and that file. */
  unplaced?: { text: string; language?: string; uri: string };
}

/** All of an answer, among the names of its blocks. */
const ALL = '';

/** What becomes of the changes that answers propose: told to the view, and done when it asks for it. */
export class AnswerChangesHost extends Disposable {
  /** By message and block: what happens now, or was said last. What was accepted is told by its checkpoint. */
  private readonly live = new Map<string, Map<string, Live>>();
  private kept: readonly KeptCheckpoint[] = [];
  private listening: Promise<void> | undefined;
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
        const work = (_: Message, source: ChangeSource) =>
          this.edits.applyCode({ ...code, path, ...(isUnclear && { isUnclear, spoken }), source });
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
        // The text is the host's own: what the view has of it goes through a model's hands.
        const title = `Answer in “${this.open().title}”`;
        return this.apply(request.messageId, ALL, title, ({ text }, source) =>
          this.edits.applyAnswer({ text, source }),
        );
      }
      case 'showReview': {
        const live = this.live.get(request.messageId)?.get(request.block ?? ALL);
        return live && this.edits.show(live.source);
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
    const isCurrent = () => this.live.get(messageId)?.get(block)?.source === source;
    this.set(messageId, block, { source, state: { state: 'applying' } });
    try {
      const applied = await work(answer, source);
      const state = stateOf(applied);
      const uri = applied.kind === 'refused' ? applied.uri : undefined;
      const unplaced = code && uri !== undefined ? { unplaced: { ...code, uri } } : {};
      this.set(messageId, block, state && { source, state, ...unplaced });
      if (state?.state === 'review') {
        void this.edits.decided(source).then(() => isCurrent() && this.set(messageId, block, undefined));
      }
    } catch (error) {
      this.set(messageId, block, undefined);
      throw error;
    }
  }

  /** Why it was refused comes back, with all ways on, when nothing comes of it. */
  private async placeCode({ messageId, block }: Extract<Request, { type: 'placeCode' }>): Promise<void> {
    const refused = this.live.get(messageId)?.get(block);
    if (!refused?.unplaced || refused.state.state === 'applying') return;
    const { source, unplaced } = refused;
    const isCurrent = () => this.live.get(messageId)?.get(block)?.source === source;
    let isPlaced = false;
    this.set(messageId, block, { ...refused, state: { state: 'applying' } });
    try {
      isPlaced = await this.edits.placeCode({ ...unplaced, source });
    } finally {
      if (isCurrent()) this.set(messageId, block, isPlaced ? { source, state: { state: 'review' } } : refused);
    }
    if (isPlaced) void this.edits.decided(source).then(() => isCurrent() && this.set(messageId, block, undefined));
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

  private value(): Record<string, AnswerChanges> {
    const value: Record<string, AnswerChanges> = {};
    const byRun = new Map<string | undefined, KeptCheckpoint[]>();
    for (const one of this.kept) byRun.set(one.source.runId, [one, ...(byRun.get(one.source.runId) ?? [])]);
    for (const { id, role, runId } of this.open().messages) {
      if (role !== 'assistant' || !runId) continue;
      const kept = byRun.get(runId) ?? [];
      const live = this.live.get(id);
      if (kept.length === 0 && !live?.size) continue;
      const states = new Map<string, ApplyState>();
      const accepted: string[] = [];
      for (const { source, files } of kept) {
        const standing = files.filter((file) => !file.isTakenBack);
        if (source.block === undefined || standing.length === 0) continue;
        states.set(source.block, { state: 'applied' });
        if (source.block === ALL) accepted.push(...standing.map(({ path }) => path));
      }
      for (const [block, { state }] of live ?? []) states.set(block, state);
      const all = states.get(ALL);
      states.delete(ALL);
      value[id] = {
        blocks: Object.fromEntries(states),
        ...(all && { all }),
        ...(accepted.length > 0 && { accepted }),
        checkpoints: kept.map(toShown),
      };
    }
    return value;
  }
}

function toShown({ id, at, files }: KeptCheckpoint): ShownCheckpoint {
  return { id, at: new Date(at).toISOString(), files };
}

/** Undefined when the user thought better of it. */
function stateOf(applied: Applied): ApplyState | undefined {
  switch (applied.kind) {
    case 'review':
      return { state: 'review', why: leftOut(applied.skipped) };
    case 'proposal': {
      const { files, refused, skipped } = applied;
      const why = refused > 0 ? [`${refused} of ${files + refused} files can’t be changed: the list says why.`] : [];
      return { state: 'review', why: [...why, leftOut(skipped)].filter(Boolean).join(' ') || undefined };
    }
    case 'refused': {
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
