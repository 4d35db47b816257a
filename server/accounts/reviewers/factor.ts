import { base32 } from '@better-auth/utils/base32';
import { createOTP } from '@better-auth/utils/otp';
import type { Factor } from '../../../shared/desk.ts';
import type { Ids } from '../../platform/clock.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { same, seal, unseal } from '../../platform/secrets.ts';
import { hashSetupCode } from './store.ts';

// The second factor: codes by time (TOTP, RFC 6238), six digits, a new one every 30 seconds.

const STEP_MS = 30_000;
/** The clocks of a telephone and a server may differ by one step. */
const AROUND = [-1, 0, 1] as const;
const PURPOSE = 'second factor';

export interface FactorDeps {
  ids: Ids;
  /** The server's: the factor is unreadable under another one. */
  secret: string;
}

/** A setup code of 125 random bits, in groups that can be read out. */
export function makeSetupCode(ids: Ids): string {
  const letters = base32.encode(Buffer.from(ids.secret(), 'base64url'), { padding: false }).slice(0, 25);
  return letters.match(/.{5}/g)!.join('-');
}

/**
 * Begins a second factor, which counts from its first right code on. Until then the setup code can begin it anew: a page
 * that was reloaded shows the secret no more. Null if the code is not this account's, or was used, or is over.
 */
export async function beginFactor(
  tx: Tx,
  { ids, secret }: FactorDeps,
  { accountId, label, setupCode, at }: { accountId: string; label: string; setupCode: string; at: number },
): Promise<Factor | null> {
  // 150 random bits, and a multiple of five characters, so that base32 needs no padding.
  const key = ids.secret().slice(0, 25);
  const { numUpdatedRows } = await tx
    .updateTable('reviewer')
    .set({
      factor: seal(secret, PURPOSE, accountId, key),
      factor_at: null,
      last_step: null,
    })
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .where('setup_hash', '=', hashSetupCode(setupCode))
    .where('setup_until', '>', at)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return null;
  return { secret: base32.encode(key, { padding: false }), uri: createOTP(key).url('Perigee', label) };
}

/** `none`: nothing was set up. `unreadable`: by another secret of the server. `begun`: no right code has come yet. */
export type FactorState = 'none' | 'unreadable' | 'begun' | 'ready';

export async function findFactorState(db: Reader, secret: string, accountId: string): Promise<FactorState> {
  const { state } = await readFactor(db, secret, accountId);
  return state;
}

type ReadFactor = { state: 'none' | 'unreadable' } | { state: 'begun' | 'ready'; sealed: string; key: string };

async function readFactor(db: Reader, secret: string, accountId: string): Promise<ReadFactor> {
  const row = await db
    .selectFrom('reviewer')
    .select(['factor', 'factor_at'])
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  if (!row?.factor) return { state: 'none' };
  const key = unseal(secret, PURPOSE, accountId, row.factor);
  if (key === null) return { state: 'unreadable' };
  return { state: row.factor_at === null ? 'begun' : 'ready', sealed: row.factor, key };
}

/** A code that fits the factor now. It counts once `useCode` says so. */
export interface FittingCode {
  sealed: string;
  step: number;
}

/** Compares a code with those of now. Outside a transaction, because it computes. */
export async function fitCode(
  db: Reader,
  secret: string,
  { accountId, code, at }: { accountId: string; code: string; at: number },
): Promise<FittingCode | null> {
  const factor = await readFactor(db, secret, accountId);
  if (!('key' in factor)) return null;
  const otp = createOTP(factor.key);
  const now = Math.floor(at / STEP_MS);
  const codes = await Promise.all(AROUND.map((off) => otp.hotp(now + off)));
  const fits = codes.map((one) => same(one, code)).lastIndexOf(true);
  return fits < 0 ? null : { sealed: factor.sealed, step: now + AROUND[fits]! };
}

/**
 * Uses a code up: no code counts twice, nor one from before the last that was used, also of two requests at once. The
 * first one confirms the factor, and uses the setup code up. Null if it counts no more.
 */
export async function useCode(
  tx: Tx,
  accountId: string,
  { sealed, step }: FittingCode,
  at: number,
): Promise<{ isFirst: boolean } | null> {
  const { numUpdatedRows } = await tx
    .updateTable('reviewer')
    .set({ last_step: step })
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    // The factor may have been forgotten meanwhile.
    .where('factor', '=', sealed)
    .where((eb) => eb.or([eb('last_step', 'is', null), eb('last_step', '<', step)]))
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return null;
  const confirmed = await tx
    .updateTable('reviewer')
    .set({ factor_at: at, setup_hash: null, setup_until: null })
    .where('account_id', '=', accountId)
    .where('factor_at', 'is', null)
    .executeTakeFirst();
  return { isFirst: confirmed.numUpdatedRows === 1n };
}
