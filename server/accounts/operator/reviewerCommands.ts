import { type Clock, type Ids, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { FoundAccount } from '../people/accountSearch.ts';
import { makeSetupCode } from '../reviewers/factor.ts';
import { addReviewer, endReviewer, type ListedReviewer, listReviewers, renewSetup } from '../reviewers/store.ts';
import { forgetAttempts } from '../sessions/attempts.ts';
import { columns, named, Refused } from './commandText.ts';

// The operator's commands for the people who decide about flagged accounts.

export interface ReviewerCommandDeps {
  db: Database;
  clock: Clock;
  ids: Ids;
}

/** `reviewer EMAIL`: prints the setup code once; only its hash is kept. */
export async function makeReviewer({ db, clock, ids }: ReviewerCommandDeps, account: FoundAccount): Promise<string[]> {
  if (account.kind === 'guest') throw new Refused(1, 'A guest is no reviewer: the person signs in first.');
  const at = clock.now();
  const { suspended, goneAt } = account;
  if (goneAt !== null || (suspended && (suspended.until === null || suspended.until > at)))
    throw new Refused(1, `The account of ${named(account)} is suspended or closing: it can be no reviewer.`);
  const setupCode = makeSetupCode(ids);
  const isAdded = await db.write((tx) => addReviewer(tx, { accountId: account.id, setupCode, at }));
  if (!isAdded)
    throw new Refused(
      1,
      `${named(account)} is a reviewer already. For a new setup code: reviewer ${named(account)} --setup`,
    );
  return [`${named(account)} is a reviewer, and finds the desk at /desk of this server.`, ...told(setupCode)];
}

/** `reviewer EMAIL --setup`, for a lost telephone, a code that is over, or a changed SECRET. */
export async function setupReviewer({ db, clock, ids }: ReviewerCommandDeps, account: FoundAccount): Promise<string[]> {
  const setupCode = makeSetupCode(ids);
  const at = clock.now();
  const isDone = await db.write(async (tx) => {
    // Wrong codes of the factor that is forgotten keep nobody from the new one.
    await forgetAttempts(tx, ['deskCode', 'deskCodeDay', 'deskSetup'], account.id);
    return renewSetup(tx, { accountId: account.id, setupCode, at });
  });
  if (!isDone) throw noReviewer(account);
  return [`The second factor of ${named(account)} is forgotten, and the desk is closed for them.`, ...told(setupCode)];
}

/** `reviewer EMAIL --end`, at once, also while they are at the desk. */
export async function stopReviewer({ db, clock }: ReviewerCommandDeps, account: FoundAccount): Promise<string> {
  const at = clock.now();
  if (!(await db.write((tx) => endReviewer(tx, account.id, at)))) throw noReviewer(account);
  return `${named(account)} is no reviewer any more. What they have decided stays.`;
}

const noReviewer = (account: FoundAccount) =>
  new Refused(1, `${named(account)} is no reviewer. The command "reviewers" lists them.`);

const told = (setupCode: string) => [
  `Setup code, shown this once and good for 24 hours: ${setupCode}`,
  'Tell it to them in person or by telephone: with it and their sign-in a second factor is set up.',
];

/** `reviewers`: who is one, and who was. */
export async function reviewerTable({ db, clock }: Omit<ReviewerCommandDeps, 'ids'>): Promise<string[]> {
  const reviewers = await listReviewers(db.read, clock.now());
  if (reviewers.length === 0) return ['There is none. The command "reviewer EMAIL" makes a member one.'];
  return columns([
    ['account', 'who', 'since', 'state', 'second factor'],
    ...reviewers.map((one) => [
      one.id,
      [...new Set([one.email, one.name])].filter(Boolean).join(', '),
      iso(one.addedAt).slice(0, 10),
      stateOf(one),
      one.endedAt !== null ? '' : factorOf(one),
    ]),
  ]);
}

function stateOf({ endedAt, isActive }: ListedReviewer): string {
  if (endedAt !== null) return `ended on ${iso(endedAt).slice(0, 10)}`;
  return isActive ? 'active' : 'none: the account is suspended or closing';
}

function factorOf({ factorAt, setupUntil }: ListedReviewer): string {
  if (factorAt !== null) return `since ${iso(factorAt).slice(0, 10)}`;
  return setupUntil === null ? 'none: reviewer EMAIL --setup' : `none; the setup code is good until ${iso(setupUntil)}`;
}
