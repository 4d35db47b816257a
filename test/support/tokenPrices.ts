import { sql } from 'kysely';
import type { Price } from '../../shared/models.ts';
import type { Client } from './client.ts';
import type { TestServer } from './server.ts';

const C = 1_000_000;

/** The shipped price list of kimi-k2. */
export const KIMI = {
  mode: 'tokens',
  inputMicro: 60 * C,
  cachedInputMicro: 15 * C,
  outputMicro: 250 * C,
} as const satisfies Price;

/** An account that pays by token. Sign-in is another part of the server, so this changes the row itself. */
export async function member(server: TestServer): Promise<Client> {
  const client = await server.guest();
  await server.db.write((tx) =>
    sql`update account set kind = 'member', terms_version = '1' where id = ${client.accountId}`.execute(tx),
  );
  return client;
}
