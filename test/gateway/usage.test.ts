import assert from 'node:assert/strict';
import { readReport } from '../../server/gateway/dialects/usage.ts';
import { clampUsage, Received } from '../../server/gateway/prompt/received.ts';
import { estimateTokens } from '../../server/gateway/prompt/tokens.ts';
import { retryAfterMs } from '../../server/gateway/upstreams/failures.ts';
import { modelIds } from '../../server/gateway/upstreams/modelList.ts';
import { iso } from '../../server/platform/clock.ts';
import { countOf, instantOf, MAX_WAIT_MS, waitOf } from '../../server/platform/values/numbers.ts';

type Report = Record<string, unknown>;
/** Input, cached input, output; and `mended` where the parts did not add up. */
type Read = [input: number, cached: number, output: number, mended?: 'mended'] | null;

const openAi = (input: unknown, output: unknown, total?: unknown, more: Report = {}): Report => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: total,
  ...more,
});
const reasoning = (tokens: unknown): Report => ({ completion_tokens_details: { reasoning_tokens: tokens } });

const REPORTS: [title: string, report: Report, read: Read][] = [
  ['that adds up', openAi(100, 20, 120), [100, 0, 20]],
  ['without a total', openAi(100, 20), [100, 0, 20]],
  ['of zeros', openAi(0, 0, 0), [0, 0, 0]],
  ['with reasoning within the output', openAi(100, 20, 120, reasoning(15)), [100, 0, 20]],
  ['with reasoning beside the output', openAi(10_120, 1_499, 14_428, reasoning(2_809)), [10_120, 0, 4_308]],
  ['with reasoning beside the output, at its top', openAi(100, 20, 150, { reasoning_tokens: 30 }), [100, 0, 50]],
  [
    'with reasoning beside the output, without a total',
    openAi(100, 20, undefined, reasoning(30)),
    [100, 0, 50, 'mended'],
  ],
  ['with a rest that nothing explains', openAi(100, 20, 150), [100, 0, 50, 'mended']],
  ['with a total below its parts', openAi(100, 20, 110), [100, 0, 10, 'mended']],
  ['with a total below its input', openAi(100, 20, 60), [60, 0, 0, 'mended']],
  ['with a total of nothing', openAi(100, 20, 0), [0, 0, 0, 'mended']],
  ['without its output', openAi(100, undefined, 130), [100, 0, 30]],
  ['without its input', openAi(null, 30, 130), [100, 0, 30]],
  ['of a total alone', openAi(undefined, undefined, 130), null],
  ['of half of it', openAi(100, undefined), null],
  ['in strings', openAi('1499', '20', '1519'), [1499, 0, 20]],
  ['in decimals', openAi(100.0, 20.9, 120), [100, 0, 20]],
  ['below nothing', openAi(-1, 20), null],
  ['beyond everything', openAi(1e300, 20), null],
  ['of no numbers', openAi('many', {}), null],
  ['that is not finite', openAi(Number.NaN, Number.POSITIVE_INFINITY), null],
  ['with a total that is none', openAi(100, 20, 'much'), [100, 0, 20]],
  ['of Anthropic, its cache beside', { input_tokens: 10, cache_read_input_tokens: 90, output_tokens: 5 }, [100, 90, 5]],
  [
    'of Anthropic, written and read',
    { input_tokens: 10, cache_read_input_tokens: 60, cache_creation_input_tokens: 30, output_tokens: 5 },
    [100, 60, 5],
  ],
  ['with the cache beside the input, by its total', openAi(10, 5, 105, { cache_read_input_tokens: 90 }), [100, 90, 5]],
  ['with the cache within', openAi(100, 5, 105, { prompt_tokens_details: { cached_tokens: 90 } }), [100, 90, 5]],
  ['with more cached than sent', openAi(10, 5, 15, { prompt_tokens_details: { cached_tokens: 90 } }), [10, 10, 5]],
  ['of Ollama', { prompt_eval_count: 26, eval_count: 298 }, [26, 0, 298]],
];

