import type { Page } from 'playwright-core';
import type { LogAnswer, LogEntry, ReferralsAnswer, RewardReason } from '../../shared/credits.ts';
import type { Client } from '../support/client.ts';
import type { Scene } from './scene.ts';

const DAY = 24 * 3_600_000;

/** Markup in whatever text of others the page shows. */
export const HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';

/**
 * Lines of the token log as `days` days of work leave them, written beside the books: what they were charged for never ran.
 * `hostile` puts markup into each of their texts.
 */
export async function fillLog(scene: Scene, member: Client, { days = 30, hostile = false } = {}): Promise<void> {
  const { db, clock } = scene.server;
  const { ledger_id } = await db.read
    .selectFrom('wallet')
    .select('ledger_id')
    .where('account_id', '=', member.accountId)
    .where('is_own', '=', 1)
    .executeTakeFirstOrThrow();
  const models = hostile ? [HOSTILE] : ['kimi-k2', 'kimi-k2', 'qwen3-coder', 'kimi-k2', 'gpt-oss-120b'];
  const tools = hostile ? [HOSTILE] : ['Visual Studio Code', 'Visual Studio Code', 'Cursor', 'opencode'];
  const keys = hostile ? [HOSTILE] : ['OpenCode on the laptop', 'CI', 'An old key, which was revoked'];
  const keyIds = keys.map(() => crypto.randomUUID());
  await db.write(async (tx) => {
    let left = 900;
    for (let day = days - 1; day >= 0; day--) {
      const runs = day % 7 === 3 ? 0 : 1 + ((day * 5) % 6);
      for (let n = 0; n < runs; n++) {
        const input = 900 + ((day * 977 + n * 3_571) % 22_000);
        const output = 120 + ((day * 131 + n * 57) % 900);
        const cached = Math.floor(input * 0.6);
        const isFailed = !hostile && (day + n) % 11 === 5;
        const cost = isFailed ? 0 : (input - cached) * 60 + cached * 15 + output * 250;
        left -= cost / 1e6;
        const tool = tools[(day * 3 + n) % tools.length]!;
        const key = tool === 'opencode' || hostile ? (day + n) % keys.length : undefined;
        await tx
          .insertInto('log_entry')
          .values({
            id: crypto.randomUUID(),
            ledger_id,
            kind: isFailed ? 'not_charged' : 'charge',
            amount: -cost,
            balance: isFailed ? null : Math.round(left * 1e6),
            absorbed: 0,
            reason: hostile
              ? HOSTILE
              : isFailed
                ? 'The model service stopped answering. Not charged.'
                : `Answer by ${models[(day + n) % models.length]}`,
            reason_code: null,
            run_id: crypto.randomUUID(),
            conversation_id: null,
            model: models[(day + n) % models.length]!,
            input_tokens: input,
            cached_input_tokens: cached,
            output_tokens: output,
            estimated: isFailed ? 1 : 0,
            tool,
            key_id: key === undefined ? null : keyIds[key]!,
            key_name: key === undefined ? null : keys[key]!,
            at: clock.now() - day * DAY - n * 1_000 - 5_000,
          })
          .execute();
      }
    }
  });
}

/** A page of the token log of somebody who deals in millions of credits, and whose words are long. */
export function largeLog(): LogAnswer {
  const line = (n: number, kind: LogEntry['kind'], amountMicro: number, more: Partial<LogEntry> = {}): LogEntry => ({
    id: `large-${n}`,
    kind,
    amountMicro,
    balanceMicro: 9_876_543_210_987 + n,
    reason: 'Answer by moonshotai/kimi-k2-instruct-0905-with-a-name-that-has-no-end',
    at: new Date(Date.UTC(2026, 10, 24, 9, n)).toISOString(),
    ...more,
  });
  const usage = { inputTokens: 1_234_567, cachedInputTokens: 1_000_000, outputTokens: 128_000, estimated: true };
  const model = 'moonshotai/kimi-k2-instruct-0905-with-a-name-that-has-no-end';
  const key = { id: '3b4bd0d7-6d3a-4c7e-9a90-64cbcbb6a004', name: 'The key of the build machine in the cellar' };
  return {
    entries: [
      line(5, 'charge', -1_234_567_891_234, { usage, model, tool: 'Visual Studio Code - Insiders, on a machine', key }),
      line(4, 'purchase', 9_999_999_990_000, { reason: '10,000,000 credits' }),
      line(3, 'not_charged', 0, { usage, model, balanceMicro: null, reason: 'The model service failed. Not charged.' }),
      line(2, 'charge', -4_999, { usage: { ...usage, estimated: false }, model: 'kimi-k2', tool: 'opencode' }),
      line(1, 'grant', 100e6, { reason: 'Welcome' }),
    ],
    before: null,
  };
}

/** What `GET /api/referrals` can say. */
export function referralsOf(more: Partial<ReferralsAnswer> = {}): ReferralsAnswer {
  const at = (day: number) => new Date(Date.UTC(2026, 10, day, 9)).toISOString();
  const reward = (reason: RewardReason, state: 'pending' | 'verified' | 'paid', credits: number) => ({
    reason,
    state,
    amountMicro: credits * 1e6,
    paidAt: state === 'paid' ? at(20) : null,
  });
  return {
    link: 'https://perigee.example/r/7Qm2vX9k',
    terms: {
      spent: { spentMicro: 20e6, amountMicro: 50e6, perMonth: 10 },
      firstPayment: { amountMicro: 500e6 },
      used: { tokens: 1_000_000, amountMicro: 50e6 },
    },
    earnedMicro: 550e6,
    joined: 3,
    referrals: [
      {
        id: '3b4bd0d7-6d3a-4c7e-9a90-64cbcbb6a001',
        joinedAt: at(24),
        rewards: [
          reward('spent', 'pending', 50),
          reward('first_payment', 'pending', 500),
          reward('used', 'pending', 50),
        ],
        refused: null,
      },
      {
        id: '3b4bd0d7-6d3a-4c7e-9a90-64cbcbb6a002',
        joinedAt: at(12),
        rewards: [reward('spent', 'paid', 50), reward('first_payment', 'paid', 500), reward('used', 'verified', 50)],
        refused: null,
      },
      {
        id: '3b4bd0d7-6d3a-4c7e-9a90-64cbcbb6a003',
        joinedAt: at(3),
        rewards: [],
        refused: 'It is a second account of the same person.',
      },
    ],
    before: null,
    invited: { reward: reward('used', 'pending', 50), tokensUsed: 412_300, refused: null },
    ...more,
  };
}

/** Answers one path of the API itself; the page asks no server for it. */
export async function answer(page: Page, path: string, body: unknown, status = 200): Promise<void> {
  await page.route(
    (url) => url.pathname === path,
    (route) => route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) }),
  );
}
