import type { FromHost, ToHost } from '../../extension/chat/protocol.ts';
import { Chat } from '../../extension/chat/webview/model/chat.ts';
import type { Host, Saved } from '../../extension/chat/webview/model/host.ts';
import { CONVERSATION, conversation } from './samples.ts';

export const OTHER = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b02';
export const NEW = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b03';
type Posted<T extends ToHost['type']> = Extract<ToHost, { type: T }>;

/** The view without a page: what it keeps outlives it, as the editor's store does. */
export class Window {
  posted: ToHost[] = [];
  private kept: Saved | undefined;
  chat!: Chat;

  constructor() {
    this.load();
  }

  /** The page is made anew: what was in it is gone but for what it had told or kept. `isLatest`: kept to its last key. */
  load(isLatest?: boolean): void {
    const empty: Saved = { conversationId: null, anchor: null, edits: {} };
    this.posted = [];
    if (this.kept && isLatest) this.kept.isLatest = true;
    const host: Host = {
      post: (message) => this.posted.push(structuredClone(message)),
      saved: () => structuredClone(this.kept),
      save: (part) => {
        this.kept = structuredClone({ ...empty, ...this.kept, ...part, isLatest: undefined });
      },
      onMessage: () => {},
    };
    this.chat = new Chat(host);
  }

  /** Lets time pass for what is kept, while there is no page. */
  pass(minutes: number): void {
    if (this.kept?.sending) this.kept.sending.at -= minutes * 60_000;
  }

  tell(...messages: FromHost[]): void {
    for (const message of messages) this.chat.receive(message);
  }
  type(text: string): void {
    this.chat.setDraft(this.chat.state.draft + text);
  }
  enter(): void {
    this.chat.sendDraft();
  }
  all<T extends ToHost['type']>(type: T): Posted<T>[] {
    return this.posted.filter((message) => message.type === type) as Posted<T>[];
  }
  get draft(): string {
    return this.chat.state.draft;
  }
  /** Everything of the next message that the user can still see: in the composer, or set aside over it. */
  get seen(): string {
    return [this.chat.state.aside?.text, this.draft].filter(Boolean).join('|');
  }
  sent(): void {
    this.tell({ type: 'sent', requestId: this.all('send').at(-1)!.requestId });
  }
}

export const told = (messages: Parameters<typeof conversation>[0], part: Parameters<typeof conversation>[1] = {}) =>
  conversation(messages, { chatId: CONVERSATION, ...part } as never);
