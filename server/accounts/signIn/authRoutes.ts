import { createRoute, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import {
  DeviceAnswerSchema,
  DeviceRequestSchema,
  LOCAL_GRANT,
  PageAnswerSchema,
  PageCodeAnswerSchema,
  PageRequestSchema,
  SessionsAnswerSchema,
  type SignInOptions,
  SignInOptionsSchema,
  TokenAnswerSchema,
  TokenRequestSchema,
} from '../../../shared/auth.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import { answers, emptyAnswer } from '../../platform/http/api.ts';
import { jsonBody, KB } from '../../platform/http/bodies.ts';
import type { Api, AppContext, AppEnv } from '../../platform/http/env.ts';
import { type AuthDeps, networkOf } from '../people/authDeps.ts';
import { describeAccount } from '../people/store.ts';
import { insertCode, peekCode, redeemCode } from '../sessions/codes.ts';
import { DEVICE_MS, insertDeviceGrant, makeUserCode } from '../sessions/deviceGrants.ts';
import { offerLocalToken } from '../sessions/local.ts';
import { dropPageCookie, readPageCookie, writePageCookie } from '../sessions/pageCookie.ts';
import { endSession, listSessions } from '../sessions/sessions.ts';
import { findCaller } from '../sessions/tokens.ts';
import { grantSession, refresh } from './grants.ts';
import { browserName, startPageSession } from './pageSession.ts';

/** How long a link to the member's page can be opened. */
const PAGE_CODE_MS = 60_000;

/** Codes, a verifier, names: each field has at most 200 characters. */
const MAX_BODY = 4 * KB;

const options = createRoute({
  method: 'get',
  path: '/api/auth/options',
  summary: 'How one can sign in here',
  responses: answers(SignInOptionsSchema),
});

const token = createRoute({
  method: 'post',
  path: '/api/auth/token',
  summary: 'Exchanges a code for a token that is bound to the key of the DPoP header',
  request: { body: jsonBody(TokenRequestSchema, MAX_BODY) },
  responses: answers(TokenAnswerSchema),
});

const device = createRoute({
  method: 'post',
  path: '/api/auth/device',
  summary: 'A code to type in another browser (RFC 8628); only the key of the DPoP header can redeem it',
  request: { body: jsonBody(DeviceRequestSchema, MAX_BODY) },
  responses: answers(DeviceAnswerSchema),
});

const page = createRoute({
  method: 'post',
  path: '/api/auth/page',
  summary: 'Whose a code of the member’s page is; with `confirm`, signs the browser in',
  request: { body: jsonBody(PageRequestSchema, MAX_BODY) },
  responses: answers(PageAnswerSchema),
});

const refreshRoute = createRoute({
  method: 'post',
  path: '/api/auth/refresh',
  summary: 'Another token for this session; the one before it lives 10 minutes more',
  responses: answers(TokenAnswerSchema),
});

const signOut = createRoute({
  method: 'post',
  path: '/api/auth/sign-out',
  summary: 'Ends this session at once',
  responses: emptyAnswer,
});

const pageCode = createRoute({
  method: 'post',
  path: '/api/auth/page-code',
  summary: 'A code that opens the member’s page signed in, once, within a minute',
  responses: answers(PageCodeAnswerSchema, 201),
});

const sessions = createRoute({
  method: 'get',
  path: '/api/sessions',
  summary: 'Devices, tools and browsers that are signed in',
  responses: answers(SessionsAnswerSchema),
});

const end = createRoute({
  method: 'delete',
  path: '/api/sessions/{id}',
  summary: 'Ends one of them; its streams close within a second',
  request: { params: z.object({ id: z.uuid() }) },
  responses: emptyAnswer,
});

/** Refusals of devices that behave correctly. */
const WAITS = new Set<string>(['authorization_pending', 'slow_down']);

/** The routes for callers who are not signed in. */
export function signInApiRoutes(api: Api, deps: AuthDeps): void {
  const { db, clock, ids, origins, proofs, attempts, policy } = deps;
  const offered = offeredBy(deps);
  /** The caller's key; the caller has no token yet. */
  const proofOf = (c: AppContext) => {
    const path = new URL(c.req.url).pathname;
    const urls = origins.of(c).map((origin) => origin + path);
    return proofs.check(c.req.header('dpop'), { method: c.req.method, urls });
  };

  api.openapi(options, (c) => c.json(offered, 200));

  /** Counts a call before its body is read. Takes it back if the call is answered or only has to wait. */
  const knock: MiddlewareHandler<AppEnv> = async (c, next) => {
    const from = networkOf(deps, c);
    await attempts.count('knock', from);
    await next();
    const isRight = c.res.status < 400 || (c.error instanceof AppError && WAITS.has(c.error.code));
    if (isRight) await attempts.giveBack('knock', from);
  };

  api.openapi({ ...token, middleware: knock }, async (c) => {
    const from = networkOf(deps, c);
    const jkt = await proofOf(c);
    const request = c.req.valid('json');
    const isLocal = request.grant_type === LOCAL_GRANT;
    if (isLocal && (!deps.publishLocalToken || deps.addressOf(c) !== null))
      throw new AppError('not_offered', 'Local sign-in is for the user of the machine that the server runs on.');
    // Only programs on this machine can guess here, so no stranger can lock its user out.
    if (isLocal) await attempts.check('grant', from);
    try {
      c.header('cache-control', 'no-store');
      const answer = await grantSession(deps, request, jkt);
      if (isLocal) await offerLocalToken(deps, deps.publishLocalToken!);
      return c.json(answer, 200);
    } catch (error) {
      if (error instanceof AppError && error.code === 'invalid_grant') await attempts.count('grant', from);
      throw error;
    }
  });

  api.openapi({ ...device, middleware: knock }, async (c) => {
    if (!offered.device) throw new AppError('not_offered', 'This server offers no sign-in.');
    await attempts.count('device', networkOf(deps, c));
    const jkt = await proofOf(c);
    const { device_name: name, tool } = c.req.valid('json');
    const made = { id: ids.next(), deviceCode: ids.secret(), name, tool, jkt, at: clock.now() };
    let userCode = makeUserCode();
    while (!(await db.write((tx) => insertDeviceGrant(tx, deps.secret, { ...made, userCode }))))
      userCode = makeUserCode();
    const uri = `${origins.home(c)}/device`;
    c.header('cache-control', 'no-store');
    return c.json(
      {
        device_code: made.deviceCode,
        user_code: userCode,
        verification_uri: uri,
        verification_uri_complete: `${uri}?user_code=${userCode}`,
        expires_in: DEVICE_MS / 1000,
        interval: 5,
      },
      200,
    );
  });

  const ownPage: MiddlewareHandler<AppEnv> = async (c, next) => {
    origins.requireOwnPage(c);
    await next();
  };

  api.openapi({ ...page, middleware: [ownPage, knock] }, async (c) => {
    const from = networkOf(deps, c);
    const { code, confirm } = c.req.valid('json');
    const at = clock.now();
    const known = await peekCode(db.read, 'page', code, at);
    if (!known?.accountId) {
      await attempts.count('grant', from);
      throw new AppError(
        'invalid_grant',
        'This link was used, or is older than a minute. Open the account page from the editor again.',
      );
    }
    const account = await describeAccount(db.read, known.accountId, at);
    const cookie = readPageCookie(c, origins);
    const before = cookie ? await findCaller(db.read, cookie, at) : null;
    if (confirm) await openPage(deps, c, { code, accountId: account.id, before });
    const replaced = before && before.accountId !== account.id ? before.accountId : null;
    const replaces = replaced ? await describeAccount(db.read, replaced, at) : undefined;
    return c.json({ account, ...(replaces ? { replaces } : {}) }, 200);
  });

  function offeredBy({ signIn, publishLocalToken }: AuthDeps): SignInOptions {
    const { bonusMicro, smallestAge, terms } = policy.accounts;
    return {
      providers: signIn.providers.map(({ id, name }) => ({ id, name })),
      email: signIn.mail !== null,
      device: signIn.providers.length > 0 || signIn.mail !== null,
      local: publishLocalToken !== null,
      guests: policy.guests.enabled,
      bonusMicro,
      smallestAge,
      terms,
    };
  }
}

/** Signs a browser in by a code. Its previous session ends, so that two people never share one. */
async function openPage(
  deps: AuthDeps,
  c: AppContext,
  { code, accountId, before }: { code: string; accountId: string; before: Awaited<ReturnType<typeof findCaller>> },
): Promise<void> {
  const { db, clock, origins } = deps;
  const at = clock.now();
  const token = await db.write(async (tx) => {
    if (!(await redeemCode(tx, 'page', code, at)))
      throw new AppError('invalid_grant', 'This link was used already. Open the account page from the editor again.');
    if (before) await endSession(tx, before.accountId, before.sessionId, at);
    return startPageSession(deps, tx, accountId, browserName(c), at);
  });
  writePageCookie(c, origins, token);
}

/** The session routes of a signed-in caller. */
export function sessionRoutes(api: Api, deps: AuthDeps): void {
  const { db, clock, ids, origins } = deps;

  api.openapi(refreshRoute, async (c) => {
    const given = /^DPoP (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (!given) throw new AppError('invalid_request', 'Only a token that is bound to a key can be refreshed.');
    c.header('cache-control', 'no-store');
    return c.json(await refresh(deps, { ...c.var, token: given }), 200);
  });

  api.openapi(signOut, async (c) => {
    const { accountId, sessionId } = c.var;
    await db.write((tx) => endSession(tx, accountId, sessionId, clock.now()));
    if (readPageCookie(c, origins)) dropPageCookie(c, origins);
    return c.body(null, 204);
  });

  api.openapi(pageCode, async (c) => {
    const { accountId } = c.var;
    const code = ids.secret();
    const expiresAt = clock.now() + PAGE_CODE_MS;
    await db.write((tx) => insertCode(tx, { code, purpose: 'page', accountId, data: {}, expiresAt }));
    c.header('cache-control', 'no-store');
    return c.json({ code, expires_in: PAGE_CODE_MS / 1000 }, 201);
  });

  api.openapi(sessions, async (c) =>
    c.json({ sessions: await listSessions(db.read, c.get('accountId'), c.get('sessionId')) }, 200),
  );

  api.openapi(end, async (c) => {
    const { accountId } = c.var;
    const { id } = c.req.valid('param');
    if (!(await db.write((tx) => endSession(tx, accountId, id, clock.now())))) throw notFound('session');
    return c.body(null, 204);
  });
}
