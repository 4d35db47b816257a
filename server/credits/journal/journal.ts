import type { Selectable } from 'kysely';
import type { Tx } from '../../platform/db/database.ts';
import { fixed, prepared } from '../../platform/db/prepared.ts';
import type { LogEntryRow, TransferRow } from '../../platform/db/schema.ts';
import { CREDITS, type Credit, type Funds } from '../rules/ledger.ts';

// The building blocks of every movement of credits.

/**
 * The ledger id of the account's own wallet. Its row is locked, so that other holds and grants wait. A no-op update,
 * because it means the same on both engines. Null for a guest that was taken over.
 */
export async function tryLockWallet(tx: Tx, accountId: string): Promise<string | null> {
  return (await touchWallet.first(tx, { accountId }))?.ledger_id ?? null;
}

export async function lockWallet(tx: Tx, accountId: string): Promise<string> {
  const ledgerId = await tryLockWallet(tx, accountId);
  if (ledgerId === null) throw new Error('credits: the account has no wallet');
  return ledgerId;
}

/**
 * Locks the wallet of the account that has this ledger, and returns the account's id; null if the account was deleted.
 * A guest's wallet is locked before that of the account that took it over.
 */
export async function lockWalletOf(tx: Tx, ledgerId: string): Promise<string | null> {
  const wallet = await tx
    .updateTable('wallet')
    .set((eb) => ({ of_micro: eb.ref('of_micro') }))
    .where('ledger_id', '=', ledgerId)
    .returning('account_id')
    .executeTakeFirst();
  return wallet?.account_id ?? null;
}

const touchWallet = prepared((db, p: { accountId: string }) =>
  db
    .updateTable('wallet')
    .set((eb) => ({ of_micro: eb.ref('of_micro') }))
    .where('account_id', '=', p.accountId)
    .where('is_own', '=', fixed(1))
    .returning('ledger_id'),
);

export async function readFunds(tx: Tx, ledgerId: string): Promise<Funds> {
  return toFunds(await selectBalances.all(tx, { ledgerId }));
}

const selectBalances = prepared((db, p: { ledgerId: string }) =>
  db.selectFrom('balance').selectAll().where('ledger_id', '=', p.ledgerId),
);

/** The rows are of one ledger, or of all ledgers of an account. */
export function toFunds(rows: readonly { kind: Credit; posted: number; pending: number }[]): Funds {
  const of = (credit: Credit) => {
    const sum = { posted: 0, pending: 0 };
    for (const row of rows.filter((r) => r.kind === credit)) {
      sum.posted += row.posted;
      sum.pending += row.pending;
    }
    return sum;
  };
  return { promotional: of('promotional'), purchased: of('purchased') };
}

/** All posted credits, open holds included. */
export const postedOf = (funds: Funds) => CREDITS.reduce((sum, credit) => sum + funds[credit].posted, 0);

interface Addition {
  ledgerId: string;
  fund: Credit;
  amountMicro: number;
  /** The change of the debt, negative if it shrinks. */
  owedMicro?: number;
  /** The name of the whole movement, for the error message. */
  under: string;
}

/** Adds to a fund's posted balance, or takes from its free part. Throws if less is free. */
export async function addPosted(
  tx: Tx,
  { ledgerId, fund, amountMicro, owedMicro = 0, under }: Addition,
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('balance')
    .set((eb) => ({ posted: eb('posted', '+', amountMicro), owed: eb('owed', '+', owedMicro) }))
    .where('ledger_id', '=', ledgerId)
    .where('kind', '=', fund)
    .where((eb) => eb(eb('posted', '-', eb.ref('pending')), '>=', -amountMicro))
    .executeTakeFirst();
  assertOne(numUpdatedRows, `a balance moved under ${under}`);
}

/** Writes one transfer. Its id is unique in the journal, so that a transfer is made once. */
export async function post(tx: Tx, transfer: TransferRow): Promise<void> {
  await insertTransfer.run(tx, transfer);
}

const insertTransfer = prepared((db, t: TransferRow) =>
  db.insertInto('transfer').values({
    id: t.id,
    debit: t.debit,
    credit: t.credit,
    amount: t.amount,
    kind: t.kind,
    request_id: t.request_id,
    hold_id: t.hold_id,
    at: t.at,
  }),
);

type LogRow = Selectable<LogEntryRow>;
type LogColumns = Pick<LogRow, 'id' | 'kind' | 'amount' | 'balance' | 'reason' | 'at'> &
  Partial<Omit<LogRow, 'seq' | 'ledger_id'>>;

/** One line of the token log. */
export async function writeLog(tx: Tx, ledgerId: string, entry: LogColumns): Promise<void> {
  await insertEntry.run(tx, { ...NO_ENTRY, ...entry, ledger_id: ledgerId });
}

const NO_ENTRY = {
  absorbed: 0,
  reason_code: null,
  run_id: null,
  conversation_id: null,
  model: null,
  input_tokens: null,
  cached_input_tokens: null,
  output_tokens: null,
  estimated: null,
  tool: null,
  key_id: null,
  key_name: null,
};

const insertEntry = prepared((db, e: Omit<LogRow, 'seq'>) =>
  db.insertInto('log_entry').values({
    id: e.id,
    ledger_id: e.ledger_id,
    kind: e.kind,
    amount: e.amount,
    balance: e.balance,
    absorbed: e.absorbed,
    reason: e.reason,
    reason_code: e.reason_code,
    run_id: e.run_id,
    conversation_id: e.conversation_id,
    model: e.model,
    input_tokens: e.input_tokens,
    cached_input_tokens: e.cached_input_tokens,
    output_tokens: e.output_tokens,
    estimated: e.estimated,
    tool: e.tool,
    key_id: e.key_id,
    key_name: e.key_name,
    at: e.at,
  }),
);

/** Assertions stay on in production. */
export function assertOne(rows: bigint, what: string): void {
  if (rows !== 1n) throw new Error(`credits: ${what}`);
}
