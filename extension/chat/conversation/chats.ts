import type { OpenConversation } from './openConversation.ts';

/** The chat that is shown, and behind it those that are followed because messages of their own wait for an answer. */
export class Chats {
  private current: OpenConversation;
  private readonly behind = new Map<string, OpenConversation>();

  constructor(
    openId: string,
    private readonly deps: {
      make(id: string): OpenConversation;
      /** Whether messages of this chat wait for an answer. */
      isWaiting(chatId: string): boolean;
    },
  ) {
    this.current = deps.make(openId);
  }

  get shown(): OpenConversation {
    return this.current;
  }

  /** The chat in which something was written; by default the one that is shown. The view may show another by now. */
  of(chatId: string | undefined): OpenConversation {
    if (chatId === undefined || chatId === this.current.id) return this.current;
    return this.behind.get(chatId) ?? this.deps.make(chatId);
  }

  isFollowed(chat: OpenConversation): boolean {
    return chat === this.current || chat === this.behind.get(chat.id);
  }

  /** Goes on following a chat from `of`. */
  follow(chat: OpenConversation): void {
    if (chat !== this.current) this.behind.set(chat.id, chat);
  }

  /** Is done with a chat from `of`. */
  leave(chat: OpenConversation): void {
    if (!this.isFollowed(chat)) chat.dispose();
  }

  show(id: string): void {
    this.behind.set(this.current.id, this.current);
    this.current = this.behind.get(id) ?? this.deps.make(id);
    this.behind.delete(id);
    this.leaveBehind();
  }

  /** Follows no longer the chats that are not shown and have nothing to send; with `all`, none of them. */
  leaveBehind(all = false): void {
    for (const [id, chat] of this.behind) {
      if (!all && this.deps.isWaiting(id)) continue;
      this.behind.delete(id);
      chat.dispose();
    }
  }

  refreshBehind(): void {
    for (const chat of this.behind.values()) void chat.refresh().catch(() => {});
  }

  dispose(): void {
    this.leaveBehind(true);
    this.current.dispose();
  }
}
