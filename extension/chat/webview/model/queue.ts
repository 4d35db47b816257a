import { withoutSent } from '../../../../shared/answers/draftText.ts';
import type { FromHost, Waiting } from '../../protocol.ts';
import { STILL_MEANT_MS } from './composing.ts';
import type { Host, Saved } from './host.ts';
import type { ChatState } from './state.ts';

type Told = Extract<FromHost, { type: 'queue' }>;

/** The messages that wait in the shown chat. */
export const queueOf = ({ queue, conversation }: ChatState): Waiting[] =>
  queue.chatId === conversation?.chatId ? queue.messages : none;
const none: Waiting[] = [];

/** What the user does with messages that wait. The host has them, and decides. */
export class QueueDeeds {
  /** What waited on the previous page. Read once. */
  private left: Saved['queue'];

  constructor(
    private readonly view: {
      host: Host;
      state(): ChatState;
      set(part: Partial<ChatState>): void;
      say(text: string): void;
      hint(text: string): void;
      /** Another chat was requested: the composer belongs to it already. */
      isLeaving(): boolean;
      /** Returns false if the composer can't take so much. */
      compose(text: string): boolean;
      setDraft(text: string): void;
      /** The host gets the composer's text before any later message. */
      flush(): void;
      waitAgain(id: string, text: string): void;
    },
  ) {
    this.left = view.host.saved()?.queue;
  }

  told({ chatId, messages }: Told): void {
    const { conversation, queue } = this.view.state();
    const before = queue.chatId === chatId ? queue.messages : undefined;
    this.put({ chatId, messages });
    const { left } = this;
    this.left = undefined;
    if (left?.chatId === chatId && Date.now() - left.at < STILL_MEANT_MS)
      for (const { id, text } of left.messages)
        if (!messages.some((one) => one.id === id)) this.view.waitAgain(id, text);
    if (!before || chatId !== conversation?.chatId) return;
    const held = messages.find(({ id, held }) => held && before.some((one) => one.id === id && one.held !== held));
    if (held) this.view.say(`Your message waits. ${held.held}`);
    else if (messages.length > before.length) this.view.say('Your message is sent when the answer is done');
  }

  sendNow({ id }: Waiting): void {
    this.post(id, { deed: 'sendNow' });
  }

  remove({ id }: Waiting): void {
    this.forget(id);
    this.post(id, { deed: 'remove' });
  }

  /** Its text goes into the composer before the host lets go of it, so that it is never lost. */
  edit({ id, text }: Waiting): void {
    if (this.view.isLeaving() || !this.view.compose(text)) return;
    this.view.flush();
    this.post(id, { deed: 'edit', text });
    this.forget(id);
  }

  /** The Up key in an empty composer. Returns false if nothing waits. */
  editLast(): boolean {
    const last = queueOf(this.view.state()).findLast(({ isSending }) => !isSending);
    if (last) this.edit(last);
    return last !== undefined;
  }

  /** The message was sent before the host knew that the user wanted to edit it. */
  tooLate({ chatId, text }: Extract<FromHost, { type: 'tooLate' }>): void {
    const { conversation, draft } = this.view.state();
    if (this.view.isLeaving() || chatId !== conversation?.chatId) return;
    this.view.setDraft(withoutSent(draft, text, true));
    this.view.hint('That message had just been sent.');
  }

  private forget(id: string): void {
    const { queue } = this.view.state();
    this.put({ ...queue, messages: queue.messages.filter((one) => one.id !== id) });
  }

  private put(queue: ChatState['queue']): void {
    this.view.set({ queue });
    const messages = queue.messages.map(({ id, text }) => ({ id, text }));
    const isEmpty = messages.length === 0;
    if (isEmpty && !this.view.host.saved()?.queue) return;
    this.view.host.save({ queue: isEmpty ? undefined : { chatId: queue.chatId, messages, at: Date.now() } });
  }

  private post(id: string, how: { deed: 'sendNow' | 'edit' | 'remove'; text?: string }): void {
    const { chatId } = this.view.state().queue;
    if (!this.view.isLeaving()) this.view.host.post({ type: 'waiting', id, chatId, ...how });
  }
}
