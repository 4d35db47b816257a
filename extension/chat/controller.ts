import * as vscode from 'vscode';
import { joined } from '../../shared/answers/draftText.ts';
import type { Offers } from '../account/offers.ts';
import type { Session } from '../account/session/session.ts';
import type { Backend } from '../backend.ts';
import { Disposable } from '../platform/dispose.ts';
import type { Instructions } from '../platform/instructions/instructions.ts';
import type { Log } from '../platform/log.ts';
import { plainMessage } from '../platform/plainMessage.ts';
import { BackendError } from '../platform/server/backendError.ts';
import { IMPLICIT_CONTEXT } from '../platform/settings.ts';
import { act } from './actions.ts';
import { AnswerChangesHost, type ChatEdits } from './answers/answerChanges.ts';
import { Diagrams } from './answers/diagrams.ts';
import { findFiles, openFile } from './answers/fileLinks.ts';
import { findSymbols, openSymbol } from './answers/symbols.ts';
import { TerminalInput } from './answers/terminal.ts';
import { SlashCommands } from './commands/slashCommands.ts';
import { Attaching } from './context/attaching.ts';
import {
  AttachmentRefused,
  baseName,
  problemChips,
  type StoredChip,
  selectionChip,
  tellLines,
} from './context/attachments.ts';
import { Drafts } from './context/drafts.ts';
import { EditorContext } from './context/editorContext.ts';
import { type Finder, FoundContext } from './context/foundContext.ts';
import { ChatGuidance, INSTRUCTIONS } from './context/guidance.ts';
import { ImplicitContext } from './context/implicitContext.ts';
import { Mentions } from './context/mentions.ts';
import { offerSources } from './context/offers.ts';
import { WebPages } from './context/pages.ts';
import { Pictures } from './context/pictures.ts';
import { Terminals } from './context/terminals.ts';
import { Chats } from './conversation/chats.ts';
import { ConversationList } from './conversation/conversationList.ts';
import { OpenConversation } from './conversation/openConversation.ts';
import { OpenRecord } from './conversation/openRecord.ts';
import { Outbox } from './conversation/outbox.ts';
import { Queue } from './conversation/queue.ts';
import { Sender } from './conversation/sender.ts';
import { answerToUnfit, noticeOf } from './failures.ts';
import { ModelChoice } from './modelChoice.ts';
import { type FromHost, type ToHost, ToHostSchema } from './protocol.ts';
import { Sending } from './sending.ts';
import { SurroundingsTeller } from './surroundings.ts';
import type { ChatView } from './view.ts';

/** How many excluded files a chat remembers. */
const MOST_LEFT_OUT = 50;

export interface ChatDeps {
  view: ChatView;
  session: Session;
  offers: Offers;
  backend: Backend;
  /** The memory of the workspace, or of the editor if none is open. */
  windowMemory: vscode.Memento;
  /** The editor's memory, shared by all windows. */
  memory: vscode.Memento;
  edits: ChatEdits;
  /** The index of the workspace. */
  index(): Promise<Finder>;
  instructions: Pick<Instructions, 'for' | 'take' | 'look' | 'onDidChange'>;
  /** Where the editor keeps the user's prompt files. */
  userPrompts: vscode.Uri;
  /** Where the pictures of drafts are kept. */
  pictures: vscode.Uri;
  log: Log;
}

/** Owns all state of the chat's web view, and carries out its requests. */
export class ChatController extends Disposable {
  private readonly drafts: Drafts;
  private readonly record: OpenRecord;
  private readonly terminals = this._register(new Terminals());
  private readonly mentions: Mentions;
  private readonly found: FoundContext;
  private readonly editor: EditorContext;
  private readonly implicit = this._register(new ImplicitContext());
  private readonly guidance: ChatGuidance;
  private readonly slash: SlashCommands;
  private readonly models: ModelChoice;
  private readonly sender: Sender;
  private readonly chats: Chats;
  private readonly surroundings: SurroundingsTeller;
  /** Messages to send once the page is ready. */
  private readonly afterReady: FromHost[] = [];
  private readonly list: ConversationList;
  private readonly changes: AnswerChangesHost;
  private readonly terminalInput = this._register(new TerminalInput());
  private readonly diagrams = this._register(new Diagrams());
  private readonly outbox = new Outbox();
  private readonly queue: Queue;
  private readonly attaching: Attaching;
  private readonly pictures: Pictures;
  private readonly sending: Sending;

