import * as z from 'zod';
import { withoutSent } from '../../shared/answers/draftText.ts';
import { timeOrderedId } from '../../shared/ids.ts';
import type { Log } from '../platform/log.ts';
import { BackendError } from '../platform/server/backendError.ts';
import { CommandRefused, type SlashCommands } from './commands/slashCommands.ts';
import type { Attaching } from './context/attaching.ts';
import { AttachmentRefused, refuseUnread, type StoredChip } from './context/attachments.ts';
import type { Drafts } from './context/drafts.ts';
import type { ChatGuidance } from './context/guidance.ts';
import type { ImplicitContext } from './context/implicitContext.ts';
import type { Chats } from './conversation/chats.ts';
import type { OpenConversation } from './conversation/openConversation.ts';
import type { OpenRecord } from './conversation/openRecord.ts';
import type { Queue, Queued } from './conversation/queue.ts';
import type { Question, Sender } from './conversation/sender.ts';
import { refusalOf } from './failures.ts';
import type { FromHost, ToHost } from './protocol.ts';

interface SendingDeps {
  chats: Chats;
  drafts: Drafts;
  record: OpenRecord;
  attaching: Attaching;
  slash: SlashCommands;
  implicit: ImplicitContext;
  guidance: ChatGuidance;
  queue: Queue;
  sender: Sender;
  tell: {
    post(message: FromHost): void;
    whenReady(message: FromHost): void;
    surroundings(): void;
    failure(error: unknown): void;
    newChat(): void;
  };
  log: Log;
}

/** A summary is a few hundred tokens, and the model reads all of the chat to write it. */
const LEAST_COMPACTED_TOKENS = 1_000;

/** The way of a message from the composer: a command, a place in the queue, or a run. No text is lost on it. */
export class Sending {
  /** The last request whose answer was lost: the server may still have started its run. */
  private unsure: { requestId: string; conversationId: string } | undefined;

  constructor(private readonly deps: SendingDeps) {}

  /** By which request the view sent a run of this chat that turned out to be started. */
  settled(conversationId: string, runId: string): string {
    const { unsure } = this;
    this.unsure = undefined;
    return unsure?.conversationId === conversationId ? unsure.requestId : runId;
  }

  /** Sends what was typed, or carries out its command. Never rejects: a refusal is an answer, too. */
  async send(message: Extract<ToHost, { type: 'send' }>): Promise<Extract<FromHost, { type: 'sent' | 'notSent' }>> {
    const { requestId, text, replaces, keep, without = [], implicit } = message;
    const id = z.uuid().safeParse(requestId).data;
    const conversation = this.deps.chats.of(message.chatId);
    this.unsure = undefined;
    try {
      if (this.deps.record.isTaken(requestId)) return { type: 'sent', requestId };
      await this.deps.attaching.settled();
      // The composer's attachments belong to its own text, not to an earlier message that is being edited.
      const chips = this.deps.drafts
        .get(replaces ?? conversation.id)
        .chips.filter((chip) => !without.includes(chip.id));
      // An earlier message shows the words that its command stood for.
      const { without: out } = this.deps.drafts.get(conversation.id);
      const meant = replaces ? undefined : await this.deps.slash.meantBy(text, chips, out);
      if (meant?.kind === 'done') return await this.sentNothing(requestId, conversation, text);
      const asked = meant?.kind === 'question' ? meant : undefined;
      if (asked?.compacts) refuseSmall(conversation.contextTokens);
      // A command that attaches something is about that, and a bare "/new" about nothing.
      const isAbout = !replaces && !asked?.chips.length && (meant?.kind !== 'newChat' || meant.rest !== '');
      const shown = implicit && isAbout ? await this.deps.implicit.take(implicit) : undefined;
      chips.push(...(asked?.chips ?? []), ...(shown ? [shown] : []));
      if (meant?.kind === 'newChat') {
        this.deps.tell.newChat();
        if (meant.rest) await this.ask(meant.rest, chips).catch((error) => this.deps.tell.failure(error));
        // Not before: until the new chat has it, the only place of the text is this draft.
        return await this.sentNothing(requestId, conversation, text, meant.rest ? chips : []);
      }
      if (!replaces && !asked?.compacts && (message.waits || this.deps.queue.isSending(conversation.id))) {
        await this.wait(conversation, { id: id ?? timeOrderedId(), text, says: asked?.text, chips });
        await this.deps.record.addTaken(requestId);
        return { type: 'sent', requestId };
      }
      await this.start({ ...asked, id, text, says: asked?.text, chips, replaces, keep }, { conversation });
      if (replaces) await this.deps.drafts.update(replaces, { chips: [] });
      return { type: 'sent', requestId };
    } catch (error) {
      this.unsure = { requestId, conversationId: conversation.id };
      const problem = refusalOf(error);
      this.deps.log.warn(`Not sent: ${problem.title}`);
      const chipId = error instanceof AttachmentRefused ? error.chipId : undefined;
      return { type: 'notSent', requestId, problem, chipId };
    } finally {
      this.deps.chats.leave(conversation);
    }
  }

  /** A command has run in place of a message: its text leaves the draft, with what it took along. */
  private async sentNothing(
    requestId: string,
    { id }: OpenConversation,
    text: string,
    taken: StoredChip[] = [],
  ): Promise<Extract<FromHost, { type: 'sent' }>> {
    const draft = this.deps.drafts.get(id);
    const chips = draft.chips.filter((chip) => !taken.some((one) => one.id === chip.id));
    await this.deps.drafts.update(id, { text: withoutSent(draft.text, text), chips });
    this.deps.tell.surroundings();
    return { type: 'sent', requestId };
  }

