import type { ConversationSummary } from '../../../../shared/conversations.ts';
import type { FromHost, HistoryKind, ToHost } from '../../protocol.ts';

export interface HistoryState {
  open: boolean;
  search: string;
  /** Lists only conversations that began as this kind; null: all. */
  kind: HistoryKind;
  rows: ConversationSummary[];
  /** Cursor for the next page; null at the end. */
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
 * Adds a page of the list, unless it answers an earlier search. The first page may come again whenever something
 * changes: it replaces the part that it covers, and later pages stay below it.
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
  const below = rowsBelow(others, last);
  return { ...base, rows: [...page.conversations, ...below], before: below.length ? history.before : page.before };
}

/** The rows that still come after the last one of a page. Behind one that is not pinned, none is. */
function rowsBelow(rows: readonly ConversationSummary[], last: ConversationSummary): ConversationSummary[] {
  if (last.pinned) return rows.filter((row) => !row.pinned || row.updatedAt < last.updatedAt);
  const bare = rows.map((row) => (row.pinned ? { ...row, pinned: undefined } : row));
  return bare.filter((row) => row.updatedAt < last.updatedAt).sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
}

/** The user's actions in the history. */
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

  /** Requests the list for another search or kind, or the same again. */
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

  pin(id: string, pinned: boolean): void {
    this.post({ type: 'pin', id, pinned });
  }

  /** The row disappears when the host sends the list again, so it stays if the deletion is refused. */
  delete(id: string): void {
    this.post({ type: 'delete', id });
  }
}