  constructor(private readonly deps: ChatDeps) {
    super();
    const { session, backend, view, memory, windowMemory } = deps;
    this.drafts = this._register(new Drafts(windowMemory, memory));
    this.record = new OpenRecord(windowMemory);
    this.models = new ModelChoice(session, backend, memory);
    const tell = (text: string) => this.tellWhenReady({ type: 'notice', level: 'info', text });
    this.found = this._register(new FoundContext(deps.index, tell));
    const pages = new WebPages(session, backend);
    this.mentions = new Mentions([...offerSources(this.terminals), pages.offers]);
    this.editor = this._register(new EditorContext(this.mentions, this.found, this.terminals, pages));
    this.guidance = this._register(new ChatGuidance(deps.instructions));
    this.slash = this._register(new SlashCommands(this.editor, deps.userPrompts));
    this.pictures = new Pictures(deps.pictures, {
      ask: (message) => this.tellWhenReady(message),
      fetch: (id) => session.call((who) => backend.picture(who, id)),
    });
    this.attaching = new Attaching(this.drafts, this.editor, this.pictures, {
      chatId: () => this.chats.shown.id,
      tell: () => this.tellSurroundings(),
      focusComposer: () => this.post({ type: 'focusComposer' }),
    });
    this.surroundings = new SurroundingsTeller(session, deps.offers, backend, view, this.models, this.editor);
    const { drafts, record, models, found } = this;
    this.sender = new Sender({ session, backend, drafts, record, models, found });
    this.changes = this._register(
      new AnswerChangesHost(
        deps.edits,
        () => this.chats.shown,
        (message) => this.post(message),
        deps.log,
      ),
    );
    this.queue = new Queue(windowMemory, {
      start: (chat, message) => this.sending.sendWaiting(chat.id, message),
      stop: (runId) => session.call((who) => backend.stopRun(who, runId)),
      isShown: (chatId) => chatId === this.chats.shown.id,
      post: (message) => this.post(message),
    });
    this.list = this._register(new ConversationList(session, backend, (message) => this.post(message)));
    this.chats = this._register(
      new Chats(this.record.openId, { make: (id) => this.make(id), isWaiting: (id) => this.queue.isActive(id) }),
    );
    const { attaching, slash, implicit, guidance, queue, sender, chats } = this;
    this.sending = new Sending({
      ...{ chats, drafts, record, attaching, slash, implicit, guidance, queue, sender, log: deps.log },
      tell: {
        post: (message) => this.post(message),
        whenReady: (message) => this.tellWhenReady(message),
        surroundings: () => this.tellSurroundings(),
        failure: (error) => this.tellFailure(error),
        newChat: () => this.show(this.record.newChat()),
      },
    });
    this._register(view.onDidReceive((message) => void this.receive(message)));
    this._register(session.onDidChange(() => this.sessionChanged()));
    this._register(deps.offers.onDidChange(() => this.tellSurroundings()));
    this._register(session.onDidConnect(() => void this.connected()));
    this._register(session.onDidChangeConversation((id) => void this.changedOnServer(id)));
    this._register(this.editor.onDidChangeSuggestions(() => this.tellSurroundings()));
    this._register(this.implicit.onDidChange(() => this.tellSurroundings()));
    this._register(this.found.onDidChange(() => this.tellSurroundings()));
    this._register(this.guidance.onDidChange(() => this.tellSurroundings()));
    this._register(this.slash.onDidChange(() => this.tellSurroundings()));
    this._register(
      vscode.workspace.onDidChangeConfiguration(
        (event) => event.affectsConfiguration('perigee.chat') && this.tellSurroundings(),
      ),
    );
    if (session.state.kind === 'ok') void this.connected();
    void session.begin();
  }

  /** The open conversation. */
  get open(): OpenConversation {
    return this.chats.shown;
  }

  /** Shows the view and puts the cursor in the composer. */
  async reveal(): Promise<void> {
    this.tellWhenReady({ type: 'focusComposer' });
    await this.deps.view.reveal();
  }

  async newChat(): Promise<void> {
    this.show(this.record.newChat());
    await this.reveal();
  }

  async showHistory(): Promise<void> {
    this.tellWhenReady({ type: 'showHistory' });
    await this.deps.view.reveal();
  }

  /** Opens a conversation from the server. */
  async openConversation(id: string): Promise<void> {
    this.show(id);
    await this.reveal();
  }

