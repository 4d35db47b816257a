import { sql } from 'kysely';
import type { Reader } from '../../platform/db/database.ts';
import type { AccountRow } from '../../platform/db/schema.ts';
import { mailboxOf } from './emails.ts';
import { providersOf } from './identities.ts';

const MOST = 50;

/** An account as the operator sees it, without the owner's content. Times are epoch milliseconds. */
export interface FoundAccount {
  id: string;
  kind: 'guest' | 'member';
  email: string | null;
  name: string | null;
  tier: number;
  providers: string[];
  suspended: { why: string; until: number | null } | null;
  goneAt: number | null;
  createdAt: number;
  lastActiveAt: number;
}

/** Accounts with that text in their address, name or id, last seen first; at most 50. */
export async function findAccounts(db: Reader, text: string): Promise<FoundAccount[]> {
  const pattern = `%${text
    .trim()
    .toLowerCase()
    .replace(/[\\%_]/g, '\\$&')}%`;
  const like = (column: 'email' | 'name' | 'id') =>
    sql<boolean>`lower(coalesce(${sql.ref(column)}, '')) like ${pattern} escape '\\'`;
  const rows = await db
    .selectFrom('account')
    .selectAll()
    .where((eb) => eb.or([like('email'), like('name'), like('id')]))
    .where('merged_into', 'is', null)
    .orderBy('last_active_at', 'desc')
    .limit(MOST)
    .execute();
  return Promise.all(rows.map((row) => toFound(db, row)));
}

/** One account, by its id or by an address that signs in to it. */
export async function findByReference(db: Reader, reference: string): Promise<FoundAccount | null> {
  const mailbox = mailboxOf(reference);
  const row = await db
    .selectFrom('account')
    .selectAll()
    .where('merged_into', 'is', null)
    .where((eb) =>
      eb.or([
        eb('id', '=', reference.trim().toLowerCase()),
        eb('id', 'in', (sub) =>
          sub
            .selectFrom('identity')
            .select('account_id')
            .where('provider', '=', 'email')
            .where('subject', '=', mailbox ?? ''),
        ),
      ]),
    )
    .executeTakeFirst();
  return row ? toFound(db, row) : null;
}

async function toFound(db: Reader, row: AccountRow): Promise<FoundAccount> {
  return {
    id: row.id,
    kind: row.kind,
    email: row.email,
    name: row.name,
    tier: row.tier ?? 0,
    providers: await providersOf(db, row.id),
    suspended: row.suspended_at === null ? null : { why: row.suspended_why ?? '', until: row.suspended_until },
    goneAt: row.gone_at,
    createdAt: row.created_at,
    lastActiveAt: row.last_active_at,
  };
}
