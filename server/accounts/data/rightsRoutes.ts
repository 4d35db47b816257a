import { createRoute } from '@hono/zod-openapi';
import {
  AccountSchema,
  ClosingAnswerSchema,
  EmailConfirmSchema,
  EmailRequestSchema,
  ProfilePatchSchema,
  TermsRequestSchema,
} from '../../../shared/account.ts';
import { iso } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import { answers, emptyAnswer } from '../../platform/http/api.ts';
import { jsonBody, KB } from '../../platform/http/bodies.ts';
import type { Api, AppContext } from '../../platform/http/env.ts';
import type { Log } from '../../platform/log.ts';
import type { Mail, Mailer } from '../../platform/mail.ts';
import { hashKeyed } from '../../platform/secrets.ts';
import { type AuthDeps, networkOf } from '../people/authDeps.ts';
import { confirmEmail, holderOfChange } from '../people/emailChange.ts';
import { mailboxOf, readAddress } from '../people/emails.ts';
import { findAccountByMailbox } from '../people/identities.ts';
import { acceptTerms, closeAccount, correctProfile, keepAccount } from '../people/rights.ts';
import { describeAccount, findAccount } from '../people/store.ts';
import { countMail, MAIL_CODE_MS, offerMailCode, redeemMailCode } from '../sessions/mailCodes.ts';

const MAX_BODY = 4 * KB;

const profile = createRoute({
  method: 'patch',
  path: '/api/account',
  summary: 'Correct the profile',
  request: { body: jsonBody(ProfilePatchSchema, MAX_BODY) },
  responses: answers(AccountSchema),
});

const terms = createRoute({
  method: 'post',
  path: '/api/account/terms',
  summary: 'Accept the terms of use as they are now',
  request: { body: jsonBody(TermsRequestSchema, MAX_BODY) },
  responses: emptyAnswer,
});

const email = createRoute({
  method: 'post',
  path: '/api/account/email',
  summary: 'Mail a code to an address that shall be the account’s',
  request: { body: jsonBody(EmailRequestSchema, MAX_BODY) },
  responses: emptyAnswer,
});

const confirm = createRoute({
  method: 'post',
  path: '/api/account/email/confirm',
  summary: 'Take the address whose code this is',
  request: { body: jsonBody(EmailConfirmSchema, MAX_BODY) },
  responses: emptyAnswer,
});

const close = createRoute({
  method: 'post',
  path: '/api/account/closing',
  summary: 'Close the account; it is deleted after some days, until which it can be kept',
  responses: answers(ClosingAnswerSchema),
});

const keep = createRoute({
  method: 'delete',
  path: '/api/account/closing',
  summary: 'Keep an account that was closed',
  responses: emptyAnswer,
});

export interface RightsDeps extends AuthDeps {
  log: Log;
  /** Null: the server sends no mail. */
  mailer: Mailer | null;
}