  /** Turns the implicit context of the active file off, or on again, for this chat. */
  async toggleImplicitContext(): Promise<void> {
    try {
      const { uri, label } = this.implicit.inFront();
      const on = this.drafts.get(this.chats.shown.id).without?.includes(uri) === true;
      await this.turnImplicit(uri, on);
      vscode.window.setStatusBarMessage(`${label} ${on ? 'goes along with' : 'stays out of'} your next question`, 4000);
    } catch (error) {
      if (!(error instanceof AttachmentRefused)) throw error;
      const ways = error.message.includes(IMPLICIT_CONTEXT) ? ['Open Settings'] : [];
      if (await vscode.window.showInformationMessage(plainMessage(error.message), ...ways))
        await vscode.commands.executeCommand('workbench.action.openSettings', IMPLICIT_CONTEXT);
    }
  }

  /** Applies to the open chat. A file stays excluded until it is turned on again. */
  private async turnImplicit(uri: string, on: boolean): Promise<void> {
    const { id } = this.chats.shown;
    const others = this.drafts.get(id).without?.filter((one) => one !== uri) ?? [];
    // All instructions together are no file, and are not forgotten for one.
    const out = on ? others : [...others, uri];
    const without = out.filter((one, at) => one === INSTRUCTIONS || at >= out.length - MOST_LEFT_OUT);
    const stored = this.drafts.update(id, { without });
    this.tellSurroundings();
    await stored;
  }

  /** Asks in a new chat to explain the selection. */
  explainSelection(): Promise<void> {
    const chips = async () => [selectionChip(vscode.window.activeTextEditor)];
    return this.askNew(chips, ([chip]) => `Explain ${tellLines(chip!)}.`);
  }

  /** Asks in a new chat to explain a problem: the one with this message that is now nearest to `at`. */
  explainProblem(uri: vscode.Uri, at: vscode.Range, message: string): Promise<void> {
    const chips = () => problemChips(uri, at, message);
    return this.askNew(chips, () => `Explain this problem in ${baseName(uri.path)}: ${message}`);
  }

  /** Asks in a new chat. Its first words become the title. */
  private async askNew(attach: () => Promise<StoredChip[]>, say: (chips: StoredChip[]) => string): Promise<void> {
    try {
      const chips = await attach();
      const text = say(chips);
      if (this.chats.shown.messages.length > 0) this.show(this.record.newChat());
      await this.reveal();
      await this.sending.ask(text, chips);
    } catch (error) {
      if (error instanceof AttachmentRefused) void vscode.window.showInformationMessage(plainMessage(error.message));
      else this.tellFailure(error);
    }
  }

  private async receive(raw: unknown): Promise<void> {
    const parsed = ToHostSchema.safeParse(raw);
    if (!parsed.success) {
      this.deps.log.warn(`The chat view said something that does not fit: ${parsed.error.issues[0]?.path.join('.')}`);
      const answer = answerToUnfit(raw);
      if (answer) this.post(answer);
      return;
    }
    try {
      await this.handle(parsed.data);
    } catch (error) {
      this.tellFailure(error, parsed.data.type);
    }
  }

  /** Shows a failure in the view, with a next step if there is one. `of`: the request that failed. */
  private tellFailure(error: unknown, of?: ToHost['type']): void {
    if (this.isDisposed) return;
    this.deps.log.warn(`Told in the chat: ${BackendError.from(error).problem.title}`);
    this.tellWhenReady({ ...noticeOf(error), of });
  }

