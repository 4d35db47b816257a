import { createRoute } from '@hono/zod-openapi';
import { AccountAnswerSchema, GuestAnswerSchema, type Notice } from '../../shared/account.ts';
import { limitsOf } from '../credits/limits/limits.ts';
import { iso } from '../platform/clock.ts';
import { EVERYONE } from '../platform/db/changes.ts';
import { answers, rawAnswer } from '../platform/http/api.ts';
import type { Api, AppContext } from '../platform/http/env.ts';
import type { Origins } from '../platform/http/origins.ts';
import { eventStream, writePiece } from '../platform/http/streams.ts';
import type { Log } from '../platform/log.ts';
import { findAdvice } from '../risk/flags/store.ts';
import { decisionNotices } from './notices/decisionNotices.ts';
import { noticesOf } from './notices/notices.ts';
import { currentNotices, toNotice } from './notices/operatorNotices.ts';
import { admitGuest, type GuestDeps } from './people/guests.ts';
import { describeAccount, findOwner } from './people/store.ts';
import { PAGES_PER_HOUR } from './sessions/attempts.ts';
import { type AuthenticateDeps, identify } from './sessions/authenticate.ts';
import { termsDue } from './sessions/tokens.ts';

const guest = createRoute({
  method: 'post',
  path: '/api/guest',
  summary: 'A guest account with its token',
  responses: answers(GuestAnswerSchema, 201),
});

const account = createRoute({
  method: 'get',
  path: '/api/account',
  summary: 'Who calls, and what is left',
  responses: answers(AccountAnswerSchema),
});

const events = createRoute({
  method: 'get',
  path: '/api/account/events',
  summary: 'Tells that something changed (SSE, event "change"); fetch it afresh',
  responses: rawAnswer('text/event-stream', 'events `change` with {topic, id}, until the reader leaves'),
});

const HEARTBEAT_MS = 15_000;

export interface AccountDeps extends GuestDeps {
  log: Log;
  /** The address that a request came from, or null for this machine itself. */
  addressOf: (c: AppContext) => string | null;
  /** Aborts when the server shuts down, which ends the streams. */
  closing: AbortSignal;
  origins: Origins;
  /** The current notice to members about prices. */
  priceNotice: () => Notice | null;
}

/** `POST /api/guest`, the only route here that needs no token. */
export function guestRoutes(api: Api, deps: AccountDeps): void {
  api.openapi(guest, async (c) => {
    deps.origins.refuseForeignPage(c);
    const made = await admitGuest(deps, deps.addressOf(c), c.get('device'));
    const account = await describeAccount(deps.db.read, made.accountId, deps.clock.now());
    return c.json({ token: made.token, account }, 201);
  });
}

/** `GET /api/account`. It authenticates by itself, so that one SQL statement reads the caller and the whole answer. */
export function ownerRoutes(api: Api, deps: AccountDeps & AuthenticateDeps): void {
  const { db, clock, policy } = deps;
  api.openapi(account, async (c) => {
    const now = clock.now();
    const owner = await identify(deps, c, (token) => findOwner(db.read, policy, token, now));
    const due = termsDue(owner, deps.termsVersion);
    const account = { ...owner.account, ...(due === null ? {} : { termsDue: due }) };
    const { guests } = policy;
    const isGuest = account.kind === 'guest';
    // Guests are not observed, and nobody decides about them.
    const [client, decisions, current] = await Promise.all([
      isGuest ? null : findAdvice(db.read, account.id),
      isGuest ? [] : decisionNotices(db.read, account, now),
      currentNotices(db.read, now),
    ]);
    const everyone = current.map(toNotice);
    return c.json(
      {
        account,
        balance: await owner.readBalance(),
        limits: {
          ...(isGuest ? { maxInputTokens: guests.maxInputTokens, maxOutputTokens: guests.maxOutputTokens } : {}),
          ...limitsOf(policy.limits, owner),
          ...(policy.fetch.enabled && !isGuest ? { pagesPerHour: PAGES_PER_HOUR } : {}),
        },
        notices: noticesOf(account, { price: deps.priceNotice(), everyone, client, decisions }, iso(now)),
      },
      200,
    );
  });
}

export function accountRoutes(api: Api, { db, log, closing }: AccountDeps): void {
  api.openapi(events, (c) => {
    const { accountId } = c.var;
    return eventStream(
      c,
      async (out, gone) => {
        let wake = () => {};
        const waiting = new Map<string, { topic: string; id: string }>();
        const add = (topic: string, id: string) => {
          // One change per topic and id is enough: the reader fetches again. So a slow reader can't make the list grow.
          waiting.set(`${topic}:${id}`, { topic, id });
          wake();
        };
        const unsubscribe = db.changes.subscribe(accountId, ({ topic, id }) => {
          if (topic !== 'resync') return add(topic, id);
          for (const own of ['account', 'balance', 'sessions', 'keys']) add(own, accountId);
          add('conversation', '');
        });
        const forgetEveryone = db.changes.subscribe(EVERYONE, ({ topic }) => {
          // A resync has already reached the account's own listener.
          if (topic !== 'resync') add(topic, accountId);
        });
        const heartbeat = setInterval(() => wake(), HEARTBEAT_MS);
        const end = () => wake();
        gone.addEventListener('abort', end);
        closing.addEventListener('abort', end);
        try {
          let alive = await writePiece(out, ': hello\n\n', gone);
          while (alive && !gone.aborted && !closing.aborted) {
            if (waiting.size === 0) await new Promise<void>((resolve) => (wake = resolve));
            const piece = [...waiting.values()]
              .map((change) => `event: change\ndata: ${JSON.stringify(change)}\n\n`)
              .join('');
            waiting.clear();
            alive = await writePiece(out, piece || ': still here\n\n', gone);
          }
          if (closing.aborted) out.end();
        } finally {
          clearInterval(heartbeat);
          unsubscribe();
          forgetEveryone();
          gone.removeEventListener('abort', end);
          closing.removeEventListener('abort', end);
        }
      },
      log,
    ) as never;
  });
}
