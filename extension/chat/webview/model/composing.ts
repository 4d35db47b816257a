import { joined, withoutSent } from '../../../../shared/answers/draftText.ts';
import { MAX_TEXT } from '../../../../shared/constants.ts';
import { timeOrderedId } from '../../../../shared/ids.ts';
import type { FromHost } from '../../protocol.ts';
import { saysSomething, withTimes } from '../format.ts';
import type { Host, Saved } from './host.ts';
import { beginsWith, goOn, lastKnown, markOf } from './leftText.ts';
import type { ChatState, Sending } from './state.ts';

type Conversation = Extract<FromHost, { type: 'conversation' }>;
type Wanted = { id: string | null } | 'any';

/** After this pause in typing the host gets the text. The page's own storage gets it at each key. */
const DELAY_MS = 100;
/**
 * A message that was pending for longer when the page closed is sent only if the user says so: the host is asked about
 * it.
 */
export const STILL_MEANT_MS = 5 * 60_000;
export const STILL_ANSWERING =
  'Still answering. Your text is kept: send it when the answer is done, or stop the answer.';

const NOT_SENT_RELOADED = 'Not sent, because the chat was reloaded. Your text is kept.';
const NOT_SENT_ELSEWHERE = 'Not sent, because another chat was opened. Your text is kept.';

/**
 * The text typed for the next message, until the host confirms that it was sent. The composer belongs to the user: no
 * message from the host replaces its text. While the view waits for a chat, typed text and Enter wait for that chat,
 * too. The draft stored in that chat is then set aside, and comes back when the message was sent.
 */
export class Composing {
  /**
   * The chat that was requested but has not arrived; 'any' before the first. Undefined: the shown chat is the wanted
   * one.
   */
  private awaited: Wanted | undefined = 'any';
  /** The chat to which the composer belongs. */
  private chatId: string | null | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The text that the host has. */
  private told = '';
  /** Marks of the texts that it was told in this chat, newest last. */
  private before: number[] = [];
  /** The state that the previous page stored. Read once. */
  private left: Saved | undefined;
  /**
   * The draft that the previous page stored. It is in the composer at once, until the host tells which chat is open.
   */
  private restored: string | undefined;
  /** The chat of the restored draft is the open one. */
  private isRestored = false;
  /** The composer's text came along from a chat that no longer exists. */
  private cameAlong = false;
  /** A hint to show once a chat is shown. */
  private toSay: string | undefined;
  /** Pending requests of chats that are no longer shown, with their chat and the composer text that they send. */
  private readonly elsewhere = new Map<string, { chatId?: string; text: string | undefined }>();
  /** The pending request whose text was replaced in the composer by another one. */
  private rewritten: string | undefined;
  /** The composer's text was typed here, not put there by another page or the host. */
  private isTyped = false;
  /** The last refused message. The server may have taken it after all, even after the refusal is no longer shown. */
  private refused: Sending | undefined;
  /** Enter was pressed while another message was pending: the composer's text is sent after that one. */
  private isNext = false;

  constructor(
    private readonly view: {
      host: Host;
      state(): ChatState;
      set(part: Partial<ChatState>): void;
      say(text: string): void;
      hint(text: string, whileAnswering?: true): void;
      /** An answer runs in the shown chat. */
      isAnswering(): boolean;
    },
  ) {
    this.left = view.host.saved();
    const composer = this.left?.composer;
    if (!composer?.chatId || composer.isAwaiting || composer.text === '') return;
    this.restored = composer.text;
    this.chatId = composer.chatId;
    this.told = composer.told;
    this.before = composer.before ?? [];
  }

  /** The composer's text on the previous page. */
  get textBefore(): string {
    const composer = this.left?.composer;
    return composer && (composer.isAwaiting || this.restored !== undefined) ? composer.text : '';
  }

  get isAwaiting(): boolean {
    return this.awaited !== undefined;
  }

  /** Whether the composer's text belongs to a chat, shown or not. */
  private get hasChat(): boolean {
    return !this.awaited || this.restored !== undefined;
  }

  /** Whether this conversation is shown or requested. */
  isWanted(id: string, shown: string | null | undefined): boolean {
    return this.awaited && this.awaited !== 'any' ? this.awaited.id === id : shown === id;
  }

