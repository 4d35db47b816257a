import { MAX_TEXT } from '../../../../shared/constants.ts';
import type { FromHost, ToHost } from '../../protocol.ts';
import { count, isLong, saysSomething } from '../format.ts';
import { Pictures } from '../pictures.ts';
import { spokenChanges } from './changes.ts';
import { Composing, STILL_ANSWERING } from './composing.ts';
import { addPieces, lostOf, type Piece, putEarlier, putMessages, runningAnswer, toldAnew } from './conversation.ts';
import { EditingInPlace } from './editing.ts';
import { FileLinks } from './fileLinks.ts';
import { HistoryPanel, noHistory, putPage } from './history.ts';
import type { Host } from './host.ts';
import { isAttaching, outdated } from './outdated.ts';
import { QueueDeeds } from './queue.ts';
import { type ChatState, noState } from './state.ts';
import { addThoughts, followThoughts, type ThinkingPiece } from './thoughts.ts';
import { Voice } from './voice.ts';

/** Shown beside the banner about the connection. */
const PERHAPS_ANSWERING = 'An answer may still be running. Your text is kept: send it when the connection is back.';

/**
 * The view's state, the effects of the host's messages on it, and the user's actions. Independent of the DOM's layout.
 */
export class Chat {
  state: ChatState = noState;
  /** Set by the transcript: go to the end and stay there. */
  toLatest: () => void = () => {};
  /**
   * Set by the transcript: keeps an element's top at this place in the window until the reader moves, or higher if its
   * lower end would not be seen there.
   */
  keepInPlace: (element: HTMLElement, top: number) => void = () => {};
  /** Set by the composer. */
  focusComposer: (evenUnfocused?: boolean) => void = () => {};

  /** Puts a text into a field at its cursor: see `takesText`. Returns false if it is too long. */
  private readonly fields = new Map<string, (text: string) => boolean>();
  /** Pasted attachments that were put into the text. Two clicks get two answers. */
  private readonly put = new Set<string>();

  readonly history: HistoryPanel;
  readonly composing: Composing;
  readonly editing: EditingInPlace;
  readonly files: FileLinks;
  readonly queue: QueueDeeds;
  readonly pictures: Pictures;
  private readonly voice = new Voice((text) => this.say(text));
  private readonly listeners = new Set<() => void>();
  private pieces: Piece[] = [];
  private thinkingPieces: ThinkingPiece[] = [];
  private frame = 0;
  /** A message was sent from a chat that has no id yet. */
  private begun = false;
  /** This conversation's changes have arrived before, so differences are news. */
  private knowsChanges = false;

  readonly host: Host;

