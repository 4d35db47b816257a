import { type Context, Hono } from 'hono';
import { SignInQuerySchema } from '../../../shared/auth.ts';
import { PROBLEMS } from '../../../shared/problems.ts';
import { AppError } from '../../platform/errors.ts';
import { KB, takesBody } from '../../platform/http/bodies.ts';
import type { Api, AppContext, AppEnv } from '../../platform/http/env.ts';
import { toAppError } from '../../platform/http/problems.ts';
import type { Log } from '../../platform/log.ts';
import type { Mail, Mailer } from '../../platform/mail.ts';
import { hashKeyed } from '../../platform/secrets.ts';
import { type AuthDeps, networkOf } from '../people/authDeps.ts';
import { mailboxOf, readAddress } from '../people/emails.ts';
import { findAccountOf, type Identified, mailboxesOf, signIn } from '../people/identities.ts';
import { describeAccount, findAccount } from '../people/store.ts';
import { insertCode, peekCode, redeemCode } from '../sessions/codes.ts';
import { decideDevice, findWaiting, readUserCode } from '../sessions/deviceGrants.ts';
import { countMail, MAIL_CODE_MS, offerMailCode, redeemMailCode } from '../sessions/mailCodes.ts';
import { readPageCookie, writePageCookie } from '../sessions/pageCookie.ts';
import { endSession } from '../sessions/sessions.ts';
import { findCaller } from '../sessions/tokens.ts';
import { editorName, isAllowedCallback, withQuery } from './callbacks.ts';
import { type Ceremonies, Unreachable } from './ceremonies.ts';
import { type Flow, Flows, type Purpose } from './flows.ts';
import { joinByLink, joinPage } from './joining.ts';
import { browserName, startPageSession } from './pageSession.ts';
import * as pages from './signInPages.ts';

/** How long an identified person may take to confirm. */
const CONFIRM_MS = 10 * 60_000;
/** How long an editor may take to exchange its code. */
const CODE_MS = 2 * 60_000;
const MAX_FORM = 4 * KB;

const POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

export interface SignInDeps extends AuthDeps {
  log: Log;
  ceremonies: Ceremonies;
  /** Null if the server sends no mail. */
  mailer: Mailer | null;
}

/**
 * The sign-in pages. A flow begins for an editor, for a waiting device, or for the browser itself. A ceremony
 * identifies the person. A page then names the account and the purpose; only a click there gives the editor its code,
 * the device its approval, or the browser its session.
 */
