import { joined, withoutSent } from '../../../shared/answers/draftText.ts';
import type { Message } from '../../../shared/conversations.ts';
import { timeOrderedId } from '../../../shared/ids.ts';
import type { AttachmentInput, Instruction, Run, RunRequest } from '../../../shared/runs.ts';
import type { Session } from '../../account/session/session.ts';
import type { Backend } from '../../backend.ts';
import { BackendError } from '../../platform/server/backendError.ts';
import type { StoredChip } from '../context/attachments.ts';
import { chipInputs } from '../context/chipInputs.ts';
import type { Draft, Drafts } from '../context/drafts.ts';
import type { FoundContext } from '../context/foundContext.ts';
import { refuseUnseen } from '../context/pictures.ts';
import type { ModelChoice } from '../modelChoice.ts';
import type { OpenRecord } from './openRecord.ts';

/** The user's question: a new message, an edited one (`replaces`), a retry, or a continuation (`continues`). */
export interface Question {
  /** A UUID that names the run. A repeat of the same question has the same id. */
  id?: string;
  /** As it was typed. */
  text: string;
  /** What is sent in place of the text: the question that a command stands for. */
  says?: string;
  chips: StoredChip[];
  instructions?: Instruction[];
  replaces?: string;
  /** Attachments of the replaced message that stay, by id. */
  keep?: string[];
  /** Those of `keep` that are instructions: they take no attachment's place. */
  guidance?: string[];
  continues?: string;
  /** Asks for a summary of the conversation, and not with its text. */
  compacts?: true;
  /** It waited for the end of an answer. Its `id` stays the same however often it is tried. */
  hasWaited?: true;
}

/**
 * Starts runs so that one question gives one run: the id is stored before the request is sent, and a repeat after a
 * lost answer uses the same id.
 */
export class Sender {
  constructor(
    private readonly deps: {
      session: Session;
      backend: Backend;
      drafts: Drafts;
      record: OpenRecord;
      models: ModelChoice;
      found: Pick<FoundContext, 'pieces'>;
    },
  ) {}

  /**
   * Starts a run and resolves to it. Rejects with an `AttachmentRefused` or a `BackendError`; then no run is known to
   * have started. `look` fetches the conversation, to find a run that was started after all.
   */
  async start(conversationId: string, question: Question, look: () => Promise<{ messages: Message[] }>): Promise<Run> {
    const { session, backend, drafts, record, models } = this.deps;
    const { text, replaces, continues, compacts, says = text, keep = [], guidance = [], instructions = [] } = question;
    const kept = keep.filter((id) => !guidance.includes(id)).length;
    refuseUnseen(question.chips, models.model);
    const attachments: AttachmentInput[] = [
      ...keep.map((id) => ({ id })),
      ...(await chipInputs(compacts ? [] : question.chips, { text: says, kept }, this.deps.found)),
    ];
    const chips = question.chips.map(({ id }) => id);
    const { pending } = drafts.get(conversationId);
    // Its text is not in the draft, so the draft does not remember its run.
    const isDraft = !question.hasWaited;
    const isRetry = pending !== undefined && isSame(pending, question) && isDraft && !continues;
    let runId = isRetry ? pending.runId : (question.id ?? timeOrderedId());
    const wasAsked = record.isOwnRun(runId);
    for (let attempt = 0; ; attempt++) {
      if (isDraft && !continues) await drafts.update(conversationId, { pending: { runId, text, replaces, chips } });
      await record.addRun(runId);
      const request: RunRequest = {
        id: runId,
        conversationId,
        kind: 'chat',
        model: models.id ?? undefined,
        effort: models.effort,
        replaces,
        continues,
        compacts,
        input: {
          text: says,
          attachments: attachments.length > 0 ? attachments : undefined,
          instructions: instructions.length > 0 ? instructions : undefined,
        },
      };
      try {
        const { run } = await session.call((who) => backend.startRun(who, request));
        if (question.id !== undefined && question.id !== runId) await record.addTaken(question.id);
        if (isDraft) await drafts.update(conversationId, { pending: undefined });
        return run;
      } catch (error) {
        const refusal = error instanceof BackendError && error.kind === 'refused' ? error.problem : undefined;
        if (refusal?.code === 'run_id_reused' && attempt === 0) {
          // The first request did start the run, and the attachments or the model have changed since. Use that run.
          const found = findRun(runId, await look());
          if (found) {
            if (question.id !== undefined && question.id !== runId) await record.addTaken(question.id);
            if (isDraft) await drafts.update(conversationId, { pending: undefined });
            return asRun(found, conversationId);
          }
          // The question's own id was already sent once. Never send the question twice.
          if (runId === question.id && wasAsked) throw error;
          runId = timeOrderedId();
          continue;
        }
        // A refusal is certain: the next try is a new run. Any other failure may have started one.
        if (isDraft && refusal && refusal.status < 500) await drafts.update(conversationId, { pending: undefined });
        throw error;
      }
    }
  }