  /** `now`: ms since 1970. */
  constructor(
    given: Host,
    private readonly now: () => number = () => Date.now(),
  ) {
    const host: Host = {
      ...given,
      post: (message) => {
        this.asks(message.type);
        given.post(message);
      },
    };
    this.host = host;
    this.composing = new Composing({
      host,
      state: () => this.state,
      set: (part) => this.set(part),
      say: (text) => this.say(text),
      hint: (text, whileAnswering) => this.hint(text, whileAnswering),
      isAnswering: () => this.answering(),
    });
    this.state = { ...noState, draft: this.composing.textBefore };
    this.history = new HistoryPanel(
      host.post,
      () => this.state.history,
      (history) => this.set({ history }),
    );
    this.editing = new EditingInPlace(
      host,
      () => this.state.conversation,
      (editing) => this.set({ editing, refusal: this.state.refusal?.replaces ? null : this.state.refusal }),
    );
    this.files = new FileLinks(host.post);
    this.pictures = new Pictures({ host, state: () => this.state, set: (part) => this.set(part) });
    this.queue = new QueueDeeds({
      host,
      state: () => this.state,
      set: (part) => this.set(part),
      say: (text) => this.say(text),
      hint: (text) => this.hint(text),
      isLeaving: () => this.composing.isAwaiting,
      compose: (text) => this.accepts(text.length, this.state.draft.length + 2) && this.compose(text, false),
      setDraft: (text) => this.setDraft(text),
      flush: () => this.composing.flush(),
      waitAgain: (id, text) => this.composing.waitAgain(id, text),
    });
    host.onMessage((message) => this.receive(message));
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  receive(message: FromHost): void {
    if (message.type === 'text' || message.type === 'thinking') {
      if (message.type === 'text') this.pieces.push(message);
      else this.thinkingPieces.push({ ...message, cameAt: this.now() });
      this.frame ||= requestAnimationFrame(() => this.flushPieces());
      return;
    }
    this.flushPieces();
    switch (message.type) {
      case 'surroundings': {
        const { surroundings: before, isOffline: wasOffline } = this.state;
        // An attempt to connect is no connection yet: the messages about the lost one stay.
        const isTry = before !== null && wasOffline && message.value.connection.state === 'connecting';
        const value = isTry ? { ...message.value, connection: before.connection } : message.value;
        const { state } = value.connection;
        this.set({ surroundings: value, isOffline: state === 'offline' || state === 'wrongServer' });
        break;
      }
      case 'conversation':
        this.openedConversation(message);
        break;
      case 'messages':
        this.changedMessages(message);
        break;
      case 'earlier': {
        const conversation = this.state.conversation;
        if (!conversation) break;
        this.set({
          conversation: putEarlier(conversation, message.messages, message.before),
          loadingEarlier: false,
        });
        break;
      }
      case 'sent':
        this.wasSent(message);
        break;
      case 'notSent':
        this.composing.wasNotSent(message);
        break;
      case 'neverSent':
        this.composing.wasNeverSent(message.requestId);
        break;
      case 'queue':
        this.queue.told(message);
        break;
      case 'tooLate':
        this.queue.tooLate(message);
        break;
      case 'notice': {
        const { level, text, action, of } = message;
        this.set({ notice: { level, text, action, of }, loadingEarlier: false });
        this.say(text);
        break;
      }
      case 'changes': {
        const said = this.knowsChanges ? spokenChanges(this.state.changes, message.value) : '';
        this.knowsChanges = true;
        this.set({ changes: message.value });
        this.files.forget();
        if (said) this.say(said);
        break;
      }
      case 'historyPage':
        this.set({ history: putPage(this.state.history, message) });
        break;
      case 'historyFailed': {
        const history = this.state.history;
        if (history.search !== message.search || history.kind !== message.kind) break;
        this.set({ history: { ...history, loading: false, failed: message.text } });
        break;
      }
      case 'mentions':
        this.set({ mentions: { requestId: message.requestId, items: message.items } });
        break;
      case 'files':
      case 'symbols':
        this.files.told(message);
        break;
      case 'shrink':
        void this.pictures.shrink(message);
        break;
      case 'picture':
        this.pictures.told(message);
        break;
      case 'pasted':
        this.putPasted(message);
        break;
      case 'compose':
        this.compose(message.text, message.send);
        break;
      case 'focusComposer':
        this.focusComposer(true);
        break;
      case 'showHistory':
        this.history.open();
        break;
      default:
        message satisfies never;
    }
  }

  // — Conversations

  newChat(): void {
    this.leave(null);
    this.host.post({ type: 'newChat' });
    this.set({ history: noHistory });
    this.focusComposer();
  }

  openConversation(id: string): void {
    if (!this.composing.isWanted(id, this.state.conversation?.id)) {
      this.leave(id);
      this.host.post({ type: 'openConversation', id });
    }
    this.set({ history: noHistory });
    this.focusComposer();
  }

  private leave(id: string | null): void {
    this.begun = false;
    this.composing.leave(id);
  }

  loadEarlier(): void {
    const conversation = this.state.conversation;
    if (!conversation?.before || this.state.loadingEarlier) return;
    this.set({ loadingEarlier: true });
    this.host.post({ type: 'loadEarlier', before: conversation.before });
  }

  rename(id: string, title: string): void {
    const { history, conversation } = this.state;
    this.host.post({ type: 'rename', id, title });
    this.set({
      history: { ...history, rows: history.rows.map((r) => (r.id === id ? { ...r, title } : r)) },
      conversation: conversation?.id === id ? { ...conversation, title } : conversation,
    });
  }

  // — Composer

  setDraft(draft: string): void {
    if (draft === this.state.draft) return;
    this.set({ draft, hint: null });
    this.composing.changed();
  }

  /** Whether text fits into the composer. If it is too long, the composer keeps its text and a hint is shown. */
  accepts(addedLength: number, keptLength: number): boolean {
    if (addedLength + keptLength <= MAX_TEXT) return true;
    this.hint(
      `That is ${count(addedLength)} characters; a message holds ${count(MAX_TEXT)}. Nothing was changed. Attach it as a file, or paste a part.`,
    );
    return false;
  }

  /** Attaches a long text that is pasted into the composer, or into the message `to`. Returns whether it did. */
  attachesPasted(text: string, to?: string): boolean {
    if (!isLong(text) || text.length > MAX_TEXT) return false;
    this.host.post({ type: 'attachPasted', text, ...(to && { to }) });
    this.say('The long text is attached. “Put into the text” takes it back.');
    return true;
  }

  /** Puts the text of a pasted attachment into its message: once, and only while that message is shown and has it. */
  private putPasted({ id, text, to, chatId }: Extract<FromHost, { type: 'pasted' }>): void {
    const { surroundings, conversation } = this.state;
    if (this.composing.isAwaiting || chatId !== conversation?.chatId || this.put.has(id)) return;
    const chips = to === undefined ? surroundings?.chips : surroundings?.edited?.chips;
    if (!chips?.some((chip) => chip.id === id) || !this.fields.get(to ?? '')?.(text)) return;
    this.put.add(id);
    this.host.post({ type: 'detach', id, ...(to ? { to } : { chatId }) });
  }

  /** Registers the field of the composer (''), or of the message that is edited: texts can be put into it. */
  takesText(to: string, area: HTMLTextAreaElement, changed: (text: string) => void): () => void {
    const insert = (text: string) => {
      const { selectionStart, selectionEnd, value } = area;
      if (!this.accepts(text.length, value.length - (selectionEnd - selectionStart))) return false;
      area.setRangeText(text, selectionStart, selectionEnd, 'end');
      changed(area.value);
      area.focus();
      return true;
    };
    this.fields.set(to, insert);
    return () => this.fields.get(to) === insert && this.fields.delete(to);
  }

  suggestion(id: string): void {
    this.begun ||= this.state.conversation?.id === null;
    this.host.post({ type: 'suggestion', id });
  }

  showHelp(help: boolean): void {
    this.set({ help });
    if (help) this.say('All commands are listed above the message. Escape closes the list.');
    this.focusComposer();
  }

  /** Sends the composer's text. While an answer runs, it waits for its end. */
  sendDraft(): void {
    if (this.pictures.delay(() => this.sendDraft())) return;
    const help = /^\s*\/help(?:\s|$)/i.exec(this.state.draft);
    if (help) {
      this.setDraft(this.state.draft.slice(help[0].length));
      this.showHelp(true);
      return;
    }
    const isPasted = this.state.surroundings?.chips.some(({ kind }) => kind === 'pasted');
    if (isPasted && !saysSomething(this.state.draft)) {
      this.hint('Write what to do with the pasted text. Then it is sent along.');
      return;
    }
    this.send(this.state.draft);
  }

  sendEdited(): void {
    const editing = this.state.editing;
    if (!editing || this.pictures.delay(() => this.sendEdited())) return;
    if (this.answering()) this.hint(this.state.isOffline ? PERHAPS_ANSWERING : STILL_ANSWERING, true);
    else this.send(editing.text, { replaces: editing.messageId, keep: editing.keep });
  }

  /** Puts the draft that was set aside before the typed text. */
  putBack(): void {
    this.composing.putBack();
    this.focusComposer();
  }

  /** Sends a refused message again, as it is now. */
  retry(): void {
    const refusal = this.state.refusal;
    if (!refusal) return;
    if (refusal.replaces && this.state.editing) this.sendEdited();
    else this.send(this.state.draft.trim() ? this.state.draft : refusal.text);
  }

  /** Summarises the conversation. The text in the composer stays. */
  compact(): void {
    this.send('/compact');
  }

  /** Whether an answer runs. While another chat is requested, the one still shown doesn't count. */
  answering(): boolean {
    return !this.composing.isAwaiting && runningAnswer(this.state.conversation) !== undefined;
  }

  /** An answer runs, and the server can be reached to stop it. */
  canStop(): boolean {
    return this.answering() && !this.state.isOffline;
  }

  stop(): void {
    const running = runningAnswer(this.state.conversation);
    if (running?.runId && this.canStop()) this.host.post({ type: 'stop', runId: running.runId });
  }

  /** The Up key in an empty composer. */
  editLast(): boolean {
    if (this.queue.editLast()) return true;
    return !this.answering() && this.editing.startLast();
  }

  regenerate(messageId: string): void {
    this.toLatest();
    this.host.post({ type: 'regenerate', messageId });
  }

  continueRun(runId: string): void {
    this.toLatest();
    this.host.post({ type: 'continue', runId });
  }

  /** Unfolds the thoughts of an answer, or folds them again. */
  fold(messageId: string): void {
    const unfolded = new Set(this.state.unfolded);
    if (!unfolded.delete(messageId)) unfolded.add(messageId);
    this.set({ unfolded });
  }

  dismissRefusal(): void {
    this.set({ refusal: null, hint: null });
    this.focusComposer();
  }

  dismissNotice(): void {
    this.set({ notice: null });
    this.focusComposer();
  }

  /**
   * Puts a question about a change without a place in its file into the composer. The user decides whether to send it.
   */
  askToCorrect(what: string, why: string): void {
    this.compose(
      `Your change to ${what} could not be applied: ${why}\nGive it again so that it fits the file as it is.`,
      false,
    );
  }

  command(command: Extract<ToHost, { type: 'command' }>['command'] | 'reconnect'): void {
    this.host.post(command === 'reconnect' ? { type: 'reconnect' } : { type: 'command', command });
  }

  forgetMentions(): void {
    if (this.state.mentions) this.set({ mentions: null });
  }

  hint(text: string, whileAnswering?: true): void {
    this.set({ hint: { text, whileAnswering } });
    this.say(text);
  }

  /** Called by the transcript. */
  setAtEnd(isAtEnd: boolean): void {
    if (isAtEnd !== this.state.isAtEnd) this.set({ isAtEnd });
  }

  /** Announces a text to screen readers, once. */
  say(text: string): void {
    this.set({ spoken: { text, n: this.state.spoken.n + 1 } });
  }

  // — The effects of the host's messages

  private set(part: Partial<ChatState>): void {
    const now = { ...this.state, ...part };
    this.state = { ...now, ...outdated(this.state, now) };
    for (const listener of [...this.listeners]) listener();
  }

  /** Removes the message about an earlier try of the same request. */
  private asks(type: ToHost['type']): void {
    const { of } = this.state.notice ?? {};
    if (of && (of === type || (isAttaching(of) && (isAttaching(type) || type === 'send')))) this.set({ notice: null });
  }

  private flushPieces(): void {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { pieces, thinkingPieces } = this;
    this.pieces = [];
    this.thinkingPieces = [];
    if (thinkingPieces.length) this.set({ thoughts: addThoughts(this.state.thoughts, thinkingPieces) });
    if (!pieces.length) return;
    const conversation = this.state.conversation;
    if (conversation) this.set({ conversation: addPieces(conversation, pieces) });
    else this.pieces = pieces; // They wait for the conversation they belong to.
  }

  private openedConversation(message: Extract<FromHost, { type: 'conversation' }>): void {
    const { id, title, messages, before, elsewhere } = message;
    const old = this.state.conversation;
    const same = old !== null && old.id === id;
    // A chat gets its id with its first message. The scroll position stays.
    const grown = old !== null && old.id === null && id !== null && this.begun;
    const isOther = !same && !grown;
    if (!same) this.begun = false;
    if (isOther) this.knowsChanges = false;
    const isSameChat = this.composing.isSame(message);
    const composer = this.composing.arrive(message);
    const early = [...(old?.early ?? []), ...this.pieces];
    this.pieces = [];
    const editing = this.editing.leftIn(id, messages);
    const sight = (old?.sight ?? 0) + (isOther ? 1 : 0);
    if (isOther) this.voice.forget();
    this.set({
      conversation: addPieces(
        {
          id,
          chatId: message.chatId ?? id ?? undefined,
          sight,
          title,
          messages: toldAnew(old, messages),
          before,
          elsewhere,
          early,
          lost: lostOf(same ? old : null, messages),
        },
        [],
      ),
      thoughts: followThoughts(this.state.thoughts, messages, this.now()),
      ...composer,
      loadingEarlier: false,
      editing,
      ...(isSameChat ? {} : { refusal: null, mentions: null, hint: null }),
    });
    const saved = this.host.saved();
    // Keep the old scroll position until it is known whether the server knows the chat.
    if (id !== null && saved?.conversationId !== id) this.host.save({ conversationId: id, anchor: null });
    this.voice.follow(this.state.conversation);
    this.composing.arrived();
  }

  private changedMessages(message: Extract<FromHost, { type: 'messages' }>): void {
    const old = this.state.conversation;
    if (!old) return;
    const conversation = putMessages(old, message.upsert, message.removed);
    this.set({
      conversation: { ...conversation, title: message.title, elsewhere: message.elsewhere },
      thoughts: followThoughts(this.state.thoughts, conversation.messages, this.now()),
    });
    const editing = this.state.editing;
    if (editing && message.removed.includes(editing.messageId) && this.state.sending?.replaces === undefined) {
      // Another device replaced the message while it was being edited: the typed text goes to the composer.
      if (!this.state.draft.trim()) this.setDraft(editing.text);
      this.editing.set(null);
    }
    this.voice.follow(this.state.conversation);
  }

  private wasSent(message: Extract<FromHost, { type: 'sent' }>): void {
    const { sending } = this.state;
    this.composing.wasSent(message);
    if (sending?.requestId !== message.requestId || !sending.replaces) return;
    this.editing.set(null);
    this.focusComposer();
  }

  private send(text: string, edited?: { replaces: string; keep: string[] }): void {
    if (!this.accepts(text.length, 0)) return;
    this.begun ||= this.state.conversation?.id === null;
    if (!this.answering()) this.toLatest();
    this.composing.send(text, edited);
  }

  private compose(text: string, send: boolean): true {
    if (send && !this.answering() && !this.state.sending) {
      this.send(text);
      return true;
    }
    const { draft } = this.state;
    this.setDraft(draft.trim() ? `${draft.trimEnd()}\n\n${text}` : text);
    this.focusComposer();
    return true;
  }
}