  private async handle(message: ToHost): Promise<void> {
    const { session, backend, log } = this.deps;
    switch (message.type) {
      case 'ready':
        return this.ready();
      case 'send':
        return this.post(await this.outbox.once(message.requestId, () => this.sending.send(message)));
      case 'findSent':
        return this.post(await (this.outbox.of(message.requestId) ?? this.sending.findSent(message)));
      case 'waiting':
        return this.sending.decideWaiting(message);
      case 'stop':
        return session.call((who) => backend.stopRun(who, message.runId));
      case 'regenerate':
        return this.sending.start({ text: '', chips: [], replaces: message.messageId });
      case 'continue':
        return this.sending.start({ text: '', chips: [], continues: message.runId });
      case 'draft': {
        const id = message.chatId ?? this.chats.shown.id;
        if (this.drafts.get(id).text === '') this.guidance.refresh();
        return this.drafts.update(id, { text: message.text });
      }
      case 'newChat':
        return this.show(this.record.newChat());
      case 'openConversation':
        return this.show(message.id);
      case 'loadEarlier':
        return this.chats.shown.loadEarlier(message.before);
      case 'history':
        return this.list.tell(message, message.before);
      case 'rename':
      case 'pin':
      case 'summary':
        await this.list.change(message);
        return message.id === this.chats.shown.id ? this.chats.shown.refresh() : undefined;
      case 'delete':
        return this.delete(message.id);
      case 'export':
      case 'copyConversation':
        return this.list.take(message);
      case 'attachImplicit':
        return this.turnImplicit(this.implicit.inFront().uri, true);
      case 'instructions':
        return this.turnImplicit(INSTRUCTIONS, message.on);
      case 'listCommands':
        return this.slash.look();
      case 'slash': {
        const { id } = this.chats.shown;
        return this.attaching.addAll(id, () => this.slash.attach(message.name, this.drafts.get(id).chips));
      }
      case 'editing':
      case 'attach':
      case 'attachMention':
      case 'readPage':
      case 'attachText':
      case 'attachPasted':
      case 'attachPicture':
      case 'attachFiles':
        return this.attaching.do(message);
      case 'detach': {
        const implicit = this.implicit.find(message.id);
        return implicit ? this.turnImplicit(implicit.uri!, false) : this.attaching.do(message);
      }
      case 'takePasted': {
        const text = this.attaching.pasted(message);
        const { id, to } = message;
        if (text !== undefined) this.post({ type: 'pasted', id, text, to, chatId: this.chats.shown.id });
        return;
      }
      case 'pictureRefused':
        this.pictures.answered(message);
        return;
      case 'picture':
        return this.post(await this.pictures.show(message.id));
      case 'mentions': {
        const items = await this.mentions.find(message.query, this.editor.attachable);
        return this.post({ type: 'mentions', requestId: message.requestId, items });
      }
      case 'suggestion': {
        const suggestion = this.editor.suggestions.find(({ id }) => id === message.id);
        if (suggestion) await this.sending.ask(suggestion.text, await this.editor.attachAll(suggestion));
        return;
      }
      case 'selectModel':
        await this.models.choose(message.id, message.effort);
        return this.tellSurroundings();
      case 'apply':
      case 'applyAll':
      case 'placeCode':
      case 'compareCode':
      case 'showReview':
      case 'takeBack':
      case 'applyAgain':
        return this.changes.do(message);
      case 'copy':
      case 'insert':
      case 'newFile':
      case 'openLink':
      case 'openRequest':
      case 'command':
        return act(message);
      case 'findFiles':
        this.post({ type: 'files', asked: message.paths, found: await findFiles(message.paths) });
        return;
      case 'openFile':
        return openFile(message.path, message.line, message.column);
      case 'findSymbols':
        this.post({ type: 'symbols', ...(await findSymbols(message.names)) });
        return;
      case 'openSymbol':
        return openSymbol(message.name);
      case 'insertInTerminal':
        return this.terminalInput.insert(message.text, message.language);
      case 'previewDiagram':
        return this.diagrams.show(message.text, message.language);
      case 'reconnect':
        return session.state.kind === 'signedOut' ? session.begin() : session.reconnect();
      case 'failed':
        log.error(`The chat view failed: ${message.message}`);
        return;
      default:
        message satisfies never;
    }
  }

  private ready(): void {
    this.deps.view.listens();
    this.surroundings.forget();
    this.queue.forget();
    this.tellSurroundings();
    this.chats.shown.tellWhole();
    for (const message of this.afterReady.splice(0)) this.post(message);
    void this.deps.session.begin();
  }

  private async delete(id: string): Promise<void> {
    await this.list.delete(id);
    this.queue.takeAll(id);
    await this.drafts.update(id, { text: '', chips: [], without: undefined, pending: undefined });
    if (id === this.chats.shown.id) this.show(this.record.newChat());
  }

  private make(id: string): OpenConversation {
    const { session, backend, log } = this.deps;
    const conversation: OpenConversation = new OpenConversation(id, {
      session,
      backend,
      log,
      post: (message) => conversation === this.chats.shown && this.post(message),
      isOwnRun: (runId) => this.record.isOwnRun(runId),
    });
    conversation.onDidChange(() => {
      if (this.chats.isFollowed(conversation)) this.queue.follow(conversation);
      // Not at once: the conversation is in the middle of its change.
      if (conversation !== this.chats.shown) return queueMicrotask(() => this.chats.leaveBehind());
      this.changes.tell();
      this.tellSurroundings();
    });
    conversation.tellWhole = (moved) => {
      conversation.tell(this.drafts.get(id).text, moved);
      this.changes.tell(true);
      this.queue.tell(id);
    };
    return conversation;
  }

