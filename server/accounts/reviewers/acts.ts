import type { Act, Trail } from '../../../shared/desk.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { TABLES } from '../../platform/db/tables.ts';
import { nameOf, OPERATOR } from './names.ts';

// The trail of the desk: who saw and did what. Only what happens at the desk, never a text of a conversation.

export interface DoneAct {
  at: number;
  /** Who did it: a reviewer's account, or the operator by a command. */
  by: { reviewerId: string } | 'operator';
  act: Act;
  /** The reviewer that an operator's act is about. Kept as a reference, so that a deleted account leaves no name here. */
  about?: string;
  /** The case's number. */
  flag?: number;
  /** Without a name, an address or an id of an account: it outlives them. */
  detail?: string;
}

/** Keeps an act in the trail, in the transaction that does it. */
export async function recordAct(tx: Tx, { at, by, act, about, flag, detail }: DoneAct): Promise<void> {
  await tx
    .insertInto('desk_act')
    .values({
      at,
      reviewer_id: by === 'operator' ? (about ?? null) : by.reviewerId,
      is_operators: by === 'operator' ? 1 : 0,
      act,
      flag_number: flag ?? null,
      detail: detail ?? null,
    })
    .execute();
}

const PER_PAGE = 100;

/**
 * The acts before this id, newest first. `isSecret`: cases whose decision the reader must not know yet; their acts are
 * listed without a detail. Those of the reader's own cases are left out: an owner hears of a decision, not of who looks.
 */
export async function readTrail(
  db: Reader,
  {
    reader,
    before,
    isSecret,
  }: { reader: string; before: number | null; isSecret: (flags: number[]) => Promise<Set<number>> },
): Promise<Trail> {
  let query = db
    .selectFrom('desk_act')
    .leftJoin('account', 'account.id', 'desk_act.reviewer_id')
    .selectAll('desk_act')
    .select(['account.name', 'account.email'])
    .where((eb) =>
      eb.or([
        eb('desk_act.flag_number', 'is', null),
        eb(
          'desk_act.flag_number',
          'not in',
          eb.selectFrom('risk_flag').select('number').where('risk_flag.account_id', '=', reader),
        ),
      ]),
    )
    .orderBy('desk_act.id', 'desc')
    .limit(PER_PAGE + 1);
  if (before !== null) query = query.where('desk_act.id', '<', before);
  const rows = await query.execute();
  const page = rows.slice(0, PER_PAGE);
  const secret = await isSecret([
    ...new Set(page.flatMap((row) => (row.flag_number === null ? [] : [Number(row.flag_number)]))),
  ]);
  return {
    acts: page.map((row) => {
      const flag = row.flag_number === null ? null : Number(row.flag_number);
      const isOperators = row.is_operators === 1;
      const detail = flag !== null && secret.has(flag) ? null : row.detail;
      return {
        id: Number(row.id),
        at: iso(Number(row.at)),
        who: isOperators ? OPERATOR : nameOf(row),
        act: row.act as Act,
        case: flag,
        detail: isOperators && row.reviewer_id !== null ? nameOf(row) : detail,
      };
    }),
    next: rows.length > PER_PAGE ? Number(page.at(-1)!.id) : null,
  };
}

/** Deletes acts after a year. */
export async function purgeActs(tx: Tx, now: number): Promise<void> {
  await tx
    .deleteFrom('desk_act')
    .where('at', '<=', now - TABLES.desk_act.over)
    .execute();
}
