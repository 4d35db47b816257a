import type { RequestRow } from '../../server/platform/db/schema.ts';
import type { Client } from '../support/client.ts';
import type { Scene } from './scene.ts';

const HOUR = 3_600_000;

type Some = Partial<RequestRow> & Pick<RequestRow, 'outcome'>;

/** One of each kind that a member may see, the newest first. */
const KINDS: readonly Some[] = [
  { outcome: 'answered', tool: 'Visual Studio Code', route: '/api/runs', status: 202, charged: 1_240_000 },
  { outcome: 'failed', code: 'upstream_failed', status: 502, tool: 'OpenCode', attempts: 4, first_ms: null },
  { outcome: 'answered', asked: 'kimi-k2', model: 'qwen3-coder', attempts: 2, charged: 480_000 },
  { outcome: 'refused', code: 'insufficient_credits', status: 402, asked: 'kimi-k2', tool: 'Claude Code', whole_ms: 6 },
  { outcome: 'stopped', charged: 310_000, whole_ms: 71_300 },
  { outcome: 'refused', code: 'rate_limited', status: 429, asked: 'kimi-k2', tool: 'Codex', whole_ms: 4, times: 212 },
  { outcome: 'interrupted', code: 'node_lost', status: null, first_ms: null },
  { outcome: 'failed', code: 'upstream_timeout', status: 200, first_ms: 1_900, whole_ms: 62_000 },
];

/** Requests as a month brings them, and a key with a long name. Returns the id of one that failed. */
export async function fillRequests(scene: Scene, member: Client, rounds = 6): Promise<string> {
  const { db, clock } = scene.server;
  let failed = '';
  const key = { id: crypto.randomUUID(), name: 'OpenCode on the laptop in the kitchen' };
  await db.write(async (tx) => {
    await tx
      .insertInto('api_key')
      .values({
        ...{ id: key.id, account_id: member.accountId, name: key.name, secret_hash: key.id, hint: 'abcd' },
        ...{ models: null, monthly_micro: null, created_at: clock.now(), expires_at: null },
        ...{ last_used_at: null, revoked_at: clock.now() },
      })
      .execute();
    for (let n = 0; n < rounds * KINDS.length; n++) {
      const kind = KINDS[n % KINDS.length]!;
      const id = crypto.randomUUID();
      if (failed === '' && kind.outcome === 'failed') failed = id;
      const isFree = kind.outcome === 'refused';
      const row: RequestRow = {
        ...{ id, run_id: isFree ? null : crypto.randomUUID(), account_id: member.accountId },
        ...{ at: clock.now() - (n * 7 + 1) * HOUR, route: '/v1/chat/completions', tool: 'OpenCode' },
        ...{ key_id: kind.route === '/api/runs' || kind.tool ? null : key.id, asked: null },
        ...{ model: isFree ? null : 'kimi-k2', service: 'east', attempts: null },
        ...{ first_ms: isFree ? null : 420 + n * 13, whole_ms: 3_400 + n * 170 },
        ...{ input_tokens: isFree ? null : 18_211 + n, cached_input_tokens: isFree ? null : 12_000 },
        ...{ output_tokens: isFree ? null : 640, thinking_tokens: isFree ? null : 210, estimated: isFree ? null : 0 },
        ...{ code: null, status: 200, charged: 0, times: 1 },
        ...kind,
      };
      await tx.insertInto('request').values(row).execute();
    }
  });
  return failed;
}
