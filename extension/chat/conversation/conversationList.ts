import * as vscode from 'vscode';
import type { Session } from '../../account/session/session.ts';
import type { Backend } from '../../backend.ts';
import { Disposable } from '../../platform/dispose.ts';
import { BackendError } from '../../platform/server/backendError.ts';
import { saveMarkdown } from '../actions.ts';
import type { FromHost, HistoryKind, ToHost } from '../protocol.ts';

/** An answer causes many changes; the list need not be updated for each. */
const CALM_MS = 500;
/** The view does not report when its list closes. Without a request for this long, the list counts as closed. */
const OPEN_MS = 120_000;

interface Asked {
  search: string;
  kind: HistoryKind;
}

/** The history in the view: pages of the server's list, sent again after each change. */
export class ConversationList extends Disposable {
  private asked: Asked = { search: '', kind: null };
  private askedAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    private readonly backend: Backend,
    private readonly post: (message: FromHost) => void,
  ) {
    super();
    this._register(session.onDidChangeConversation(() => this.changed()));
    this._register({ dispose: () => clearTimeout(this.timer) });
  }

  /** Sends a page to the view: the first one, or the one that follows `before`. Never rejects. */
  async tell({ search, kind }: Asked, before: string | null): Promise<void> {
    this.asked = { search, kind };
    this.askedAt = Date.now();
    await this.fetch(before);
  }

  async change({ id, ...change }: Extract<ToHost, { type: 'rename' | 'pin' | 'summary' }>): Promise<void> {
    const { type: _, ...patch } = change;
    await this.session.call((who) => this.backend.change(who, id, patch));
    await this.fetch(null);
  }

  async delete(id: string): Promise<void> {
    await this.session.call((who) => this.backend.delete(who, id));
    await this.fetch(null);
  }

  /** Saves a conversation in a file that the user chooses, or puts it on the clipboard. */
  take({ type, id }: Extract<ToHost, { type: 'export' | 'copyConversation' }>): Promise<void> {
    return type === 'export' ? this.save(id) : this.copy(id);
  }

  private async save(id: string): Promise<void> {
    const markdown = await this.session.call((who) => this.backend.exportMarkdown(who, id));
    // The title is the first heading of the Markdown, so that this works for a conversation that is not open.
    const title = /^#\s+(.+)$/m.exec(markdown)?.[1] ?? 'Conversation';
    await saveMarkdown(title, markdown);
  }

  private async copy(id: string): Promise<void> {
    const markdown = await this.session.call((who) => this.backend.exportMarkdown(who, id));
    await vscode.env.clipboard.writeText(markdown);
    vscode.window.setStatusBarMessage('The conversation was copied as Markdown', 4000);
  }

  private changed(): void {
    if (Date.now() - this.askedAt > OPEN_MS) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.fetch(null);
    }, CALM_MS);
  }

  private async fetch(before: string | null): Promise<void> {
    const { search, kind } = this.asked;
    const query = { search, kind: kind ?? undefined, before: before ?? undefined };
    try {
      const page = await this.session.call((who) => this.backend.conversations(who, query));
      const { conversations } = page;
      this.post({ type: 'historyPage', search, kind, conversations, before: page.before, first: before === null });
    } catch (error) {
      this.post({ type: 'historyFailed', search, kind, text: BackendError.from(error).problem.detail });
    }
  }
}
