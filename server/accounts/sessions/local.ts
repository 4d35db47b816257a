import type { Clock, Ids } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { insertCode } from './codes.ts';

const YEAR_MS = 365 * 24 * 3_600_000;

/**
 * Creates a token with which this machine's single user signs in once, and revokes earlier ones. `publish` puts it
 * where only that user can read it.
 */
export async function offerLocalToken(
  { db, clock, ids }: { db: Database; clock: Clock; ids: Ids },
  publish: (token: string) => Promise<void>,
): Promise<void> {
  const token = ids.secret();
  await db.write(async (tx) => {
    await tx.deleteFrom('one_time_code').where('purpose', '=', 'local').execute();
    const expiresAt = clock.now() + YEAR_MS;
    await insertCode(tx, { code: token, purpose: 'local', accountId: null, data: {}, expiresAt });
  });
  await publish(token);
}