export function signInPages(api: Api, deps: SignInDeps): void {
  const { db, clock, ids, origins, attempts, ceremonies, policy } = deps;
  const offered = { providers: deps.signIn.providers, email: deps.signIn.mail !== null };
  const flows = new Flows(deps, deps.secret);
  const web = new Hono<AppEnv>();

  web.onError((error, c) => {
    const refusal = toAppError(error);
    const { status, title } = PROBLEMS[refusal.code];
    if (status >= 500) deps.log.error({ requestId: c.get('requestId'), err: refusal.cause ?? error }, 'a page failed');
    return show(c, pages.messagePage(title, refusal.detail), status);
  });
  for (const path of ['/sign-in', '/sign-in/*', '/device', '/join/*']) {
    web.use(path, async (c, next) => {
      await next();
      c.header('content-security-policy', POLICY);
      // With no-referrer, browsers would not send the origin with forms.
      c.header('referrer-policy', 'same-origin');
      c.header('cache-control', 'no-store');
    });
    web.post(path, takesBody({ maxBytes: MAX_FORM, type: 'form' }));
    web.post(path, async (c, next) => {
      origins.requireOwnPage(c);
      await next();
    });
  }

  web.get('/sign-in.css', (c) => {
    c.header('cache-control', 'public, max-age=3600');
    return c.body(pages.signInStyles, 200, { 'content-type': 'text/css; charset=utf-8' });
  });

  web.get('/sign-in', async (c) => {
    requireOffered();
    if (c.req.query('callback') === undefined) {
      const to = c.req.query('to') === 'desk' ? ('desk' as const) : undefined;
      return goOn(c, await flows.begin(c, { kind: 'page', to }));
    }
    const query = SignInQuerySchema.safeParse({ ...c.req.query(), callback: readCallback(c.req.query('callback')!) });
    if (!query.success)
      throw new AppError('invalid_request', 'This address is not complete. Start the sign-in again in the editor.');
    const { callback, state, code_challenge: challenge, device_name: name, tool, provider } = query.data;
    if (!isAllowedCallback(callback, policy.accounts.callbacks))
      throw new AppError(
        'invalid_request',
        'This sign-in would return to an address that this server does not know. The operator can allow the address, or you can sign in by a code.',
      );
    const flow = await flows.begin(c, { kind: 'editor', callback, state, challenge, name, tool });
    return provider ? c.redirect(`/sign-in/with/${provider}?flow=${flow.id}`, 303) : goOn(c, flow);
  });

  web.get('/sign-in/start', async (c) => show(c, pages.choosePage(await flowOf(c), offered)));

  web.get('/sign-in/with/:provider', async (c) => {
    const flow = await flowOf(c);
    const provider = ceremonies.provider(c.req.param('provider'));
    if (!provider) throw new AppError('not_offered', 'This server does not offer that.');
    try {
      const { url, cookies } = await ceremonies.begin(origins.home(c), provider, `/sign-in/done?flow=${flow.id}`);
      for (const cookie of cookies) c.header('set-cookie', cookie, { append: true });
      return c.redirect(url, 302);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      return show(
        c,
        pages.choosePage(flow, offered, `${provider.name} can’t be reached right now. Try again later.`),
        502,
      );
    }
  });

  web.get('/api/auth/callback/:provider', async (c) => {
    const provider = ceremonies.provider(c.req.param('provider'));
    if (!provider) throw new AppError('not_offered', 'This server does not offer that.');
    const { search } = new URL(c.req.url);
    const answer = await ceremonies.callback(origins.home(c), provider, search, c.req.header('cookie') ?? '');
    for (const cookie of answer.headers.getSetCookie()) c.header('set-cookie', cookie, { append: true });
    return c.redirect(answer.headers.get('location') ?? '/sign-in/failed', 302);
  });

  web.get('/sign-in/failed', (c) =>
    show(
      c,
      pages.messagePage(
        'The sign-in did not work',
        'It was started in another browser, or too long ago. Start it again.',
      ),
      400,
    ),
  );

  web.get('/sign-in/done', async (c) => {
    const flow = await flowOf(c);
    const { who, cookies } = await ceremonies.takeUp(origins.home(c), c.req.header('cookie') ?? '');
    for (const cookie of cookies) c.header('set-cookie', cookie, { append: true });
    if (!who)
      return show(c, pages.choosePage(flow, offered, 'The sign-in failed. Try again, or sign in another way.'), 400);
    return identified(c, flow, who);
  });

  web.post('/sign-in/email', async (c) => {
    const form = await c.req.parseBody();
    const flow = await flowOf(c, text(form.flow));
    const email = readAddress(text(form.email))?.address;
    const mailbox = email && mailboxOf(email);
    if (!offered.email) throw new AppError('not_offered', 'This server sends no codes by mail.');
    if (!email || !mailbox) return show(c, pages.choosePage(flow, offered, 'This is no email address.'), 400);
    await countMail(attempts, {
      mailbox: hashKeyed(deps.secret, 'attempt', mailbox),
      network: networkOf(deps, c),
      flow: flow.id,
      known: await deps.browsers.find(c, mailbox),
    });
    const of = { holder: flow.secret, mailbox };
    const digits = await db.write((tx) => offerMailCode(tx, deps.secret, of, clock.now()));
    // Not awaited: the mail server's delay must not reveal which addresses are known.
    deps.mailer
      ?.send(codeMail(email, digits))
      .catch((error) => deps.log.error({ err: error }, 'a code was not mailed'));
    await flows.write(c, { ...flow, email });
    return c.redirect(`/sign-in/code?flow=${flow.id}`, 303);
  });

  web.get('/sign-in/code', async (c) => {
    const flow = await flowOf(c);
    return flow.email ? show(c, pages.codePage(flow, flow.email)) : goOn(c, flow);
  });

  web.post('/sign-in/code', async (c) => {
    const form = await c.req.parseBody();
    const flow = await flowOf(c, text(form.flow));
    if (!flow.email) return goOn(c, flow);
    const mailbox = mailboxOf(flow.email)!;
    const code = text(form.code).replace(/\D/g, '');
    const of = { holder: flow.secret, mailbox };
    if (!(await db.write((tx) => redeemMailCode(tx, deps.secret, of, code, clock.now())))) {
      const problem = 'This code is wrong, was used, or has expired. After 5 wrong codes, ask for a new one.';
      return show(c, pages.codePage(flow, flow.email, problem), 400);
    }
    const who = { provider: 'email', subject: mailbox, email: flow.email, emailVerified: true, name: null };
    return identified(c, flow, who);
  });

  web.get('/sign-in/confirm', async (c) => show(c, await confirmation(c, await flowOf(c))));

  web.post('/sign-in/confirm', async (c) => {
    const form = await c.req.parseBody();
    const flow = await flowOf(c, text(form.flow));
    if (text(form.decision) !== 'continue') return cancelled(c, flow);
    const accepted = text(form.terms) === policy.accounts.terms.version;
    // Without a terms page there is nothing to accept; the age is stated beside the button.
    const isAccepted = accepted || !policy.accounts.terms.url;
    const done = await confirmed(c, flow, isAccepted ? policy.accounts.terms.version : null);
    if (done === 'terms') {
      const problem = `Confirm that you are ${policy.accounts.smallestAge} or older and accept the terms.`;
      return show(c, await confirmation(c, flow, problem), 400);
    }
    flows.end(c, flow);
    return done;
  });

  joinPage(web, deps);

  web.get('/device', (c) => {
    requireOffered();
    return show(c, pages.devicePage(readUserCode(c.req.query('user_code') ?? '') ?? ''));
  });

  web.post('/device', async (c) => {
    requireOffered();
    const from = (await deps.browsers.find(c)) ?? networkOf(deps, c);
    await attempts.check('userCode', from);
    const typed = text((await c.req.parseBody()).user_code);
    const userCode = readUserCode(typed);
    const grant = userCode ? await findWaiting(db.read, deps.secret, userCode, clock.now()) : undefined;
    if (!userCode || !grant) {
      await attempts.note('userCode', from);
      return show(c, pages.devicePage(typed, 'No device is waiting for this code. It may have expired.'), 400);
    }
    const { id: grantId, name, tool } = grant;
    return goOn(c, await flows.begin(c, { kind: 'device', grantId, userCode, name, tool }));
  });

  api.route('/', web);

  function requireOffered(): void {
    if (offered.providers.length === 0 && !offered.email)
      throw new AppError('not_offered', 'This server offers no sign-in. Its operator can set one up.');
  }

  function flowOf(c: AppContext, id = c.req.query('flow')): Promise<Flow> {
    return flows.read(c, id);
  }

  function goOn(c: AppContext, flow: Flow) {
    return c.redirect(`/sign-in/start?flow=${flow.id}`, 303);
  }

  /** Stores the identified person until the click, under the secret in the browser's cookie. */
  async function identified(c: AppContext, flow: Flow, who: Identified) {
    await db.write(async (tx) => {
      const at = clock.now();
      await redeemCode(tx, 'identified', flow.secret, at);
      const made = { code: flow.secret, purpose: 'identified' as const, accountId: null, data: who };
      await insertCode(tx, { ...made, expiresAt: at + CONFIRM_MS });
    });
    return c.redirect(`/sign-in/confirm?flow=${flow.id}`, 303);
  }

  async function whoseIs(flow: Flow): Promise<Identified> {
    const found = await peekCode(db.read, 'identified', flow.secret, clock.now());
    if (!found) throw usedUp();
    return found.data;
  }

  async function confirmation(c: AppContext, flow: Flow, problem?: string) {
    const who = await whoseIs(flow);
    const accountId = await findAccountOf(db.read, who);
    const account = accountId ? await describeAccount(db.read, accountId, clock.now()) : null;
    const label = account?.email ?? account?.name ?? who.email ?? who.name ?? 'unnamed';
    const way = ceremonies.provider(who.provider)?.name ?? 'email';
    const there = flow.purpose.kind === 'page' ? await signedInHere(c) : null;
    const other =
      there && there.accountId !== accountId ? await describeAccount(db.read, there.accountId, clock.now()) : null;
    const replaces = other ? (other.email ?? other.name ?? 'Another account') : null;
    const accepted = accountId ? (await findAccount(db.read, accountId))?.terms_version : undefined;
    const { url, version } = policy.accounts.terms;
    const termsDue = account !== null && url !== undefined && accepted !== version;
    return pages.confirmPage(
      flow,
      { label, way, isNew: !account, termsDue: !termsDue ? null : accepted ? 'changed' : 'first', replaces },
      policy.accounts,
      problem,
    );
  }

  function signedInHere(c: AppContext) {
    const token = readPageCookie(c, origins);
    return token ? findCaller(db.read, token, clock.now()) : null;
  }

  async function confirmed(c: AppContext, flow: Flow, terms: string | null) {
    const { purpose } = flow;
    const at = clock.now();
    const code = ids.secret();
    const before = await signedInHere(c);
    let mailboxes: string[] = [];
    const done = await db.write(async (tx) => {
      const found = await peekCode(tx, 'identified', flow.secret, at);
      if (!found) throw usedUp();
      const signed = await signIn(tx, deps, found.data, { terms, at });
      if (signed.accountId === null) return 'terms' as const;
      const { accountId } = signed;
      mailboxes = await mailboxesOf(tx, accountId);
      // Of two clicks at once, only the one that redeems the code continues.
      if (!(await redeemCode(tx, 'identified', flow.secret, at))) throw usedUp();
      if (signed.isNew) await joinByLink(tx, c, deps, { ...signed, signedInHere: before?.accountId ?? null, at });
      if (purpose.kind === 'editor') {
        const { challenge, name, tool } = purpose;
        const made = { code, purpose: 'authorization' as const, accountId, data: { challenge, name, tool } };
        await insertCode(tx, { ...made, expiresAt: at + CODE_MS });
        return null;
      }
      if (purpose.kind === 'device') {
        const approved = await decideDevice(tx, purpose.grantId, { state: 'approved', accountId }, at);
        if (!approved)
          throw new AppError('expired_token', 'The device has stopped waiting. Start the sign-in again on the device.');
        return null;
      }
      if (before) await endSession(tx, before.accountId, before.sessionId, at);
      return { pageToken: await startPageSession(deps, tx, accountId, browserName(c), at) };
    });
    if (done === 'terms') return done;
    await deps.browsers.remember(c, mailboxes);
    if (done) {
      writePageCookie(c, origins, done.pageToken);
      return c.redirect(purpose.kind === 'page' && purpose.to ? `/${purpose.to}` : '/account', 303);
    }
    if (purpose.kind !== 'editor')
      return show(c, pages.messagePage('Approved', 'Continue on your device. You can close this page.'));
    return toEditor(c, 'You are signed in', purpose, { code });
  }

  async function cancelled(c: AppContext, flow: Flow) {
    const { purpose } = flow;
    const at = clock.now();
    await db.write(async (tx) => {
      await redeemCode(tx, 'identified', flow.secret, at);
      if (purpose.kind === 'device') await decideDevice(tx, purpose.grantId, { state: 'denied' }, at);
    });
    flows.end(c, flow);
    if (purpose.kind !== 'editor') return show(c, pages.messagePage('Cancelled', 'Nobody was signed in.'));
    return toEditor(c, 'Cancelled', purpose, { error: 'access_denied' });
  }

  /** Uses a page instead of a redirect: browsers ask before they open an editor, and the page explains why. */
  function toEditor(
    c: AppContext,
    title: string,
    purpose: Purpose & { kind: 'editor' },
    query: Record<string, string>,
  ) {
    const address = withQuery(purpose.callback, { ...query, state: purpose.state });
    return show(c, pages.openEditorPage(title, address, editorName(purpose.callback)));
  }
}

/**
 * The callback, plain or in base64url: some editors re-encode the URLs that they open, which would break an address in
 * the query.
 */
function readCallback(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? Buffer.from(text, 'base64url').toString() : text;
}

function codeMail(to: string, code: string): Mail {
  const text = `${code} is your code to sign in to Perigee.

It is good for ${MAIL_CODE_MS / 60_000} minutes, in the browser that asked for it. Whoever has it can sign in as you: give it to nobody.
If you did not ask for it, there is nothing to do.
`;
  return { to, subject: `${code} is your Perigee code`, text };
}

function show(c: Context<AppEnv>, page: Parameters<Context['html']>[0], status = 200) {
  return c.html(page, status as 200);
}

function text(field: unknown): string {
  return typeof field === 'string' ? field : '';
}

function usedUp(): AppError {
  return new AppError('expired_token', 'This was confirmed before, or it has expired. Start the sign-in again.');
}
