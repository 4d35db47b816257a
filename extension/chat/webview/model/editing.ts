import type { Conversation } from './conversation.ts';
import type { Host } from './host.ts';
import type { Editing } from './state.ts';

/** The most conversations for which unsent edits of earlier messages are kept. */
const MAX_SAVED_EDITS = 20;

/** The earlier message that is edited in place. The editor keeps it when the window reloads. */
export class EditingInPlace {
  /** The edited message that the host knows of. */
  private told: string | null = null;

  constructor(
    private readonly host: Pick<Host, 'save' | 'saved' | 'post'>,
    private readonly conversation: () => Conversation | null,
    private readonly put: (editing: Editing | null) => void,
  ) {}

  start(messageId: string): void {
    const message = this.conversation()?.messages.find((m) => m.id === messageId);
    if (!message) return;
    this.set({ messageId, text: message.text, keep: (message.attachments ?? []).map((a) => a.id) });
  }

  /** Edits the user's last message. Returns false if there is none. */
  startLast(): boolean {
    const last = this.conversation()?.messages.findLast((m) => m.role === 'user' && m.kind === 'chat');
    if (last) this.start(last.id);
    return last !== undefined;
  }

  set(editing: Editing | null): void {
    this.put(editing);
    this.tell(editing, this.told ?? undefined);
    const id = this.conversation()?.id;
    if (!id) return;
    const { [id]: _, ...others } = this.host.saved()?.edits ?? {};
    const kept = Object.entries(others).slice(-MAX_SAVED_EDITS);
    this.host.save({ edits: Object.fromEntries(editing ? [...kept, [id, editing]] : kept) });
  }

  /** The unfinished edit in this conversation, also from before a reload of the window. */
  leftIn(id: string | null, messages: Conversation['messages']): Editing | null {
    const saved = id === null ? undefined : this.host.saved()?.edits[id];
    const editing = saved && messages.some((m) => m.id === saved.messageId) ? saved : null;
    this.tell(editing);
    return editing;
  }

  /** Tells the host, which has the attachments. `before`: the previous edit, which is cancelled unless it goes on. */
  private tell(editing: Editing | null, before?: string): void {
    const messageId = editing?.messageId ?? null;
    if (messageId === this.told) return;
    this.told = messageId;
    this.host.post({ type: 'editing', messageId, ...(before && { dropped: before }) });
  }
}
