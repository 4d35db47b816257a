import assert from 'node:assert/strict';
import { cost } from '../../../server/credits/rules/pricing.ts';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import type { Price } from '../../../shared/models.ts';
import { FAILURES, type Script } from '../../doubles/script.ts';
import { onBothEngines } from '../../support/engines.ts';
import { openTool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;
const PRICE: Price = { mode: 'tokens', inputMicro: 1_001 * C, cachedInputMicro: 103 * C, outputMicro: 4_007 * C };
const CALLS = 500;
const AT_ONCE = 25;

/** What the service does, by a word in the prompt. */
const KINDS: Record<string, Script> = {
  plain: { text: 'An answer of some words, which is whole.' },
  long: { pieces: Array.from({ length: 60 }, (_, i) => `word${i} `) },
  slow: { pieces: Array.from({ length: 20 }, (_, i) => `word${i} `), everyMs: 1 },
  pauses: { pieces: Array.from({ length: 20 }, (_, i) => `word${i} `), end: 'hang' },
  tools: { pieces: ['So. '], tools: [{ id: 'call_1', name: 'read', arguments: ['{"path":', '"a.ts"}'] }] },
  thoughts: { thoughts: ['Let ', 'me ', 'see. '], text: 'Done.' },
  'every chunk': { text: 'Usage with each of these.', usage: 'every chunk' },
  moonshot: { text: 'Usage as Moonshot sends it.', usage: 'moonshot' },
  unreported: { text: 'Usage is not told.', usage: 'none' },
  dies: FAILURES.diesInMiddle,
  error: { pieces: ['It ', 'was '], end: 'error' },
  malformed: FAILURES.malformed,
  late: { pieces: ['One ', 'two. '], tools: [{ id: 'call_1', name: 'read', arguments: ['{"pa'] }], end: 'destroy' },
  refused: FAILURES.noModel,
  broken: FAILURES.broken,
  unread: FAILURES.refusal,
};

/**
 * How many of ten clients leave after the first piece. Of a service that writes on meanwhile, nobody knows how much it
 * counts.
 */
const LEAVERS: Record<string, number> = { slow: 0, pauses: 10 };

/** These break off in the middle of a stream. */
const BROKEN = new Set(['dies', 'error', 'malformed', 'late']);

/** The routes, and what asks for an answer at each of them. */
const WHOLE = /\[DONE\]|event: message_stop|event: response\.(completed|incomplete)/;
const ASKS: [path: string, ask: (prompt: string) => object][] = [
  ['/v1/chat/completions', (content) => ({ messages: [{ role: 'user', content }] })],
  ['/v1/messages', (content) => ({ max_tokens: 4_000, messages: [{ role: 'user', content }] })],
  ['/v1/responses', (input) => ({ input })],
];

/** A sequence that looks random and is the same each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

onBothEngines(
  'many calls of many kinds in all dialects at once',
  (server) => {
    it('cost to the micro-credit what the service bills, whoever pays, and leave no hold behind', async () => {
      const random = sequence(20_261_129);
      const tools = await Promise.all(Array.from({ length: 5 }, () => openTool(server(), { credits: 100_000 })));
      for (const [when, script] of Object.entries(KINDS))
        server().double.script({ ...script, when: `#${when}#`, times: 0 });
      const kinds = Object.keys(KINDS);
      const answered: Record<string, number> = {};
      let left = CALLS;
      const worker = async () => {
        while (left-- > 0) {
          const kind = kinds[random(kinds.length)]!;
          const tool = tools[random(tools.length)]!;
          const leaves = random(10) < (LEAVERS[kind] ?? 1);
          const controller = new AbortController();
          const [path, ask] = ASKS[random(ASKS.length)]!;
          const isStream = random(3) > 0 || kind === 'pauses';
          const body = { model: 'double', stream: isStream, ...ask(`#${kind}# ${'text '.repeat(random(40))}`) };
          const options = {
            method: 'POST',
            headers: { ...tool.headers, 'content-type': 'application/json' },
            body: JSON.stringify(body),
            signal: controller.signal,
          };
          let text = '';
          try {
            const response = await fetch(server().url + path, options);
            if (response.ok) answered[path] = (answered[path] ?? 0) + 1;
            const reader = response.body!.pipeThrough(new TextDecoderStream() as never).getReader();
            for (let read = await reader.read(); !read.done; read = await reader.read()) {
              text += read.value;
              if (leaves) controller.abort();
            }
            if (isStream && response.ok) assert.match(text, WHOLE, kind);
          } catch (error) {
            if (error instanceof assert.AssertionError) throw error;
            // Cut, as it should be; the books tell.
          }
          if (BROKEN.has(kind)) assert.doesNotMatch(text, WHOLE, kind);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const open = () => server().db.read.selectFrom('hold').select('id').where('state', '=', 'pending').execute();
      while ((await open()).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));

      const { bill } = server().double;
      assert.ok(bill.length >= CALLS, 'all of them reached the service');
      for (const [path] of ASKS) assert.ok(answered[path]! > CALLS / 10, path);
      const waiting = await server()
        .db.read.selectFrom('balance')
        .select('pending')
        .where('pending', '!=', 0)
        .execute();
      assert.deepEqual(waiting, []);
      const lines = await server()
        .db.read.selectFrom('log_entry')
        .selectAll()
        .where('run_id', 'is not', null)
        .execute();
      assert.equal(lines.length, CALLS, 'one line each');
      const billed = bill
        .filter(({ reported }) => reported)
        .reduce((sum, { inputTokens, cachedInputTokens, outputTokens }) => {
          const usage = { inputTokens, cachedInputTokens, outputTokens, estimated: false };
          return sum + cost(PRICE, usage, true);
        }, 0);
      const paid = lines
        .filter(({ estimated }) => estimated === 0)
        .reduce((sum, { amount, absorbed }) => sum - amount + absorbed, 0);
      assert.equal(paid, billed);
      assert.ok(billed > 0);
      assert.ok(
        lines.some(({ kind, estimated }) => kind === 'charge' && estimated === 1),
        'some were estimated',
      );
      assert.ok(
        lines.some(({ kind }) => kind === 'not_charged'),
        'some were not charged',
      );
    });
  },
  {
    policy: (policy) => {
      policy.models.push({ id: 'double', contextTokens: 32_000, maxOutputTokens: 4_000, price: PRICE });
      policy.refunds = { ...policy.refunds, uncharged: { ...policy.refunds.uncharged, runs: 100_000 } };
      const free = { requestsPerMinute: 100_000, modelRequestsPerMinute: 100_000, tokensPerMinute: 1_000_000_000 };
      // A new object, because other servers of this process have the same default.
      policy.limits = { ...policy.limits, tiers: policy.limits.tiers.map((tier) => ({ ...tier, ...free })) };
    },
  },
);