  /** Shows another conversation. The draft stays with the old conversation, unless it has `moved` to the new one. */
  private show(id: string, moved?: true): void {
    if (id !== this.chats.shown.id) {
      this.chats.show(id);
      void this.record.open(id);
      void this.load();
    }
    // Send the attachments first: a page that waits for this chat reads them as soon as the chat arrives.
    this.tellSurroundings();
    this.chats.shown.tellWhole(moved);
  }

  /** Fetches the open conversation, and checks whether a request with a lost answer started a run. */
  private async load(): Promise<void> {
    const conversation = this.chats.shown;
    if (this.deps.session.state.kind === 'signedOut') return;
    try {
      await conversation.refresh();
      if (conversation !== this.chats.shown) return;
      // The editor may have been killed before it stored that this chat has started.
      if (conversation.exists) await this.record.started(conversation.id);
      const cleared = await this.sender.settlePending(conversation.id, conversation.messages);
      if (cleared) {
        const requestId = this.sending.settled(conversation.id, cleared.runId);
        this.post({ type: 'sent', requestId, text: cleared.text });
        this.tellSurroundings();
      }
    } catch (error) {
      // The connection's state already shows this; the next connection tries again.
      this.deps.log.warn(`The conversation could not be read: ${BackendError.from(error).message}`);
    }
  }

  private async connected(): Promise<void> {
    const { account } = this.deps.session;
    if (account && !(await this.record.belongsTo(account.id)) && !(await this.hasMoved())) {
      // A different account has different conversations.
      await this.moveDraft();
    }
    this.chats.refreshBehind();
    await Promise.all([this.models.load().catch(() => {}), this.load(), this.lookAtOffers()]);
    this.tellSurroundings();
  }

  /** Moves the draft into a new chat, and behind it what waited for an answer. */
  private async moveDraft(): Promise<void> {
    const { text, chips, without } = this.drafts.get(this.chats.shown.id);
    const waiting = this.queue.takeAll(this.chats.shown.id);
    const more = waiting.reduce((before, message) => joined(before, message.text), '');
    const others = waiting.flatMap((message) => message.chips).filter((chip) => !chip.implicit);
    const all = [...new Map([...chips, ...others].map((chip) => [chip.id, chip])).values()];
    const id = this.record.newChat(true);
    const stored = this.drafts.update(id, { text: joined(text, more), chips: all, without });
    this.chats.leaveBehind(true);
    this.show(id, true);
    // The composer keeps its own text.
    if (more) this.post({ type: 'compose', text: more, send: false });
    await stored;
  }

  /** Whether the open conversation moved to the current account, as a guest's does at sign-in. */
  private async hasMoved(): Promise<boolean> {
    try {
      await this.chats.shown.refresh();
      return this.chats.shown.exists;
    } catch {
      return false;
    }
  }

  /** Fetches the ways to sign in, unless a member is signed in. */
  private async lookAtOffers(): Promise<void> {
    const { session, offers } = this.deps;
    if (offers.options || session.account?.kind === 'member') return;
    await offers.load().catch((error) => this.deps.log.warn(BackendError.from(error).message));
  }

  private sessionChanged(): void {
    const { state } = this.deps.session;
    if (state.kind === 'signedOut' && state.why === 'left' && this.chats.shown.exists) {
      void this.moveDraft();
    }
    if (state.kind === 'signedOut') void this.lookAtOffers();
    this.tellSurroundings();
  }

  private async changedOnServer(id: string): Promise<void> {
    if (id === this.chats.shown.id || id === '') await this.load();
  }

  private tellSurroundings(): void {
    const { chips, edited } = this.attaching.shown(this.found.note);
    const draft = this.drafts.get(this.chats.shown.id);
    const { chip, leftOut } = this.implicit.beside(draft);
    const { contextTokens, pinned, messages } = this.chats.shown;
    const all = chip ? [...chips, chip] : chips;
    const instructions = this.guidance.shown(all, draft, messages);
    const shown = { chips: all, leftOut, instructions, edited, contextTokens, pinned };
    this.surroundings.tell({ ...shown, commands: this.slash.list });
  }

  private post(message: FromHost): void {
    this.deps.view.post(message);
  }

  private tellWhenReady(message: FromHost): void {
    if (this.deps.view.isListening) this.post(message);
    else this.afterReady.push(message);
  }
}
