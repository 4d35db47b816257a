import { MAX_PICTURES, type Picture } from '../../../shared/decisions.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import type { AppContext } from '../../platform/http/env.ts';
import { requireAppealable } from './appeals.ts';
import type { Encoded } from './encoding.ts';
import { findDecision, lockDecision } from './store.ts';

// The pictures of appeals. They wait for at most a day until the appeal is made.

const DAY_MS = 24 * 3_600_000;

interface Of {
  decisionId: string;
  accountId: string;
}

/** Throws unless this owner can send one more picture to this decision. Cheap: it is asked before a picture is read. */
export async function requirePlace(db: Reader, { decisionId, accountId }: Of, at: number): Promise<void> {
  const decision = await findDecision(db, decisionId, accountId);
  if (!decision) throw notFound('decision');
  await requireAppealable(db, decision, at);
  const { count } = await db
    .selectFrom('appeal_picture')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('decision_id', '=', decisionId)
    .executeTakeFirstOrThrow();
  if (Number(count) >= MAX_PICTURES)
    throw new AppError(
      'too_many_pictures',
      `An appeal has at most ${MAX_PICTURES} pictures. Delete one to send another.`,
    );
}

export async function addPicture(tx: Tx, of: Of, id: string, encoded: Encoded, at: number): Promise<Picture> {
  // The lock keeps two at once from taking the last place.
  if (!(await lockDecision(tx, of.decisionId, of.accountId))) throw notFound('decision');
  await requirePlace(tx, of, at);
  const { bytes, width, height } = encoded;
  await tx
    .insertInto('appeal_picture')
    .values({ id, decision_id: of.decisionId, account_id: of.accountId, is_sent: 0, width, height, bytes, at })
    .execute();
  return { id, width, height, bytes: bytes.length };
}

/** Deletes a picture that waits. One that was sent with an appeal stays. */
export async function deletePicture(tx: Tx, of: Of, id: string): Promise<void> {
  const { numDeletedRows } = await tx
    .deleteFrom('appeal_picture')
    .where('id', '=', id)
    .where('decision_id', '=', of.decisionId)
    .where('account_id', '=', of.accountId)
    .where('is_sent', '=', 0)
    .executeTakeFirst();
  if (numDeletedRows !== 1n) throw notFound('picture');
}

/** The owner's own picture: WebP. */
export async function findOwnPicture(db: Reader, of: Of, id: string): Promise<Uint8Array> {
  const row = await db
    .selectFrom('appeal_picture')
    .select('bytes')
    .where('id', '=', id)
    .where('decision_id', '=', of.decisionId)
    .where('account_id', '=', of.accountId)
    .executeTakeFirst();
  if (!row) throw notFound('picture');
  return row.bytes;
}

/** A picture that was sent with the appeal in a case, and whose it is; null: there is none. */
export async function findCasePicture(
  db: Reader,
  number: number,
  id: string,
): Promise<{ bytes: Uint8Array; accountId: string } | null> {
  const row = await db
    .selectFrom('appeal_picture')
    .innerJoin('decision', 'decision.id', 'appeal_picture.decision_id')
    .select(['appeal_picture.bytes', 'appeal_picture.account_id'])
    .where('appeal_picture.id', '=', id)
    .where('appeal_picture.is_sent', '=', 1)
    .where('decision.flag_number', '=', number)
    .executeTakeFirst();
  return row ? { bytes: row.bytes, accountId: row.account_id } : null;
}

/** The pictures of an account's appeals, for its export. Those that wait are deleted soon. */
export async function listOwnPictures(db: Reader, accountId: string): Promise<{ id: string; decisionId: string }[]> {
  const rows = await db
    .selectFrom('appeal_picture')
    .select(['id', 'decision_id'])
    .where('account_id', '=', accountId)
    .where('is_sent', '=', 1)
    .orderBy('at')
    .execute();
  return rows.map(({ id, decision_id }) => ({ id, decisionId: decision_id }));
}

/** Deletes pictures that were sent ahead of an appeal that nobody made within a day. */
export async function purgePictures(tx: Tx, now: number): Promise<void> {
  await tx
    .deleteFrom('appeal_picture')
    .where('is_sent', '=', 0)
    .where('at', '<=', now - DAY_MS)
    .execute();
}

/** Answers with a picture as nothing but a picture: no browser runs or stores it as anything else. */
export function pictureResponse(c: AppContext, bytes: Uint8Array, name: string): Response {
  return c.body(Uint8Array.from(bytes).buffer, 200, {
    'content-type': 'image/webp',
    'content-disposition': `inline; filename="${name}.webp"`,
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-store',
  });
}