  /** Puts a message behind the running answer. Its text and attachments leave the composer. */
  private async wait(conversation: OpenConversation, message: Queued): Promise<void> {
    // As sending does: nobody would look after it later.
    message.chips.forEach(refuseUnread);
    this.deps.chats.follow(conversation);
    await this.deps.queue.add(conversation, message);
    await this.clearDraft(conversation.id, message);
    // After the message is stored: of an answer that ended before, nobody knows whether it was the awaited one.
    if (!conversation.isLoaded) await conversation.refresh().catch(() => {});
    if (conversation === this.deps.chats.shown) this.deps.tell.surroundings();
    this.deps.chats.leaveBehind();
  }

  /** Sends a message whose turn has come. */
  async sendWaiting(chatId: string, { id, text, says, chips }: Queued): Promise<void> {
    for (const chip of chips)
      if (chip.implicit) await this.deps.implicit.judgeAgain(chip, this.deps.drafts.get(chatId));
    const conversation = this.deps.chats.of(chatId);
    await this.start({ id, text, says, chips, hasWaited: true }, { clears: false, conversation });
  }

  /** Sends a waiting message now, or takes it out of the queue. */
  async decideWaiting(message: Extract<ToHost, { type: 'waiting' }>): Promise<void> {
    const { id, chatId, deed, text = '' } = message;
    if (deed === 'sendNow') {
      const conversation = this.deps.chats.of(chatId);
      this.deps.chats.follow(conversation);
      return this.deps.queue.sendNow(conversation, id);
    }
    const taken = this.deps.queue.take(chatId, id);
    if (deed === 'remove') {
      if (taken) return;
      return this.deps.tell.post({ type: 'notice', level: 'info', text: 'That message is on its way already.' });
    }
    const draft = this.deps.drafts.get(chatId);
    if (!taken) {
      await this.deps.drafts.update(chatId, { text: withoutSent(draft.text, text, true) });
      return this.deps.tell.post({ type: 'tooLate', chatId, text });
    }
    const back = taken.chips.filter((chip) => !chip.implicit && !draft.chips.some((one) => one.id === chip.id));
    // If the server has it after all, the same text gets the same run.
    const sent = taken.chips.map((chip) => chip.id);
    const pending = taken.isTried ? { pending: { runId: id, text: taken.text, chips: sent } } : {};
    await this.deps.drafts.update(chatId, { chips: [...draft.chips, ...back], ...pending });
    this.deps.tell.surroundings();
  }

  /** The outcome of a message from an earlier window. */
  async findSent(
    message: Extract<ToHost, { type: 'findSent' }>,
  ): Promise<Extract<FromHost, { type: 'sent' | 'notSent' | 'neverSent' }>> {
    const { requestId, chatId } = message;
    try {
      const wasTaken = await this.deps.sender.wasTaken(requestId, chatId, message);
      return { type: wasTaken ? 'sent' : 'neverSent', requestId };
    } catch (error) {
      this.unsure = { requestId, conversationId: chatId };
      return { type: 'notSent', requestId, problem: refusalOf(error) };
    }
  }

  /** Sends a question that was not typed into the composer, and puts it there if it can't be sent. */
  async ask(text: string, chips: StoredChip[]): Promise<void> {
    const { id } = this.deps.chats.shown;
    try {
      await this.start({ text, chips }, { clears: false });
    } catch (error) {
      const draft = this.deps.drafts.get(id);
      await this.deps.drafts.update(id, { chips: [...chips, ...draft.chips] });
      this.deps.tell.surroundings();
      this.deps.tell.whenReady({ type: 'compose', text, send: false });
      throw error;
    }
  }

  /** Starts a run. With `clears`, the draft is deleted, because it is now in the conversation. */
  async start(
    question: Question,
    { clears = true, conversation = this.deps.chats.shown }: { clears?: boolean; conversation?: OpenConversation } = {},
  ): Promise<void> {
    // An earlier message keeps those that it shows.
    const isNew = !question.continues && !question.replaces && !question.compacts;
    const instructions = isNew
      ? await this.deps.guidance.take(question.chips, this.deps.drafts.get(conversation.id))
      : [];
    const replaced = conversation.messages.find(({ id }) => id === question.replaces)?.attachments ?? [];
    const guidance = replaced.filter(({ kind }) => kind === 'instructions').map(({ id }) => id);
    const run = await this.deps.sender.start(conversation.id, { ...question, guidance, instructions }, () =>
      conversation.refresh().then(() => conversation),
    );
    if (clears && !question.replaces && !question.continues) await this.clearDraft(conversation.id, question);
    await this.deps.record.started(conversation.id);
    if (this.deps.chats.isFollowed(conversation)) {
      conversation.started(run, { ...question, text: question.says ?? question.text });
      this.deps.tell.surroundings();
      void conversation.refresh().catch((error) => this.deps.log.warn(BackendError.from(error).message));
    }
  }

  private clearDraft(id: string, { text, chips, compacts }: Question): Promise<void> {
    const draft = this.deps.drafts.get(id);
    const left = draft.chips.filter((chip) => compacts || !chips.some((sent) => sent.id === chip.id));
    return this.deps.drafts.update(id, { text: withoutSent(draft.text, text), chips: left });
  }
}

/** Refuses a summary that would cost more than it saves. `tokens`: of the chat so far; 0 if unknown. */
function refuseSmall(tokens: number): void {
  if (tokens === 0 || tokens >= LEAST_COMPACTED_TOKENS) return;
  throw new CommandRefused(
    `This chat has only ${tokens} tokens so far: a summary would cost more than it saves. /new begins an empty chat.`,
  );
}
