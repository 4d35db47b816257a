import { joined, withoutSent } from '../../../../shared/answers/draftText.ts';
import { MAX_TEXT } from '../../../../shared/constants.ts';
import { timeOrderedId } from '../../../../shared/ids.ts';
import type { Problem } from '../../../../shared/problems.ts';
import type { FromHost } from '../../protocol.ts';
import { saysSomething } from '../format.ts';
import type { Host, Saved } from './host.ts';
import { beginsWith, goOn, lastKnown } from './leftText.ts';
import type { ChatState, Sending } from './state.ts';

type Conversation = Extract<FromHost, { type: 'conversation' }>;
type Wanted = { id: string | null } | 'any';

/** A pause in typing after which the host is told. The page's own memory has each key at once. */
const DELAY_MS = 100;
/** A message that was on its way when the page was closed is sent after this only when the user says so: it is asked about. */
const STILL_MEANT_MS = 5 * 60_000;
export const STILL_ANSWERING =
  'Still answering. Your text is kept: send it when the answer is done, or stop the answer.';

const NOT_SENT_RELOADED = 'Not sent, because the chat was reloaded. Your text is kept.';
const NOT_SENT_ELSEWHERE = 'Not sent, because another chat was opened. Your text is kept.';

/**
 * What is typed for the next message, from the first key until the host says that it was sent. The composer belongs to the
 * user: no message of the host's replaces what stands in it. While a chat is awaited, what is typed waits for that chat,
 * and so does Enter. The draft that was left in that chat is set aside then, and comes back when the message was sent.
 */
export class Composing {
  /** The chat that is asked for and not told yet; 'any' before the first. Undefined when the shown one is the wanted one. */
  private awaited: Wanted | undefined = 'any';
  /** The chat to which the composer belongs. */
  private chatId: string | null | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** What the host was told last. */
  private told = '';
  /** What the page before this one has left; looked at once. */
  private left: Saved | undefined;
  /** What it left in its chat. It stands in the composer at once, as that chat's, until the host tells which chat is open. */
  private restored: string | undefined;
  /** That chat is the one that is open. */
  private isRestored = false;
  /** What stands in the composer came along from a chat that is not there any more. */
  private cameAlong = false;
  /** To be said once a chat is shown. */
  private toSay: string | undefined;
  /** Requests of chats that are not shown any more, with their chats and what they send from the composer. */
  private readonly elsewhere = new Map<string, { chatId: string | undefined; text: string | undefined }>();
  /** The request whose text did not stay in the composer while it was on its way: what stands there is another one. */
  private rewritten: string | undefined;
  /** What stands in the composer was typed here: no other page or host put it there. */
  private isTyped = false;
  /** The message that was refused last. It may turn out to have been taken, also after its refusal is out of sight. */
  private refused: Sending | undefined;
  /** Enter was pressed while another message was on its way: what stands in the composer goes after it. */
  private isNext = false;

  constructor(
    private readonly view: {
      host: Host;
      state(): ChatState;
      set(part: Partial<ChatState>): void;
      say(text: string): void;
      hint(text: string, whileAnswering?: true): void;
      /** An answer runs in the chat that is shown. */
      isAnswering(): boolean;
    },
  ) {
    this.left = view.host.saved();
    const composer = this.left?.composer;
    if (!composer?.chatId || composer.isAwaiting || composer.text === '') return;
    this.restored = composer.text;
    this.chatId = composer.chatId;
    this.told = composer.told;
  }

  /** What stood in the composer of the page before this one. */
  get textBefore(): string {
    const composer = this.left?.composer;
    return composer && (composer.isAwaiting || this.restored !== undefined) ? composer.text : '';
  }

  get isAwaiting(): boolean {
    return this.awaited !== undefined;
  }

  /** What stands in the composer belongs to a chat, shown or not. */
  private get hasChat(): boolean {
    return !this.awaited || this.restored !== undefined;
  }

  /** Whether this conversation is shown, or asked for. */
  isWanted(id: string, shown: string | null | undefined): boolean {
    return this.awaited && this.awaited !== 'any' ? this.awaited.id === id : shown === id;
  }

  /** Whether this tells anew of the chat to which the composer belongs. */
  isSame({ chatId, id, moved }: Conversation): boolean {
    // A chat without a name gets its name with its first message.
    return !this.awaited && (moved === true || this.chatId === null || this.chatId === (chatId ?? id));
  }