  /**
   * Whether the server took a question, perhaps from an earlier window. If it did not, the text goes back into the
   * draft of its chat. Rejects with a `BackendError` if the server can't tell. The next try of the same question then
   * uses the same run id, and `settlePending` finds the run.
   */
  async wasTaken(requestId: string, chatId: string, { text, replaces }: Pick<Question, 'text' | 'replaces'>) {
    const { session, backend, drafts, record } = this.deps;
    if (record.isTaken(requestId)) return true;
    const { pending } = drafts.get(chatId);
    // A retry with the same run id may be under way.
    const runId = pending && isSame(pending, { text, replaces }) ? pending.runId : requestId;
    const keep = (change: Partial<Draft>) => {
      const { text: draft } = drafts.get(chatId);
      const stands = replaces !== undefined || withoutSent(draft, text) !== draft;
      return drafts.update(chatId, { ...(stands ? {} : { text: joined(text, draft) }), ...change });
    };
    try {
      await session.call((who) => backend.run(who, runId));
    } catch (error) {
      const { kind, problem } = BackendError.from(error);
      if (kind === 'refused' && problem.code === 'not_found') {
        await keep(pending?.runId === runId ? { pending: undefined } : {});
        return false;
      }
      await keep({ pending: { runId, text, replaces, chips: pending?.runId === runId ? pending.chips : undefined } });
      throw error;
    }
    if (pending?.runId === runId) await this.settle(chatId, pending);
    return true;
  }

  /**
   * After a lost answer: checks whether the run was started after all. If so, it deletes the draft that was sent,
   * unless the draft has changed since. Resolves to the deleted draft.
   */
  async settlePending(conversationId: string, messages: Message[]): Promise<Pending | undefined> {
    const { pending } = this.deps.drafts.get(conversationId);
    if (!pending || !messages.some((message) => message.runId === pending.runId)) return undefined;
    return this.settle(conversationId, pending);
  }

  private async settle(conversationId: string, pending: Pending): Promise<Pending | undefined> {
    const { drafts } = this.deps;
    const draft = drafts.get(conversationId);
    const isTyped = !pending.replaces && draft.text === pending.text;
    // What was attached meanwhile stays.
    const chips = draft.chips.filter(({ id }) => !pending.chips?.includes(id));
    await drafts.update(conversationId, { pending: undefined, ...(isTyped ? { text: '', chips } : {}) });
    await this.deps.record.started(conversationId);
    return isTyped ? pending : undefined;
  }
}

type Pending = NonNullable<Draft['pending']>;

const isSame = (pending: Pending, { text, replaces }: Pick<Question, 'text' | 'replaces'>) =>
  pending.text === text && pending.replaces === replaces;

function findRun(runId: string, { messages }: { messages: Message[] }): Message | undefined {
  return messages.find((message) => message.runId === runId && message.role === 'assistant');
}

function asRun(answer: Message, conversationId: string): Run {
  return {
    id: answer.runId!,
    conversationId,
    userMessageId: null,
    messageId: answer.id,
    kind: answer.kind,
    model: answer.model ?? '',
    state: answer.state ?? 'running',
    device: answer.device ?? '',
    maxOutputTokens: 0,
    createdAt: answer.createdAt,
  };
}
