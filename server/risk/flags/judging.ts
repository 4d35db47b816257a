import { changed } from '../../platform/db/changes.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { RiskStandingRow } from '../../platform/db/schema.ts';
import type { Log } from '../../platform/log.ts';
import { JUDGED_AT_HOURS, NOT_ENOUGH_DAYS } from '../score/constants.ts';
import { dossierOf } from '../score/dossier.ts';
import { judge } from '../score/judge.ts';
import type { Sketch } from '../signals/sketch.ts';
import { findSketches } from '../store.ts';
import { type Declared, findDeclaredOf, findPause, NOTHING_DECLARED, openFlag } from './store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Accounts of one transaction, so that other writes never wait for long. */
const AT_ONCE = 20;

export interface JudgingDeps {
  db: Database;
  log: Log;
  /** From the configuration. The operator's switch can stop flagging, too. */
  isFlagging: boolean;
}

/**
 * Judges every account that is due at `at` (ms): 6, 12 and 24 hours after its first request, then daily. Two nodes may
 * do so at once: each account is judged by one. Nothing but a flag, for a person to look at, comes of it.
 */
export async function judgeDue(deps: JudgingDeps, at: number): Promise<{ judged: number; flagged: number }> {
  const { db, log } = deps;
  const done = { judged: 0, flagged: 0 };
  await db.write(beginStandings);
  for (;;) {
    const ids = await findDue(db, at);
    if (ids.length === 0) return done;
    const flags = await db.write(async (tx) => {
      const claimed = await claim(tx, ids, at);
      // Each time: the operator may stop it while this goes on.
      const isFlagging = deps.isFlagging && (await findPause(tx)) === null;
      done.judged += claimed.length;
      const sketches = await findSketches(tx, ids, at);
      const declared = await findDeclaredOf(tx, ids);
      const opened: number[] = [];
      for (const standing of claimed) {
        const id = standing.account_id;
        const known = { sketch: sketches.get(id), declared: declared.get(id) ?? NOTHING_DECLARED };
        opened.push(...(await judgeOne(tx, standing, known, { at, isFlagging })));
      }
      return opened;
    });
    done.flagged += flags.length;
    for (const flag of flags) log.info({ flag }, 'an account is flagged: npm run admin -- dossier NUMBER');
  }
}

/** An account is judged for the first time 6 hours after it was first seen. */
async function beginStandings(tx: Tx): Promise<void> {
  await tx
    .insertInto('risk_standing')
    .columns(['account_id', 'since', 'judge_at', 'judged_at', 'persons_since', 'advice'])
    .expression((eb) =>
      eb
        .selectFrom('risk_sketch')
        .select((one) => [
          'account_id',
          one.fn.min('seen_at').as('since'),
          one(one.fn.min('seen_at'), '+', JUDGED_AT_HOURS[0] * HOUR_MS).as('judge_at'),
          one.val(null).as('judged_at'),
          one.val(null).as('persons_since'),
          one.val(null).as('advice'),
        ])
        .where((one) =>
          one.not(
            one.exists(
              one
                .selectFrom('risk_standing')
                .select('risk_standing.account_id')
                .whereRef('risk_standing.account_id', '=', 'risk_sketch.account_id'),
            ),
          ),
        )
        .groupBy('account_id'),
    )
    .onConflict((oc) => oc.column('account_id').doNothing())
    .execute();
}

async function findDue(db: Database, at: number): Promise<string[]> {
  const rows = await db.read
    .selectFrom('risk_standing')
    .select('account_id')
    .where('judge_at', '<=', at)
    .orderBy('judge_at')
    .limit(AT_ONCE)
    .execute();
  return rows.map(({ account_id }) => account_id);
}

/** Those that no other node has claimed meanwhile. */
async function claim(tx: Tx, ids: readonly string[], at: number): Promise<RiskStandingRow[]> {
  return tx
    .updateTable('risk_standing')
    .set({ judged_at: at, judge_at: at + DAY_MS })
    .where('account_id', 'in', ids)
    .where('judge_at', '<=', at)
    .returningAll()
    .execute();
}

interface Known {
  sketch: Sketch | undefined;
  declared: Declared;
}

/** Returns the numbers of the flags that were opened. */
async function judgeOne(
  tx: Tx,
  standing: RiskStandingRow,
  { sketch, declared }: Known,
  { at, isFlagging }: { at: number; isFlagging: boolean },
): Promise<number[]> {
  const accountId = standing.account_id;
  if (!sketch) {
    await tx.deleteFrom('risk_standing').where('account_id', '=', accountId).execute();
    if (standing.advice !== null) changed(tx, accountId, 'account', accountId);
    return [];
  }
  const isDeclared = declared.ownGateway || declared.severalMachines || declared.automationKeys.length > 0;
  const judgement = judge(sketch, { isDeclared });
  const { verdict } = judgement;
  const advice = judgement.advice && JSON.stringify(judgement.advice);
  const next = JUDGED_AT_HOURS.map((hours) => Number(standing.since) + hours * HOUR_MS).find((look) => look > at);
  const before = standing.persons_since === null ? null : Number(standing.persons_since);
  const shows = verdict === 'not_enough' ? (before ?? at) : null;
  // Most accounts are as they were: the claim has said all.
  if (next !== undefined || shows !== before || advice !== standing.advice)
    await tx
      .updateTable('risk_standing')
      .set({ judge_at: next ?? at + DAY_MS, persons_since: shows, advice })
      .where('account_id', '=', accountId)
      .execute();
  // Its owner reads the advice in the editor and on the page.
  if (advice !== standing.advice) changed(tx, accountId, 'account', accountId);
  const isLasting = shows !== null && at - shows >= NOT_ENOUGH_DAYS * DAY_MS;
  if (!isFlagging || declared.isTeam || (verdict !== 'sharing' && !isLasting)) return [];
  const opened = await openFlag(tx, accountId, dossierOf(judgement, sketch, at), at);
  return opened === null ? [] : [opened];
}