  changed(): void {
    this.isNext = false;
    this.isTyped = true;
    const { draft, sending, refusal } = this.view.state();
    const sent = sending ?? refusal ?? this.refused ?? this.left?.sending;
    if (sent && !draft.startsWith(sent.text) && !draft.endsWith(`\n\n${sent.text}`)) this.rewritten = sent.requestId;
    this.keep();
    clearTimeout(this.timer);
    if (this.hasChat) this.timer = setTimeout(() => this.flush(), DELAY_MS);
  }

  /** Tells now what is yet to be told. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const text = this.whole().slice(0, MAX_TEXT);
    if (!this.hasChat || text === this.told) return;
    this.told = text;
    this.view.host.post({ type: 'draft', text, ...this.chat() });
    this.keep();
  }

  /** Another chat was asked for (null: a new one). The composer is empty for it; what stood there stays with the old one. */
  leave(id: string | null): void {
    const { sending } = this.view.state();
    if (sending && !sending.isPassed) {
      this.view.set({ sending: null });
      this.view.hint(NOT_SENT_ELSEWHERE);
    }
    if (this.hasChat) {
      this.flush();
      this.forgetSending();
      this.view.set({ draft: '', aside: null });
      this.isTyped = false;
      this.restored = undefined;
    }
    this.awaited = { id };
    this.keep();
  }

  /** A chat is told: what stands in the composer now. To be followed by `arrived` once it is shown. */
  arrive(message: Conversation): Partial<ChatState> {
    const chatId = message.chatId ?? message.id;
    if (this.awaited) {
      if (!isIt(this.awaited, message)) return {};
      this.awaited = undefined;
      const { restored } = this;
      this.restored = undefined;
      this.isRestored = restored !== undefined && this.chatId === chatId;
      if (restored !== undefined && !this.isRestored) this.stayBehind();
      this.chatId = chatId;
      this.told = message.draft;
      const known = lastKnown(message, this.left);
      if (restored === undefined || !this.isRestored) return this.place(known);
      // What the host has sent meanwhile does not stand there any more.
      this.isRestored = known !== '';
      const { draft, aside } = goOn(this.view.state().draft, restored, known);
      if (draft === known) this.isTyped = false;
      return { draft, aside: aside === '' ? null : { text: aside, chips: [] } };
    }
    if (this.isSame(message)) {
      if (message.moved) this.told = message.draft;
      this.chatId = chatId;
      return {};
    }
    // The editor shows another one unasked: what stands here stays with its own.
    this.flush();
    this.forgetSending();
    this.chatId = chatId;
    this.told = message.draft;
    this.isTyped = false;
    return { draft: message.draft, aside: null };
  }

  /** The chat is shown: what waited for it is told and sent. */
  arrived(): void {
    if (this.awaited) return;
    const { sending } = this.view.state();
    const waits = sending && !sending.isPassed;
    const isResumed = this.resume();
    this.flush();
    this.keep();
    if (this.toSay) this.view.hint(this.toSay);
    this.toSay = undefined;
    if (!waits) return;
    if (isResumed) this.isNext = true;
    else if (this.view.isAnswering()) {
      this.view.set({ sending: null });
      this.view.hint(STILL_ANSWERING, true);
    } else this.pass(sending);
  }

  /** Sends what stands in the composer, or an earlier message that was edited. Waits for the chat that is awaited. */
  send(text: string, edited: Pick<Sending, 'replaces' | 'keep'> = {}): void {
    if (!saysSomething(text)) return;
    if (this.view.state().sending) {
      this.isNext = edited.replaces === undefined;
      return;
    }
    const sending: Sending = { requestId: timeOrderedId(), text, ...edited };
    this.refused = undefined;
    this.view.set({ sending, refusal: null, hint: null });
    if (this.awaited) this.view.host.save({ sending: { ...sending, at: Date.now() } });
    else this.pass(sending);
  }

  /** What is typed goes behind what was left here before. */
  putBack(): void {
    const { aside, draft } = this.view.state();
    if (!aside) return;
    this.view.set({ draft: joined(aside.text, draft), aside: null });
    this.changed();
    const { sending } = this.view.state();
    if (sending && beginsWith(aside.text, sending.text)) this.rewritten = undefined;
  }

