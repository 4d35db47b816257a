import * as vscode from 'vscode';
import { timeOrderedId } from '../../../shared/ids.ts';
import { formatSpentWithUnit } from '../../../shared/money/meter.ts';
import { REASONS, type Run, type RunEvent, type RunRequest } from '../../../shared/runs.ts';
import type { Session } from '../../account/session/session.ts';
import type { Backend } from '../../backend.ts';
import type { Instructions } from '../../platform/instructions/instructions.ts';
import { BackendError } from '../../platform/server/backendError.ts';
import { LAST_EVENT_MS } from '../../platform/server/backoff.ts';
import { noticeOf } from '../failures.ts';
import type { AskedHere } from './askedHere.ts';
import { referred } from './references.ts';

/** What the result of an answer keeps in VS Code's history, for the next question. */
type Kept = {
  conversationId: string;
  /** The message with the answer. */
  messageId: string;
};

type Ended = Extract<RunEvent, { type: 'done' | 'error' }>;

/**
 * Answers `@perigee`. Each question is a run in a conversation of the account, so the answer goes on at the server, and
 * the conversation is in Perigee's own chat, on all devices.
 */
export class Participant {
  constructor(
    private readonly deps: {
      session: Session;
      backend: Backend;
      instructions: Pick<Instructions, 'take'>;
      askedHere: AskedHere;
    },
    private readonly lastEventMs = LAST_EVENT_MS,
  ) {}

  async answer(
    request: vscode.ChatRequest,
    { history }: vscode.ChatContext,
    stream: vscode.ChatResponseStream,
    token: vscode.CancellationToken,
  ): Promise<vscode.ChatResult> {
    const { session } = this.deps;
    let metadata: Kept | undefined;
    try {
      const { attachments, files, leftOut } = await referred(request.references);
      for (const why of leftOut) stream.markdown(new vscode.MarkdownString().appendText(why).appendMarkdown('\n\n'));
      const instructions = await this.deps.instructions.take(files);
      const place = await this.placeAfter(history);
      if (token.isCancellationRequested) return {};
      const question: RunRequest = {
        id: timeOrderedId(),
        kind: 'chat',
        ...place,
        model: request.model?.vendor === 'perigee' ? request.model.id : undefined,
        input: {
          text: request.prompt,
          attachments: attachments.length > 0 ? attachments : undefined,
          instructions: instructions.length > 0 ? instructions : undefined,
        },
      };
      const { run } = await session.call((who) => this.deps.backend.startRun(who, question));
      this.deps.askedHere.add(run.id);
      metadata = { conversationId: run.conversationId, messageId: run.messageId };
      const ended = await this.follow(run, stream, token);
      const cost = this.costOf(ended);
      if (ended.type === 'done') stream.markdown(`\n\n*${cost}*`);
      const there = [run.conversationId];
      stream.button({ command: 'perigee.openConversation', title: 'Open in Perigee’s chat', arguments: there });
      if (ended.type === 'done') return { metadata };
      return { metadata, errorDetails: { message: `${ended.data.title}. ${ended.data.detail} ${cost}.` } };
    } catch (error) {
      // The answer may go on at the server, also if it can't be read here.
      if (token.isCancellationRequested) return { metadata };
      const { text, action } = noticeOf(error);
      if (action?.command === 'openDecisions')
        stream.button({ command: 'perigee.openAccount', title: action.label, arguments: ['decisions'] });
      else if (action) stream.button({ command: `perigee.${action.command}`, title: action.label });
      return { metadata, errorDetails: { message: text } };
    }
  }

  /** Writes the answer as it comes, to its end. The user's stop is sent on; what came until then is charged. */
  private async follow(run: Run, stream: vscode.ChatResponseStream, token: vscode.CancellationToken): Promise<Ended> {
    const { session, backend } = this.deps;
    const tail = new AbortController();
    let late: ReturnType<typeof setTimeout> | undefined;
    const stop = () => {
      void session.call((who) => backend.stopRun(who, run.id)).catch(() => {});
      // Offline, the events would be asked for without end.
      late ??= setTimeout(() => tail.abort(new Error('the last event is late')), this.lastEventMs);
    };
    const stopping = token.onCancellationRequested(stop);
    if (token.isCancellationRequested) stop();
    const who = await session.credential();
    let shown = 0;
    let isThinking = false;
    try {
      for await (const event of backend.runEvents(who, run.id, 0, tail.signal)) {
        if (event.type === 'done' || event.type === 'error') return event;
        if (event.type === 'thinking' && !isThinking) {
          isThinking = true;
          stream.progress('Thinking …');
        }
        if (event.type !== 'text') continue;
        const { text, at } = event.data;
        // An empty text takes back what was a thought. What is shown here can't be taken back, so the answer begins anew.
        if (text === '' && at < shown) stream.markdown('\n\n---\n\n');
        else stream.markdown(new vscode.MarkdownString(text.slice(Math.max(0, shown - at))));
        shown = at + text.length;
      }
      throw BackendError.offline('The answer broke off.');
    } catch (error) {
      await session.failed(error, who);
      throw error;
    } finally {
      clearTimeout(late);
      stopping.dispose();
    }
  }

  /**
   * Where the question belongs: behind the last answer that VS Code shows, in the same conversation. If the user went
   * back to an earlier question there, what followed it is superseded here as well, unless some of it was asked elsewhere:
   * VS Code never showed that, so the user did not take it back. Questions that never started, and those of a window that
   * closed before their answer ended, keep nothing in the history; the latter are still wanted.
   */
  private async placeAfter(
    history: vscode.ChatContext['history'],
  ): Promise<{ conversationId: string; replaces?: string }> {
    const { session, backend } = this.deps;
    const answers = history.filter((turn) => turn instanceof vscode.ChatResponseTurn).map(keptOf);
    const last = answers.findLast((kept) => kept !== undefined);
    if (!last) return { conversationId: timeOrderedId() };
    const { conversationId, messageId } = last;
    try {
      const { messages } = await session.call((who) => backend.conversation(who, conversationId, { limit: 50 }));
      const at = messages.findIndex(({ id }) => id === messageId);
      if (at < 0) return { conversationId: timeOrderedId() };
      const later = messages.slice(at + 1);
      const isTakenBack = answers.at(-1) === last && this.deps.askedHere.hasAll(later);
      return { conversationId, replaces: isTakenBack ? later[0]?.id : undefined };
    } catch (error) {
      // Deleted, or of the account before.
      if (BackendError.from(error).problem.code === 'not_found') return { conversationId: timeOrderedId() };
      throw error;
    }
  }

  private costOf({ data, type }: Ended): string {
    const isGuest = this.deps.session.account?.kind === 'guest';
    const cost = data.chargedMicro > 0 ? formatSpentWithUnit(data.chargedMicro, isGuest) : 'Not charged';
    if (type === 'error') return cost;
    if (data.reason) return REASONS[data.reason];
    return data.cutShort ? `${cost}. The answer was cut short at its longest.` : cost;
  }
}

function keptOf({ result }: vscode.ChatResponseTurn): Kept | undefined {
  const { conversationId, messageId } = (result.metadata ?? {}) as Partial<Kept>;
  return conversationId === undefined || messageId === undefined ? undefined : { conversationId, messageId };
}
