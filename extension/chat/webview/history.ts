import type { ConversationSummary } from '../../../shared/conversations.ts';
import type { FromHost } from '../protocol.ts';

export interface HistoryState {
  open: boolean;
  search: string;
  rows: ConversationSummary[];
  /** What to ask the next page with; null at the end. */
  before: string | null;
  loading: boolean;
  failed: string | null;
}

export const noHistory: HistoryState = {
  open: false,
  search: '',
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
  if (!history.open || page.search !== history.search) return history;
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