  /** Whether a message is about the chat that the composer belongs to already. */
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
    // The user has given up the refused message, so its banner is about nothing in the composer.
    if (refusal && !refusal.replaces && this.isGivenUp(refusal.text)) this.view.set({ refusal: null });
    this.keep();
    clearTimeout(this.timer);
    if (this.hasChat) this.timer = setTimeout(() => this.flush(), DELAY_MS);
  }

  /** Sends the typed text to the host now. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const text = this.whole().slice(0, MAX_TEXT);
    if (!this.hasChat || text === this.told) return;
    this.told = text;
    if (text !== '') this.before = [...this.before, markOf(text)].slice(-MOST_MARKS);
    this.view.host.post({ type: 'draft', text, ...this.chat() });
    this.keep();
  }

  /** Another chat was requested (null: a new one). Its composer starts empty; the old text stays with the old chat. */
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

  /** A chat has arrived: returns the new state of the composer. Call `arrived` once the chat is shown. */
  arrive(message: Conversation): Partial<ChatState> {
    const chatId = message.chatId ?? message.id;
    if (this.awaited) {
      if (!isIt(this.awaited, message)) return {};
      this.awaited = undefined;
      const { restored } = this;
      this.restored = undefined;
      this.isRestored = restored !== undefined && this.chatId === chatId;
      if (restored !== undefined && !this.isRestored) this.stayBehind();
      this.belongsTo(chatId);
      this.told = message.draft;
      const known = lastKnown(message, this.left);
      if (restored === undefined || !this.isRestored) return this.place(known);
      // The host has sent the text meanwhile, so it is no longer the draft.
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
    // The editor shows another chat without a request: the text stays with its own chat.
    this.flush();
    this.forgetSending();
    this.belongsTo(chatId);
    this.told = message.draft;
    this.isTyped = false;
    return { draft: message.draft, aside: null };
  }

  /** The chat is shown: passes on the text and the requests that waited for it. */
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
    else if (sending.replaces && this.view.isAnswering()) {
      this.view.set({ sending: null });
      this.view.hint(STILL_ANSWERING, true);
    } else this.pass(sending);
  }

  /** Sends the composer's text, or an edited earlier message. Waits for a requested chat. */
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

  /** Passes on again a message that waited on the previous page, which the host may not have stored in time. */
  waitAgain(requestId: string, text: string): void {
    this.elsewhere.set(requestId, { ...this.chat(), text });
    this.view.host.post({ type: 'send', requestId, text, waits: true, ...this.chat() });
  }

  /** Puts the draft that was set aside before the typed text. */
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
    // Also a refused message: its answer may have been lost although the server took it.
    const sending = [state().sending, state().refusal, this.refused].find((one) => one?.requestId === requestId);
    const sent = sending?.text ?? (known && known.chatId === this.chat().chatId ? known.text : undefined) ?? text;
    if (sent === undefined) return;
    if (sending) {
      this.refused = undefined;
      this.view.set({ sending: null, refusal: null, hint: null });
    }
    if (sending?.replaces) return;
    // Text typed while the message was pending stays, even the same words. The draft that was set aside comes back.
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
    if (isNext && saysSomething(rest)) this.send(rest);
  }

  wasNotSent({ requestId, problem, chipId }: Extract<FromHost, { type: 'notSent' }>): void {
    const { state, host } = this.view;
    if (host.saved()?.sending?.requestId === requestId) host.save({ sending: undefined });
    if (this.wasNotSentElsewhere(requestId, withTimes(problem.detail || problem.title))) return;
    const { sending } = state();
    if (sending?.requestId !== requestId) return;
    this.refused = sending;
    this.view.set({ sending: null, refusal: { ...sending, problem, chipId } });
    this.view.say(`Not sent. ${withTimes(problem.detail || problem.title)}`);
    this.takeBack(sending);
  }

  /** The host was asked about a message of the previous page: it was not sent. */
  wasNeverSent(requestId: string): void {
    const { state, host } = this.view;
    if (host.saved()?.sending?.requestId === requestId) host.save({ sending: undefined });
    if (this.wasNotSentElsewhere(requestId, 'The chat was reloaded.')) return;
    const { sending } = state();
    if (sending?.requestId !== requestId) return;
    this.view.set({ sending: null });
    const { isNext } = this;
    this.isNext = false;
    if (isNext && saysSomething(state().draft)) {
      const { draft, aside } = state();
      const isIn = sending.replaces || this.stands(sending);
      if (!isIn) this.view.set({ aside: { chips: [], ...aside, text: joined(aside?.text ?? '', sending.text) } });
      this.send(draft);
      return;
    }
    this.takeBack(sending);
    this.view.hint(NOT_SENT_RELOADED);
  }

  /** Reports that a message to a chat that is not shown was not sent. Returns false if it belongs to no such chat. */
  private wasNotSentElsewhere(requestId: string, why: string): boolean {
    const known = this.elsewhere.get(requestId);
    if (!known) return false;
    const { chatId, text: sent } = known;
    this.elsewhere.delete(requestId);
    const text = `Your message to the chat before was not sent. ${why} Its text is kept there.`;
    this.view.set({ notice: { level: 'error', text, chatId } });
    this.view.say(text);
    // The user has gone back to that chat meanwhile.
    if (sent !== undefined && !this.awaited && chatId === this.chat().chatId) this.takeBack({ requestId, text: sent });
    return true;
  }

  /** Puts the text of an unsent message back into the composer, unless it is there. */
  private takeBack(sending: Sending): void {
    if (sending.replaces || this.stands(sending)) return;
    this.view.set({ draft: joined(sending.text, this.view.state().draft) });
    this.changed();
    this.rewritten = undefined;
  }

  /**
   * Whether a message's text is still in the composer. If the user typed something else there, it must be set apart
   * from it.
   */
  private stands({ requestId, text }: Sending): boolean {
    const whole = this.whole();
    return this.rewritten === requestId ? withoutSent(whole, text) !== whole : whole.includes(text);
  }

  /** Whether a text was removed or replaced, by a message that begins with another word. */
  private isGivenUp(text: string): boolean {
    return !this.whole().includes(text) && firstWord(this.view.state().draft) !== firstWord(text);
  }

  private pass(sending: Sending): void {
    const { aside } = this.view.state();
    // Attachments of a draft that is set aside are not sent with another text.
    const without = aside?.chips.length && !sending.replaces ? { without: aside.chips } : {};
    const shown = sending.replaces ? undefined : this.view.state().surroundings?.chips.find((chip) => chip.implicit);
    const waits = this.view.isAnswering() && !sending.replaces ? { waits: true as const } : {};
    const whole = { ...sending, ...without, ...waits, ...(shown ? { implicit: shown.id } : {}) };
    this.view.set({ sending: { ...whole, isPassed: true } });
    this.flush();
    this.view.host.save({ sending: { ...whole, ...this.chat(), at: Date.now() } });
    this.view.host.post({ type: 'send', ...whole, ...this.chat() });
  }

  /**
   * Repeats the request of a message that was pending when the previous page closed. Returns false if there is none in
   * this chat. The stored state may be outdated and the message sent already, but host and server carry out each
   * request once. An old message, or one of another chat, is not sent again by itself: the host is asked for its
   * outcome first.
   */
  private resume(): boolean {
    const left = this.left?.sending;
    this.left = undefined;
    if (!left) return false;
    const { at, chatId, ...sending } = left;
    const { requestId, text, replaces } = sending;
    if (chatId === undefined) {
      // Its chat had not arrived, so the host never got the request.
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

  /** A requested chat has arrived, with the draft stored in it. */
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

  /** The open chat is not the one whose draft was restored into the composer. */
  private stayBehind(): void {
    const { draft, sending } = this.view.state();
    if (sending) {
      this.view.set({ sending: null });
      this.toSay = NOT_SENT_ELSEWHERE;
    }
    // The user could never find text in a chat that was not started, so it comes along.
    const onItsWay = this.left?.sending?.chatId === this.chatId ? this.left?.sending : undefined;
    this.cameAlong = draft !== '' && this.left?.conversationId !== this.chatId;
    if (draft === '' || this.cameAlong) return;
    if (this.isTyped || this.left?.isLatest) {
      // If it was not sent, the host puts it back.
      if (onItsWay && !onItsWay.replaces) this.view.set({ draft: withoutSent(draft, onItsWay.text, true) });
      this.told = UNKNOWN;
      this.flush();
      if (this.whole().trim() !== '') this.toSay ??= 'What you typed is kept in the chat that it was typed in.';
    }
    this.view.set({ draft: '' });
  }

  /** Pending requests stay with the chat in which they were made. */
  private forgetSending(): void {
    this.isNext = false;
    this.refused = undefined;
    const { sending } = this.view.state();
    if (!sending) return;
    const text = sending.replaces ? undefined : sending.text;
    this.elsewhere.set(sending.requestId, { chatId: this.chat().chatId, text });
    this.view.set({ sending: null });
  }

  /** All typed text, for the host and for the next page. */
  private whole(): string {
    const { aside, draft } = this.view.state();
    return joined(aside?.text ?? '', draft);
  }

  private belongsTo(chatId: string | null): void {
    if (this.chatId !== chatId) this.before = [];
    this.chatId = chatId;
  }

  private chat(): { chatId?: string } {
    return this.chatId ? { chatId: this.chatId } : {};
  }

  private keep(): void {
    const { told, before } = this;
    this.view.host.save({ composer: { text: this.whole(), told, before, ...this.chat(), isAwaiting: !this.hasChat } });
  }
}

/** The editor stores at least once a minute; the host is told of a pause in typing. */
const MOST_MARKS = 100;

/** A value for `told` that differs from every text, so that the next text is sent. */
const UNKNOWN = '\0';

const firstWord = (text: string) => /\S+/.exec(text)?.[0];

function isIt(awaited: Wanted, { id, chatId }: Conversation): boolean {
  if (awaited === 'any') return true;
  return awaited.id === null ? id === null : (chatId ?? id ?? awaited.id) === awaited.id;
}
