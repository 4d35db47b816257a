import type { Conversation } from './conversation.ts';
import type { Editing, Host } from './host.ts';

/** Unsent edits of earlier messages are kept for so many conversations. */
const MAX_SAVED_EDITS = 20;

/** The earlier message that is being edited in place, kept by the editor over reloads of the window. */
export class EditingInPlace {
  constructor(
    private readonly host: Pick<Host, 'save' | 'saved'>,
    private readonly conversation: () => Conversation | null,
    private readonly put: (editing: Editing | null) => void,
  ) {}

  start(messageId: string): void {
    const message = this.conversation()?.messages.find((m) => m.id === messageId);
    if (!message) return;
    this.set({ messageId, text: message.text, keep: (message.attachments ?? []).map((a) => a.id) });
  }

  /** The user's last message; false when there is none. */
  startLast(): boolean {
    const last = this.conversation()?.messages.findLast((m) => m.role === 'user' && m.kind === 'chat');
    if (last) this.start(last.id);
    return last !== undefined;
  }

  set(editing: Editing | null): void {
    this.put(editing);
    const id = this.conversation()?.id;
    if (!id) return;
    const { [id]: _, ...others } = this.host.saved()?.edits ?? {};
    const kept = Object.entries(others).slice(-MAX_SAVED_EDITS);
    this.host.save({ edits: Object.fromEntries(editing ? [...kept, [id, editing]] : kept) });
  }

  /** What was left open in this conversation, also before the window was reloaded. */
  leftIn(id: string | null, messages: Conversation['messages']): Editing | null {
    const editing = id === null ? undefined : this.host.saved()?.edits[id];
    return editing && messages.some((m) => m.id === editing.messageId) ? editing : null;
  }
}
