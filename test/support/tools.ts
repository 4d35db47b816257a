import { randomBytes, randomUUID } from 'node:crypto';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { insertKey } from '../../server/accounts/keys/store.ts';
import { grant, openWallet } from '../../server/credits/holds/store.ts';
import { hashSecret } from '../../server/platform/secrets.ts';
import { apiKeyOf } from '../../server/platform/values/apiKeys.ts';
import { MICRO_PER_CREDIT } from '../../shared/account.ts';
import type { KeyRequest } from '../../shared/keys.ts';
import { Client } from './client.ts';
import type { TestServer } from './server.ts';

/** A member with an API key, as a tool has it. */
export interface Tool {
  accountId: string;
  keyId: string;
  /** The key. */
  secret: string;
  /** The headers that prove the key. */
  headers: Record<string, string>;
  openai: OpenAI;
  anthropic: Anthropic;
  /** Sends a body as it is; the answer is read whole. `path`: by default, of chat completions. */
  send(
    body: unknown,
    headers?: Record<string, string>,
    path?: string,
  ): Promise<{ status: number; headers: Headers; text: string }>;
  available(): Promise<number>;
  /** The newest lines of the token log first. */
  log(): Promise<
    {
      kind: string;
      amount: number;
      tool: string | null;
      key_name: string | null;
      reason_code: string | null;
      estimated: number | null;
      input_tokens: number | null;
      cached_input_tokens: number | null;
      output_tokens: number | null;
      absorbed: number;
    }[]
  >;
}

/** Opens an account with so many credits, and a key. */
export async function openTool(
  server: TestServer,
  { credits = 1_000, ...key }: { credits?: number } & Partial<KeyRequest> = {},
): Promise<Tool> {
  const { db, clock, url } = server;
  const [accountId, ledgerId, keyId] = [randomUUID(), randomUUID(), randomUUID()];
  const secret = apiKeyOf(randomBytes(32));
  const at = clock.now();
  await db.write(async (tx) => {
    const account = { id: accountId, kind: 'member' as const, created_at: at, last_active_at: at, tier: 4 };
    await tx.insertInto('account').values(account).execute();
    await openWallet(tx, accountId, ledgerId);
    if (credits > 0)
      await grant(tx, { accountId, amountMicro: credits * MICRO_PER_CREDIT, requestId: accountId, reason: 'test', at });
    await insertKey(tx, { id: keyId, accountId, secret, at, name: 'a tool', ...key });
  });
  const headers = { authorization: `Bearer ${secret}` };
  return {
    accountId,
    keyId,
    secret,
    headers,
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: secret, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: url, apiKey: secret, authToken: null, maxRetries: 0 }),
    async send(body, more = {}, path = '/v1/chat/completions') {
      const sent = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
      const type = { 'content-type': 'application/json' };
      const options = { method: 'POST', headers: { ...type, ...headers, ...more }, body: sent as string };
      const response = await fetch(url + path, options);
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
    async available() {
      const rows = await db.read.selectFrom('balance').selectAll().where('ledger_id', '=', ledgerId).execute();
      return rows.reduce((sum, { posted, pending }) => sum + posted - pending, 0);
    },
    log: () =>
      db.read.selectFrom('log_entry').selectAll().where('ledger_id', '=', ledgerId).orderBy('seq', 'desc').execute(),
  };
}

/** A `fetch` for a client, and how often it was called. */
export function counted(): { fetch: typeof fetch; count(): number } {
  let calls = 0;
  return {
    count: () => calls,
    fetch(...given) {
      calls++;
      return fetch(...given);
    },
  };
}

/** The owner of a tool's account, at an editor. */
export async function ownerOf({ db, clock, url }: TestServer, { accountId }: Tool): Promise<Client> {
  const [id, token, at] = [randomUUID(), randomBytes(32).toString('base64url'), clock.now()];
  const session = {
    id,
    account_id: accountId,
    kind: 'guest' as const,
    name: '',
    tool: '',
    created_at: at,
    last_used_at: at,
  };
  await db.write(async (tx) => {
    await tx.insertInto('session').values(session).execute();
    await tx
      .insertInto('token')
      .values({ token_hash: hashSecret(token), session_id: id, created_at: at })
      .execute();
  });
  return new Client(url, token, accountId);
}