describe('usage that a model service reports', () => {
  for (const [title, report, read] of REPORTS)
    it(`${title} is ${read ? `${read.slice(0, 3).join(', ')}${read[3] ? ', and marked' : ''}` : 'none'}`, () => {
      const found = readReport(report);
      const { usage } = found ?? {};
      assert.deepEqual(
        usage
          ? [usage.inputTokens, usage.cachedInputTokens, usage.outputTokens, ...(found?.isMended ? ['mended'] : [])]
          : null,
        read,
      );
      if (usage) assert.equal(usage.estimated, found?.isMended);
    });

  it('never bills more than the total that it gives', () => {
    const counts = [0, 1, 7, 100, 5_000];
    for (const input of counts)
      for (const output of counts)
        for (const total of counts)
          for (const thought of counts)
            for (const cached of counts) {
              const { usage } = readReport(
                openAi(input, output, total, { ...reasoning(thought), cache_read_input_tokens: cached }),
              )!;
              assert.equal(usage.inputTokens + usage.outputTokens, total);
              assert(usage.cachedInputTokens <= usage.inputTokens);
            }
  });

  it('is cut to what the prompt and the limit can have come to', () => {
    const usage = { inputTokens: 200_000, cachedInputTokens: 150_000, outputTokens: 9, estimated: false };
    assert.deepEqual(clampUsage(usage, { inputTokens: 100, outputTokens: 10 }), {
      usage: { inputTokens: 100, cachedInputTokens: 100, outputTokens: 9, estimated: true },
      wrong: ['input'],
    });
    assert.deepEqual(clampUsage({ ...usage, outputTokens: 11 }, { inputTokens: 1e6, outputTokens: 10 }).wrong, [
      'output',
    ]);
  });
});

describe('what was received of an answer', () => {
  const usage = (outputTokens: number) => ({ inputTokens: 50, cachedInputTokens: 0, outputTokens, estimated: false });
  const words = 'Some words of an answer. '.repeat(20);

  it('is estimated with its thoughts, told apart or inline, while nothing is reported', () => {
    for (const events of [
      [
        { type: 'thinking' as const, text: words },
        { type: 'text' as const, text: 'Yes.' },
      ],
      [{ type: 'text' as const, text: `<think>${words}</think>Yes.` }],
    ]) {
      const received = new Received(7);
      for (const event of events) received.take(event, 0);
      received.end(0);
      assert.equal(received.text, 'Yes.');
      assert.deepEqual(received.usageOfPart, received.usageOfWhole);
      assert(received.usageOfPart.outputTokens >= estimateTokens(words));
      assert.equal(received.usageOfPart.inputTokens, 7);
    }
  });

  it('is what was reported, and what came since', () => {
    const received = new Received(7);
    received.take({ type: 'text', text: words }, 0);
    received.take({ type: 'usage', usage: usage(100) }, 0);
    assert.deepEqual(received.usageOfPart, usage(100));
    received.take({ type: 'text', text: 'more words' }, 0);
    assert.deepEqual(received.usageOfPart, { ...usage(100 + estimateTokens('more words')), estimated: true });
  });

  it('is not a report that can only be its beginning, when it is stopped', () => {
    const received = new Received(7);
    received.take({ type: 'thinking', text: words }, 0);
    received.take({ type: 'usage', usage: usage(1) }, 0);
    assert.equal(received.usageOfPart.outputTokens, estimateTokens(words));
    assert.equal(received.usageOfWhole.outputTokens, 1, 'at its end the service has the last word');
  });

  it('takes thoughts back that a template had opened', () => {
    const received = new Received(7);
    received.take({ type: 'text', text: 'Hm.' }, 0);
    received.take({ type: 'text', text: '\n</think>\n\nYes' }, 0);
    received.take({ type: 'text', text: '.' }, 0);
    assert.equal(received.text, 'Yes.');
  });

  it('keeps the halves of a pair together, and no half of one', () => {
    const received = new Received(7);
    received.take({ type: 'text', text: 'a\uD83D' }, 0);
    assert.equal(received.text, 'a');
    received.take({ type: 'text', text: '\uDE42' }, 0);
    assert.equal(received.text, 'a🙂');
  });
});

