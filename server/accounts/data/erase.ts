import { deleteConversation, findConversations } from '../../conversations/store.ts';
import { dropLogNames } from '../../credits/holds/names.ts';
import { forgetWallet, willRenew } from '../../credits/holds/store.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import { deleted } from '../../platform/db/deletions.ts';
import { deleteRequests } from '../../requests/store.ts';
import { endFlagsOf } from '../../risk/flags/store.ts';
import { forgetCases } from '../cases/keeping.ts';
import { endSessions } from '../sessions/sessions.ts';

/** The runs layer is above the accounts, so the assembly passes this in. */
export interface RunsOfAccounts {
  /** Asks every run of an account to end. Returns how many are still open. */
  stopRunsOf: (tx: Tx, accountId: string) => Promise<number>;
  deleteEndedRuns: (tx: Tx, of: { accountId?: string; before: number; limit: number }) => Promise<number>;
}

/** The most rows that one transaction deletes, so that other writes never wait for long. */
export const AT_ONCE = 200;
const CONVERSATIONS_AT_ONCE = 20;

/**
 * Deletes an account with all its data, for good, and the guests that it took over. The books keep every line, under
 * ids that name nobody. Returns false if a run is still open or a plan would renew: it asks the run to end, tells the
 * payment service to stop the plan, and the next round deletes. It checks `stillDue` at the start and at the end,
 * because the owner may reopen the account meanwhile.
 */
export async function eraseAccount(
  db: Database,
  runs: RunsOfAccounts,
  accountId: string,
  { now, stillDue }: { now: number; stillDue: (tx: Tx) => Promise<boolean> },
): Promise<boolean> {
  const isIdle = await db.write(async (tx) => {
    if (!(await stillDue(tx)) || (await willRenew(tx, accountId))) return false;
    await endSessions(tx, accountId, now);
    return (await runs.stopRunsOf(tx, accountId)) === 0;
  });
  if (!isIdle) return false;
  for (;;) {
    const ids = await findConversations(db.read, accountId, { at: now, limit: CONVERSATIONS_AT_ONCE });
    if (ids.length === 0) break;
    await db.write(async (tx) => {
      for (const id of ids) await deleteConversation(tx, accountId, id);
    });
  }
  // If a guest had deleted a conversation, its runs did not move to the account.
  const guests = await db.read.selectFrom('account').select('id').where('merged_into', '=', accountId).execute();
  for (const { id } of [{ id: accountId }, ...guests]) {
    const ended = { accountId: id, before: Number.MAX_SAFE_INTEGER, limit: AT_ONCE };
    while ((await db.write((tx) => runs.deleteEndedRuns(tx, ended))) > 0);
    while ((await db.write((tx) => deleteRequests(tx, ended))) > 0);
  }
  await dropLogNames(db, accountId);
  return db.write(async (tx) => {
    if ((await runs.stopRunsOf(tx, accountId)) > 0 || !(await stillDue(tx))) return false;
    if (await willRenew(tx, accountId)) return false;
    await forgetWallet(tx, accountId);
    // Decisions wait for their flag, and are not made once it names nobody.
    await endFlagsOf(tx, accountId, now);
    await forgetCases(tx, accountId);
    // A backup may be older than the day on which these guests joined the account.
    for (const { id } of [{ id: accountId }, ...guests]) deleted(tx, { what: 'account', id });
    await tx.deleteFrom('account').where('merged_into', '=', accountId).execute();
    await tx.deleteFrom('account').where('id', '=', accountId).execute();
    changed(tx, accountId, 'account', accountId);
    return true;
  });
}
