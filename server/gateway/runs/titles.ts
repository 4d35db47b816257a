import type { Usage } from '../../../shared/runs.ts';
import type { Attempts } from '../../accounts/sessions/attempts.ts';
import { readHeads } from '../../conversations/attachments.ts';
import { findFirst } from '../../conversations/history.ts';
import { claimTitle, giveTitle, isUntitled, readOpening } from '../../conversations/titles.ts';
import { bookHouseUse } from '../../credits/journal/houseUse.ts';
import { cost } from '../../credits/rules/pricing.ts';
import { changed } from '../../platform/db/changes.ts';
import type { AnswerRow } from '../../platform/db/schema.ts';
import { titleOf } from '../prompt/prompt.ts';
import { clampUsage, Received } from '../prompt/received.ts';
import { TITLE_TOKENS, titleIn, titlePrompt } from '../prompt/title.ts';
import { boundPromptTokens, estimatePromptTokens } from '../prompt/tokens.ts';
import { pathsOf } from './admit.ts';
import type { TurnDeps } from './turn.ts';

const TIMEOUT_MS = 30_000;

/**
 * After an answer: if its conversation goes on and has the title of its first message, a model gives it another, at the
 * house's cost, so many a day for each account. Once for a conversation, whichever node answered. A failure leaves the title as it is.
 */
export async function titleAfter(
  deps: TurnDeps & { attempts: Attempts },
  run: AnswerRow,
  accountKind: 'guest' | 'member',
): Promise<void> {
  const { db, policy, catalog, clock, ids, log, metrics, draining } = deps;
  const { titles } = policy;
  const conversationId = run.conversation_id;
  if (!titles || run.kind !== 'chat' || run.compacts || draining.aborted) return;
  // Nearly every answer ends here: a write would cost a commit.
  if (!(await isUntitled(db.read, conversationId))) return;
  const cap = accountKind === 'guest' ? 'titleOfGuest' : 'title';
  if (!(await deps.attempts.allows(cap, run.account_id))) return;
  const isDue = await db.write(async (tx) => {
    const first = await findFirst(tx, conversationId);
    if (!first) return false;
    const heads = (await readHeads(tx, [first.id])).get(first.id) ?? [];
    return claimTitle(tx, conversationId, titleOf(first.kind, first.text, pathsOf(heads)));
  });
  if (!isDue) return;
  await deps.attempts.note(cap, run.account_id);
  const model = await catalog.find('member', titles.model).catch((error) => {
    log.warn({ model: titles.model, err: error }, 'a conversation got no title: the model is not there');
  });
  if (!model) return;
  const messages = titlePrompt(await readOpening(db.read, conversationId));
  const received = new Received(estimatePromptTokens(messages));
  const limit = Math.min(TITLE_TOKENS, model.maxOutputTokens);
  const stop = new AbortController();
  const abort = () => stop.abort(new Error('no time for a title'));
  const late = setTimeout(abort, TIMEOUT_MS);
  draining.addEventListener('abort', abort, { once: true });
  let isWhole = false;
  try {
    const thinking = catalog.thinking(model.id, titles.effort ?? null);
    const request = { model: model.id, messages, maxOutputTokens: limit, cacheKey: ids.next(), thinking };
    for await (const { events } of deps.upstream.stream(request, stop.signal)) {
      for (const event of events) {
        received.take(event, 0);
        isWhole ||= event.type === 'finish' && event.why !== 'refusal';
      }
      if (received.isBeyond(limit)) break;
    }
    received.end(0);
  } catch (error) {
    log.warn({ model: model.id, err: error }, 'a conversation got no title');
  } finally {
    clearTimeout(late);
    draining.removeEventListener('abort', abort);
  }
  const reported: Usage = isWhole ? received.usageOfWhole : received.usageOfPart;
  const { usage } = clampUsage(reported, received.boundUsage(boundPromptTokens(messages), limit));
  const title = isWhole ? titleIn(received.text) : null;
  const costMicro = cost(model.price, usage, title !== null);
  await db.write(async (tx) => {
    const use = {
      id: ids.next(),
      purpose: 'title' as const,
      model: model.id,
      usage: reported,
      costMicro,
      at: clock.now(),
    };
    await bookHouseUse(tx, use);
    const accountId = title === null ? null : await giveTitle(tx, conversationId, title);
    if (accountId !== null) changed(tx, accountId, 'conversation', conversationId);
  });
  metrics.housePaid('title', costMicro, reported);
}