  wasSent({ requestId, text }: Extract<FromHost, { type: 'sent' }>): void {
    const known = this.elsewhere.get(requestId);
    this.elsewhere.delete(requestId);
    const { state, host } = this.view;
    if (host.saved()?.sending?.requestId === requestId) host.save({ sending: undefined });
    // A refused one, too, when its answer was lost and it turns out to have been taken.
    const sending = [state().sending, state().refusal, this.refused].find((one) => one?.requestId === requestId);
    const sent = sending?.text ?? (known && known.chatId === this.chat().chatId ? known.text : undefined) ?? text;
    if (sent === undefined) return;
    if (sending) {
      this.refused = undefined;
      this.view.set({ sending: null, refusal: null, hint: null });
    }
    if (sending?.replaces) return;
    // What was typed while it was on its way stays, the same words among it; what was left here before comes back.
    const { draft, aside } = state();
    const isIn = sending ? requestId !== this.rewritten : draft === sent && !this.isTyped;
    const rest = isIn ? withoutSent(draft, sent, sending !== undefined) : draft;
    const left = aside && !beginsWith(sent, aside.text) ? aside.text : '';
    if (aside && rest.trim() === '') {
      this.isTyped = false;
      this.view.set({ draft: left, aside: null });
    } else
      this.view.set({
        draft: rest,
        aside: aside && (left || aside.chips.length > 0) ? { ...aside, text: left } : null,
      });
    this.told = UNKNOWN;
    this.flush();
    const { isNext } = this;
    this.isNext = false;
    if (!isNext || !saysSomething(rest)) return;
    if (this.view.isAnswering()) this.view.hint(STILL_ANSWERING, true);
    else this.send(rest);
  }

  wasNotSent(requestId: string, problem: Problem): void {
    const { state, host } = this.view;
    if (host.saved()?.sending?.requestId === requestId) host.save({ sending: undefined });
    if (this.wasNotSentElsewhere(requestId, problem.detail || problem.title)) return;
    const { sending } = state();
    if (sending?.requestId !== requestId) return;
    this.refused = sending;
    this.view.set({ sending: null, refusal: { ...sending, problem } });
    this.view.say(`Not sent. ${problem.detail || problem.title}`);
    this.takeBack(sending);
  }

  /** The host was asked about a message of the page before: it was not sent. */
  wasNeverSent(requestId: string): void {
    const { state, host } = this.view;
    if (host.saved()?.sending?.requestId === requestId) host.save({ sending: undefined });
    if (this.wasNotSentElsewhere(requestId, 'The chat was reloaded.')) return;
    const { sending } = state();
    if (sending?.requestId !== requestId) return;
    this.view.set({ sending: null });
    const { isNext } = this;
    this.isNext = false;
    if (isNext && saysSomething(state().draft) && !this.view.isAnswering()) {
      const { draft, aside } = state();
      const isIn = sending.replaces || this.stands(sending);
      if (!isIn) this.view.set({ aside: { chips: [], ...aside, text: joined(aside?.text ?? '', sending.text) } });
      this.send(draft);
      return;
    }
    this.takeBack(sending);
    this.view.hint(isNext ? STILL_ANSWERING : NOT_SENT_RELOADED, isNext || undefined);
  }

  /** Says it of a message to a chat that is not shown; false if it is none. */
  private wasNotSentElsewhere(requestId: string, why: string): boolean {
    const known = this.elsewhere.get(requestId);
    if (!known) return false;
    const { chatId, text: sent } = known;
    this.elsewhere.delete(requestId);
    const text = `Your message to the chat before was not sent. ${why} Its text is kept there.`;
    this.view.set({ notice: { level: 'error', text, chatId } });
    this.view.say(text);
    // The user went back there meanwhile.
    if (sent !== undefined && !this.awaited && chatId === this.chat().chatId) this.takeBack({ requestId, text: sent });
    return true;
  }

  /** What was not sent stands in the composer, or does so again. */
  private takeBack(sending: Sending): void {
    if (sending.replaces || this.stands(sending)) return;
    this.view.set({ draft: joined(sending.text, this.view.state().draft) });
    this.changed();
    this.rewritten = undefined;
  }

  /** Whether the text of a message still stands here: apart from the rest, where another one was typed in its place. */
  private stands({ requestId, text }: Sending): boolean {
    const whole = this.whole();
    return this.rewritten === requestId ? withoutSent(whole, text) !== whole : whole.includes(text);
  }

  private pass(sending: Sending): void {
    const { aside } = this.view.state();
    // What was attached to a draft that is set aside does not go along unasked.
    const without = aside?.chips.length && !sending.replaces ? { without: aside.chips } : {};
    const shown = sending.replaces ? undefined : this.view.state().surroundings?.chips.find((chip) => chip.implicit);
    const whole = { ...sending, ...without, ...(shown ? { implicit: shown.id } : {}) };
    this.view.set({ sending: { ...whole, isPassed: true } });
    this.flush();
    this.view.host.save({ sending: { ...whole, ...this.chat(), at: Date.now() } });
    this.view.host.post({ type: 'send', ...whole, ...this.chat() });
  }