describe("a stranger's number", () => {
  const NOW = Date.UTC(2026, 10, 28);
  const wait = (value: string) => retryAfterMs({ 'retry-after': value }, NOW);

  it('of seconds to wait is bounded by a day, and absurd ones are none', () => {
    const cases: [string, number | undefined][] = [
      ['0', 0],
      ['1', 1_000],
      ['1.5', 1_500],
      ['86400', MAX_WAIT_MS],
      ['2592000', MAX_WAIT_MS],
      ['99999999999999999999', undefined],
      ['9'.repeat(400), undefined],
      [`${(NOW + 30_000) / 1000}`, 30_000],
      [`${NOW + 30_000}`, 30_000],
      ['-1', undefined],
      ['NaN', undefined],
      ['Infinity', undefined],
      ['1e9', undefined],
      ['soon', undefined],
      ['', undefined],
      [new Date(NOW + 60_000).toUTCString(), 60_000],
      [new Date(NOW - 60_000).toUTCString(), 0],
      ['Fri, 31 Dec 9999 23:59:59 GMT', undefined],
      ['+275760-09-13T00:00:00.000Z', undefined],
    ];
    for (const [value, ms] of cases) assert.equal(wait(value), ms, value);
  });

  it('of milliseconds to wait is bounded as well', () => {
    const inMs = (value: string) => retryAfterMs({ 'retry-after-ms': value, 'retry-after': '5' }, NOW);
    assert.deepEqual(['20', '1e999', '99999999999999999999', `${NOW + 10}`, 'x'].map(inMs), [
      20,
      5_000,
      undefined,
      10,
      5_000,
    ]);
    assert.equal(waitOf(Number.NaN, NOW), undefined);
  });

  it('is a count or none', () => {
    const counts = [
      0,
      12,
      '12',
      ' 12 ',
      1.9,
      -0,
      -1,
      '1e3',
      1e300,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      null,
      [],
      {},
      '',
      true,
    ];
    assert.deepEqual(
      counts.map((value) => countOf(value)),
      [0, 12, 12, 12, 1, 0, ...Array(10).fill(undefined)],
    );
  });

  it('is an instant that a contract can hold, or none', () => {
    assert.equal(instantOf(1_764_288_000), 1_764_288_000_000);
    for (const value of [1e12, -1, Number.NaN, '5', null]) assert.equal(instantOf(value), undefined);
  });

  it('becomes a time of four digits of a year, whatever it is', () => {
    const years = [8.64e15, -8.64e15, 1e300, Number.POSITIVE_INFINITY, 253_402_300_800_000].map((ms) =>
      iso(ms).slice(0, 4),
    );
    assert.deepEqual(years, ['9999', '0000', '9999', '9999', '9999']);
  });
});

describe('a list of models', () => {
  it('has the ids that can be asked for, each once', () => {
    const data = [
      { id: 'a' },
      { id: 'a' },
      { id: '' },
      { id: 7 },
      null,
      'b',
      {},
      { id: 'x'.repeat(201) },
      { id: 'c\u0000' },
    ];
    assert.deepEqual(modelIds({ data: [...data, { id: 'org/c:free v2' }, { id: ' d' }] }), ['a', 'b', 'org/c:free v2']);
    assert.deepEqual(modelIds({ models: [{ name: 'llama' }] }), ['llama']);
    assert.deepEqual(modelIds([{ id: 'a' }]), ['a']);
    for (const none of [null, {}, 7, 'x', { data: {} }]) assert.equal(modelIds(none), null);
    assert.equal(modelIds({ data: Array.from({ length: 9_000 }, (_, i) => ({ id: `m${i}` })) })!.length, 2_000);
  });
});
