import type { ConversationSummary } from '../../../../shared/conversations.ts';
import type { FromHost, HistoryKind, ToHost } from '../../protocol.ts';

export interface HistoryState {
  open: boolean;
  search: string;
  /** Which conversations are listed, by what they began as; null: all. */
  kind: HistoryKind;
  rows: ConversationSummary[];
  /** What to ask the next page with; null at the end. */
  before: string | null;
  loading: boolean;
  failed: string | null;
}

export const noHistory: HistoryState = {
  open: false,
  search: '',
  kind: 'chat',
  rows: [],
  before: null,
  loading: false,
  failed: null,
};

type Page = Extract<FromHost, { type: 'historyPage' }>;

/**
 * A page of the list; answers to an earlier search are dropped. The first page may come again at any time because
 * something changed: it replaces what it covers, and pages that were read already stay under it.
 */
export function putPage(history: HistoryState, page: Page): HistoryState {
  if (!history.open || page.search !== history.search || page.kind !== history.kind) return history;
  const ids = new Set(page.conversations.map((c) => c.id));
  const others = history.rows.filter((r) => !ids.has(r.id));
  const base = { ...history, loading: false, failed: null };
  if (!page.first) return { ...base, rows: [...others, ...page.conversations], before: page.before };
  const last = page.conversations.at(-1);
  const isRefresh = !history.loading && last !== undefined && page.before !== null;
  if (!isRefresh) return { ...base, rows: page.conversations, before: page.before };
  const below = others.filter((r) => r.updatedAt < last.updatedAt);
  return { ...base, rows: [...page.conversations, ...below], before: below.length ? history.before : page.before };
}

/** What the user does in the history. */
export class HistoryPanel {
  constructor(
    private readonly post: (message: ToHost) => void,
    private readonly get: () => HistoryState,
    private readonly set: (history: HistoryState) => void,
  ) {}

  open(): void {
    if (this.get().open) return;
    this.set({ ...noHistory, open: true });
    this.ask({});
  }

  close(): void {
    this.set(noHistory);
  }

  /** Lists what is searched for, or conversations of another kind; or the same anew. */
  ask(part: Partial<Pick<HistoryState, 'search' | 'kind'>>): void {
    const history = { ...this.get(), ...part, loading: true, failed: null };
    const isOther = part.kind !== undefined && part.kind !== this.get().kind;
    this.set(isOther ? { ...history, rows: [], before: null } : history);
    this.post({ type: 'history', search: history.search, kind: history.kind, before: null });
  }

  more(): void {
    const history = this.get();
    if (history.loading || history.failed !== null || history.before === null) return;
    this.set({ ...history, loading: true });
    this.post({ type: 'history', search: history.search, kind: history.kind, before: history.before });
  }

  /** The row goes when the host sends the list anew: a refusal leaves it where it is. */
  delete(id: string): void {
    this.post({ type: 'delete', id });
  }
}