/** What account owners may do with their account, suspended or not. */
export function rightsRoutes(api: Api, deps: RightsDeps): void {
  const { db, clock, policy, attempts, secret } = deps;

  api.openapi(profile, async (c) => {
    requireMember(c, 'A guest has no profile. Sign in first.');
    const { accountId } = c.var;
    const patch = c.req.valid('json');
    await db.write((tx) => correctProfile(tx, accountId, patch));
    return c.json(await describeAccount(db.read, accountId, clock.now()), 200);
  });

  api.openapi(terms, async (c) => {
    requireMember(c, 'Guests have no terms to accept. Sign in first.');
    const { version } = policy.accounts.terms;
    if (c.req.valid('json').version !== version)
      throw new AppError('terms_changed', `The terms are now version ${version}. Read and accept that version.`);
    await db.write((tx) => acceptTerms(tx, c.get('accountId'), version, clock.now()));
    return c.body(null, 204);
  });

  api.openapi(email, async (c) => {
    const mailer = requireMail(c);
    const { accountId } = c.var;
    const { address, mailbox } = addressOf(c.req.valid('json').email);
    const of = { holder: holderOfChange(accountId), mailbox };
    const isOwn = (await findAccountByMailbox(db.read, of.mailbox)) === accountId;
    await countMail(attempts, {
      mailbox: hashKeyed(secret, 'attempt', of.mailbox),
      network: networkOf(deps, c),
      flow: accountId,
      known: isOwn ? accountId : await deps.browsers.find(c, of.mailbox),
    });
    const digits = await db.write((tx) => offerMailCode(tx, secret, of, clock.now()));
    // Not awaited: the response time must not reveal which addresses are known here.
    send(mailer, codeMail(address, digits));
    return c.body(null, 204);
  });

  api.openapi(confirm, async (c) => {
    const mailer = requireMail(c);
    const { accountId } = c.var;
    const given = c.req.valid('json');
    const { address, mailbox } = addressOf(given.email);
    const of = { holder: holderOfChange(accountId), mailbox };
    const at = clock.now();
    // In its own transaction, so that a wrong attempt is counted.
    if (!(await db.write((tx) => redeemMailCode(tx, secret, of, given.code.replace(/\D/g, ''), at))))
      throw new AppError(
        'invalid_grant',
        'This code is wrong, was used, or is older than 10 minutes. After 5 wrong tries a code is not valid any more. Ask for a new one.',
      );
    const before = await db.write((tx) => confirmEmail(tx, { accountId, email: address, at }));
    if (before !== null) send(mailer, movedMail(before));
    return c.body(null, 204);
  });

  api.openapi(close, async (c) => {
    const { accountId } = c.var;
    const days = policy.accounts.closingDays;
    const { closedAt, goneAt, isNew } = await db.write((tx) => closeAccount(tx, accountId, { days, at: clock.now() }));
    const address = (await findAccount(db.read, accountId))?.email;
    if (isNew && address && deps.mailer) send(deps.mailer, closingMail(address, iso(goneAt)));
    return c.json({ since: iso(closedAt), goneAt: iso(goneAt) }, 200);
  });

  api.openapi(keep, async (c) => {
    await db.write((tx) => keepAccount(tx, c.get('accountId')));
    return c.body(null, 204);
  });

  function requireMail(c: AppContext): Mailer {
    requireMember(c, 'A guest has no email address. Sign in first.');
    if (!deps.mailer) throw new AppError('not_offered', 'This server sends no mail, so it can’t check an address.');
    return deps.mailer;
  }

  function send(mailer: Mailer, mail: Mail): void {
    mailer.send(mail).catch((error) => deps.log.error({ err: error }, 'a mail to an account was not sent'));
  }
}

function requireMember(c: AppContext, what: string): void {
  if (c.get('accountKind') === 'guest') throw new AppError('members_only', what);
}

function addressOf(typed: string): { address: string; mailbox: string } {
  const address = readAddress(typed)?.address;
  const mailbox = address === undefined ? null : mailboxOf(address);
  if (address === undefined || mailbox === null)
    throw new AppError('invalid_request', 'email: this is no email address.');
  return { address, mailbox };
}

function codeMail(to: string, digits: string): Mail {
  const text = `${digits} is your code to make this address the one of your Perigee account.

It is good for ${MAIL_CODE_MS / 60_000} minutes, on your account page. Give it to nobody.
If you did not ask for it, there is nothing to do: without the code nothing changes.
`;
  return { to, subject: `${digits} is your Perigee code`, text };
}

function movedMail(to: string): Mail {
  const text = `Your Perigee account has another email address now, and this one does not sign in to it any more.

If you did not do this, ask whoever runs the server for help at once.
`;
  return { to, subject: 'Your Perigee account has another address', text };
}

function closingMail(to: string, goneAt: string): Mail {
  const text = `You have closed your Perigee account. On ${goneAt} it is deleted for good, with its conversations and what is left of its credits.

Until then you can sign in, export your data, or keep the account: all on your account page.
If you did not close it, sign in and keep it, and end the sessions that you don't know.
`;
  return { to, subject: 'Your Perigee account is closed', text };
}
