import type { Memento } from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import type { StoredChip } from './attachments.ts';

/** The text and attachments typed in a conversation, and the run that may already have been started with them. */
export interface Draft {
  text: string;
  chips: StoredChip[];
  /** Files that the user excluded from the implicit context of this chat, by URI, the latest last. */
  without?: string[];
  /** Stored before its request is sent: if the answer is lost, a retry names the same run. `chips`: their ids. */
  pending?: { runId: string; text: string; replaces?: string; chips?: string[] };
}

/** A longer text is stored only when typing pauses, because the editor writes all of an extension's state each time. */
const LARGE = 20_000;
const PAUSE_MS = 400;

/**
 * Drafts by conversation, stored by the editor across reloads, kills and sign-outs. Each window has its own drafts, so
 * that two windows with the same conversation do not overwrite each other. A window without a draft starts with the
 * other window's.
 */
export class Drafts extends Disposable {
  private readonly current = new Map<string, Draft>();
  private readonly waiting = new Map<string, ReturnType<typeof setTimeout>>();

  /** `memory` belongs to this window, `shared` to all windows. */
  constructor(
    private readonly memory: Memento,
    private readonly shared: Memento = memory,
  ) {
    super();
    this._register({ dispose: () => this.flush() });
  }

  get(conversationId: string): Draft {
    let draft = this.current.get(conversationId);
    if (!draft) {
      const name = key(conversationId);
      const stored = this.memory.get<Partial<Draft>>(name) ?? this.shared.get<Partial<Draft>>(name);
      draft = {
        text: stored?.text ?? '',
        chips: stored?.chips ?? [],
        without: stored?.without,
        pending: stored?.pending,
      };
      this.current.set(conversationId, draft);
    }
    return draft;
  }

  /** Changes a draft. Resolves once the editor has stored it. Small drafts are stored at once. */
  async update(conversationId: string, change: Partial<Draft>): Promise<void> {
    const draft = { ...this.get(conversationId), ...change };
    this.current.set(conversationId, draft);
    clearTimeout(this.waiting.get(conversationId));
    this.waiting.delete(conversationId);
    if (size(draft) > LARGE && !('pending' in change)) {
      this.waiting.set(
        conversationId,
        setTimeout(() => {
          this.waiting.delete(conversationId);
          void this.store(conversationId);
        }, PAUSE_MS),
      );
      return;
    }
    await this.store(conversationId);
  }

  private async store(conversationId: string): Promise<void> {
    const { text, chips, without, pending } = this.get(conversationId);
    const isEmpty = text === '' && chips.length === 0 && !without?.length && !pending;
    const draft = isEmpty ? undefined : { text, chips, without, pending };
    const places = new Set([this.memory, this.shared]);
    await Promise.all([...places].map((place) => place.update(key(conversationId), draft)));
  }

  private flush(): void {
    for (const [conversationId, timer] of this.waiting) {
      clearTimeout(timer);
      void this.store(conversationId);
    }
    this.waiting.clear();
  }
}

const key = (conversationId: string) => `draft ${conversationId}`;
const size = ({ text, chips }: Draft) => text.length + chips.reduce((sum, chip) => sum + (chip.text?.length ?? 0), 0);