  /**
   * Asks again for a message that was on its way when the page before this one was closed; false if there is none in this
   * chat. What is kept may be of a while before, so it may have been sent: host and server carry out each request once. One
   * that is old, or of another chat, is not sent by itself: the host is asked what became of it, before anything is said.
   */
  private resume(): boolean {
    const left = this.left?.sending;
    this.left = undefined;
    if (!left) return false;
    const { at, chatId, ...sending } = left;
    const { requestId, text, replaces } = sending;
    if (chatId === undefined) {
      // Its chat was not there yet, so the host was not asked to send it.
      this.view.host.save({ sending: undefined });
      if (this.whole().includes(text)) this.view.hint(NOT_SENT_RELOADED);
      return false;
    }
    const isHere = chatId === this.chat().chatId;
    if (isHere || this.cameAlong) {
      this.view.set({ sending: { ...sending, isPassed: true } });
      const isOther = this.isTyped && !this.isRestored;
      if (isOther || !this.view.state().draft.includes(text)) this.rewritten = requestId;
    } else this.elsewhere.set(requestId, { chatId, text: replaces ? undefined : text });
    const isNow = Date.now() - at < STILL_MEANT_MS;
    if (isHere && isNow) this.view.host.post({ type: 'send', ...sending, chatId });
    else this.view.host.post({ type: 'findSent', requestId, chatId, text, ...(replaces && { replaces }) });
    return isHere || this.cameAlong;
  }

  /** A chat that was waited for is there, with what was left in it. */
  private place(left: string): Partial<ChatState> {
    const { draft } = this.view.state();
    if (draft === '') {
      this.isTyped = false;
      return { draft: left, aside: null };
    }
    const chips = this.attached();
    const text = beginsWith(draft, left) ? '' : left;
    return { aside: text.trim() === '' && chips.length === 0 ? null : { text, chips } };
  }

  private attached(): string[] {
    const chips = this.view.state().surroundings?.chips ?? [];
    return chips.filter((chip) => !chip.implicit).map(({ id }) => id);
  }

  /** Another chat is open than the one that the text in the composer was restored for. */
  private stayBehind(): void {
    const { draft, sending } = this.view.state();
    if (sending) {
      this.view.set({ sending: null });
      this.toSay = NOT_SENT_ELSEWHERE;
    }
    // In a chat that was never begun nobody would find it again: it comes along.
    const onItsWay = this.left?.sending?.chatId === this.chatId ? this.left?.sending : undefined;
    this.cameAlong = draft !== '' && this.left?.conversationId !== this.chatId;
    if (draft === '' || this.cameAlong) return;
    if (this.isTyped || this.left?.isLatest) {
      // The host puts it back when it was not sent.
      if (onItsWay && !onItsWay.replaces) this.view.set({ draft: withoutSent(draft, onItsWay.text, true) });
      this.told = UNKNOWN;
      this.flush();
      if (this.whole().trim() !== '') this.toSay ??= 'What you typed is kept in the chat that it was typed in.';
    }
    this.view.set({ draft: '' });
  }

  /** Requests on their way stay with the chat that they were made in. */
  private forgetSending(): void {
    this.isNext = false;
    this.refused = undefined;
    const { sending } = this.view.state();
    if (!sending) return;
    const text = sending.replaces ? undefined : sending.text;
    this.elsewhere.set(sending.requestId, { chatId: this.chat().chatId, text });
    this.view.set({ sending: null });
  }

  /** All that is typed here, for the host and for the next page. */
  private whole(): string {
    const { aside, draft } = this.view.state();
    return joined(aside?.text ?? '', draft);
  }

  private chat(): { chatId?: string } {
    return this.chatId ? { chatId: this.chatId } : {};
  }

  private keep(): void {
    const { told } = this;
    this.view.host.save({ composer: { text: this.whole(), told, ...this.chat(), isAwaiting: !this.hasChat } });
  }
}

/** No text can be told twice in a row after this. */
const UNKNOWN = '\0';

function isIt(awaited: Wanted, { id, chatId }: Conversation): boolean {
  if (awaited === 'any') return true;
  return awaited.id === null ? id === null : (chatId ?? id ?? awaited.id) === awaited.id;
}
