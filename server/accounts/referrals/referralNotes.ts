import type { Dossier, DossierLine } from '../../../shared/risk.ts';
import { iso } from '../../platform/clock.ts';
import type { Database, Reader, Tx } from '../../platform/db/database.ts';
import type { ReferralTable } from '../../platform/db/schema.ts';
import type { Log } from '../../platform/log.ts';
import { findPause, openFlag } from '../../risk/flags/store.ts';

// Repeated sign-ups by one link that look like one person's: a note for a reviewer, of a kind of its own.

const DAY_MS = 24 * 3_600_000;
const WITHIN_DAYS = 30;
/** Two could be a couple, or a second try. */
const AT_LEAST = 3;
/** Counts the versions of this rule. */
const RULES_VERSION = 1;

type Refused = NonNullable<ReferralTable['refused']>;

/** The reasons that speak of one person. Many from one network may be a school. */
const REASONS = {
  same_person: 'had an account here before',
  own_browser: 'joined in a browser where the owner of the link was signed in',
  same_device: 'use an editor that another account uses',
} as const satisfies Partial<Record<Refused, string>>;
type Reason = keyof typeof REASONS;
const reasons = Object.keys(REASONS) as Reason[];

/** Opens a case for each account whose link brought that many. Returns the numbers of the cases. */
export async function noteReferrals(
  { db, log, isFlagging }: { db: Database; log: Log; isFlagging: boolean },
  at: number,
): Promise<number[]> {
  if (!isFlagging) return [];
  const opened: number[] = [];
  for (const accountId of await findRepeated(db.read, at)) {
    const number = await db.write(async (tx) => {
      // Each time: somebody may stop it while this goes on.
      if ((await findPause(tx)) !== null) return null;
      return openFlag(tx, accountId, await dossierOf(tx, accountId, at), at);
    });
    if (number === null) continue;
    opened.push(number);
    log.info({ flag: number }, 'sign-ups by one link look like one person’s: a case for the desk');
  }
  return opened;
}

async function findRepeated(db: Reader, at: number): Promise<string[]> {
  const rows = await db
    .selectFrom('referral')
    .select('referrer_id')
    .where('refused', 'in', reasons)
    .where('joined_at', '>', at - WITHIN_DAYS * DAY_MS)
    .groupBy('referrer_id')
    .having((eb) => eb.fn.countAll(), '>=', AT_LEAST)
    .execute();
  return rows.map(({ referrer_id }) => referrer_id);
}

/** What was seen, in numbers: nobody who joined is named. */
async function dossierOf(tx: Tx, accountId: string, at: number): Promise<Dossier> {
  const rows = await tx
    .selectFrom('referral')
    .select(['refused', 'joined_at'])
    .where('referrer_id', '=', accountId)
    .where('joined_at', '>', at - WITHIN_DAYS * DAY_MS)
    .orderBy('joined_at')
    .execute();
  const times = rows.map(({ joined_at }) => Number(joined_at));
  const lines = reasons.flatMap((reason) => {
    const seen = rows.filter(({ refused }) => refused === reason);
    if (seen.length === 0) return [];
    const [first, last] = [seen[0]!, seen.at(-1)!].map(({ joined_at }) => iso(Number(joined_at)));
    const sentence = `${seen.length} of ${rows.length} who joined by the link in ${WITHIN_DAYS} days ${REASONS[reason]}.`;
    return [line({ speaks: 'for', sentence, seen: { count: seen.length }, firstSeen: first!, lastSeen: last! })];
  });
  const good = rows.filter(({ refused }) => refused === null).length;
  if (good > 0)
    lines.push(
      line({
        ...{ speaks: 'against', seen: { count: good }, firstSeen: null, lastSeen: null },
        sentence: `${good} of ${rows.length} who joined by the link in ${WITHIN_DAYS} days look like people of their own.`,
      }),
    );
  return {
    kind: 'referrals',
    madeAt: iso(at),
    observedSince: iso(times[0] ?? at),
    nats: { all: 0, persons: 0, transport: 0, identity: 0, against: 0 },
    probability: 0,
    rule: `At least ${AT_LEAST} sign-ups by one link within ${WITHIN_DAYS} days that were refused as one person’s`,
    rulesVersion: RULES_VERSION,
    thresholdVersion: RULES_VERSION,
    lines,
  };
}

const line = (
  of: Pick<DossierLine, 'speaks' | 'sentence' | 'firstSeen' | 'lastSeen'> & { seen: Record<string, number> },
): DossierLine => ({
  ...of,
  ...{ signal: 0, name: 'sign-ups by the link', nats: 0, heavyUsers: '0 or 1' },
  wouldClear: 'That these are different people, such as a family that shares a computer.',
});
