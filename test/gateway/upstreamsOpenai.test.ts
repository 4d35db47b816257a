import assert from 'node:assert/strict';
import type { StreamEvent } from '../../server/gateway/stream.ts';
import { openAiUpstream } from '../../server/gateway/upstreams/openai.ts';
import { FAILURES, type Script, UpstreamDouble } from '../doubles/upstream.ts';
import { eventsIn } from '../support/pieces.ts';
import { type Heard, KEY, openAiService, REQUEST } from './openAiService.ts';

describe('an OpenAI-compatible service', () => {
  const { double, upstreamWith, listen, usageOf, finishOf } = openAiService();

  describe('that answers', () => {
    it('is heard to its end: text, usage, finish, in this order', async () => {
      double.script({ pieces: ['Grüße', ', ', '世界', '! 🙂'] });
      const heard = await listen();
      assert.equal(heard.error, undefined);
      assert.equal(heard.text, 'Grüße, 世界! 🙂');
      assert.deepEqual(
        heard.events.slice(-2).map((event) => event.type),
        ['usage', 'finish'],
      );
      assert.equal(finishOf(heard), 'stop');
      const [entry] = double.bill;
      assert.deepEqual(usageOf(heard), {
        inputTokens: entry!.inputTokens,
        cachedInputTokens: 0,
        outputTokens: 4,
        estimated: false,
      });
    });

    it('is asked for a stream with usage, a limit, and with the key', async () => {
      await listen();
      const { body, headers } = double.bill[0]!;
      assert.deepEqual(body, {
        model: 'double',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Grüße, 世界!' },
        ],
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 100,
      });
      assert.equal(headers.authorization, `Bearer ${KEY}`);
    });

    it('gets no Authorization when there is no key', async () => {
      const upstream = openAiUpstream({ url: `${double.url}/`, key: null });
      await listen(upstream);
      await upstream.models();
      assert.equal(double.bill[0]!.headers.authorization, undefined);
    });

    it('gets the cache key only where it is known to be taken', async () => {
      await listen(upstreamWith({}, { cacheKey: true }));
      assert.equal(double.bill[0]!.body.prompt_cache_key, 'conversation-1');
    });

    it('sends each piece as it comes', async () => {
      const call = double.script({ pieces: ['one ', 'two ', 'three'], gateAt: 2 });
      const stream = eventsIn(upstreamWith().stream(REQUEST, new AbortController().signal));
      const next = async () => (await stream.next()).value as StreamEvent & { text: string };
      let text = '';
      while (text !== 'one two ') {
        const value = await next();
        assert.equal(value.type, 'text');
        text += value.text;
      }
      call.open();
      assert.deepEqual(await next(), { type: 'text', text: 'three' });
      assert.equal((await next()).type, 'usage');
      assert.equal((await next()).type, 'finish');
      assert.equal((await stream.next()).done, true);
    });

    describe('is read in few pieces once it has begun', () => {
      const SELDOM = { pace: { leastMs: 2 ** 30, mostMs: 0 } };

      /** Reads an answer up to its first word, and then beside the test. */
      async function begin(script: Script, signal = new AbortController().signal) {
        const call = double.script({ pieces: ['one ', 'two ', 'three'], gateAt: [1, 2], ...script });
        const upstream = upstreamWith(SELDOM);
        const told: string[] = [];
        let begins = () => {};
        const begun = new Promise<void>((resolve) => (begins = resolve));
        const reading = (async () => {
          for await (const event of eventsIn(upstream.stream(REQUEST, signal))) {
            told.push(event.type === 'text' ? event.text : event.type);
            begins();
          }
        })();
        reading.catch(() => {});
        await begun;
        const step = async () => {
          await call.step();
          // A round trip later, what was sent has come.
          await upstream.models();
        };
        return { told, reading, step };
      }

      it('the last at its end', async () => {
        const { told, reading, step } = await begin({});
        for (let n = 0; n < 2; n++) await step();
        await reading;
        assert.deepEqual(told, ['one ', 'two three', 'usage', 'finish']);
      });

      it('each before it is large', async () => {
        const large = 'x'.repeat(16_384);
        const { told, reading, step } = await begin({ pieces: ['one ', large, 'three'] });
        for (let n = 0; n < 2; n++) await step();
        await reading;
        assert.deepEqual(told, ['one ', large, 'three', 'usage', 'finish']);
      });

      it('the last when it breaks', async () => {
        const { told, reading, step } = await begin({ end: 'destroy' });
        for (let n = 0; n < 2; n++) await step();
        await assert.rejects(reading, { code: 'upstream_failed' });
        assert.deepEqual(told, ['one ', 'two three']);
      });

      it('the last when it is stopped: what has come is billed', async () => {
        const stop = new AbortController();
        const { told, reading, step } = await begin({}, stop.signal);
        await step();
        stop.abort(new Error('stopped'));
        await assert.rejects(reading, /stopped/);
        assert.deepEqual(told, ['one ', 'two ']);
      });

      it('the last when it is stopped before it is read', async () => {
        const stop = new AbortController();
        const call = double.script({ pieces: ['one ', 'two'], gateAt: 1 });
        const upstream = upstreamWith(SELDOM);
        const told: string[] = [];
        const reading = (async () => {
          for await (const event of eventsIn(upstream.stream(REQUEST, stop.signal))) {
            told.push(event.type === 'text' ? event.text : event.type);
            if (stop.signal.aborted) continue;
            call.open();
            await call.ended;
            await upstream.models();
            stop.abort(new Error('stopped'));
          }
        })();
        await reading;
        assert.deepEqual(told, ['one ', 'two', 'usage', 'finish']);
      });
    });

    for (const [name, wire] of [
      ['lines that end in CRLF', ['crlf']],
      ['single bytes, which cut characters and lines', ['bytes']],
      ['comments between the events', ['comments']],
      ['all of these at once', ['crlf', 'bytes', 'comments']],
    ] as [string, Script['wire']][]) {
      it(`is understood when it sends ${name}`, async () => {
        double.script({ pieces: ['Grüße ', '世界 ', '🙂\r\n'], wire });
        const heard = await listen();
        assert.equal(heard.text, 'Grüße 世界 🙂\r\n');
        assert.equal(finishOf(heard), 'stop');
        assert.equal(usageOf(heard)?.outputTokens, 3);
      });
    }

    it('keeps its thoughts to itself, and counts them', async () => {
      double.script({ thoughts: ['Hm. ', 'Well. '], pieces: ['Yes.'] });
      const heard = await listen();
      assert.equal(heard.text, 'Yes.');
      assert.equal(usageOf(heard)?.outputTokens, 3);
    });

    it('says when the answer reached its limit', async () => {
      double.script({ pieces: ['a', 'b', 'c', 'd'] });
      const heard = await listen(upstreamWith(), { ...REQUEST, maxOutputTokens: 2 });
      assert.equal(heard.text, 'ab');
      assert.equal(finishOf(heard), 'length');
    });

    it('says when it withholds an answer for its content', async () => {
      double.script(FAILURES.refusal);
      assert.equal(finishOf(await listen()), 'refusal');
    });

    it('is done without [DONE]', async () => {
      double.script({ pieces: ['Yes.'], end: 'no [DONE]' });
      const heard = await listen();
      assert.equal(finishOf(heard), 'stop');
      assert.equal(usageOf(heard)?.outputTokens, 1);
    });

    it('is done by [DONE] without a finish_reason', async () => {
      double.script({ pieces: ['Yes.'], finish: null });
      assert.equal(finishOf(await listen()), 'stop');
    });

    it('is done when it finished the answer and then falls silent', async () => {
      double.script({ pieces: ['Yes.'], end: 'hang after finish' });
      const heard = await listen(upstreamWith({ tailMs: 20 }));
      assert.equal(finishOf(heard), 'stop');
      assert.equal(usageOf(heard), undefined);
    });

    it('may answer in one piece though a stream was asked for', async () => {
      double.script({ text: 'All at once.', whole: true });
      const heard = await listen();
      assert.equal(heard.text, 'All at once.');
      assert.equal(finishOf(heard), 'stop');
      assert.equal(usageOf(heard)?.outputTokens, 3);
    });
  });

  describe('that reports usage', () => {
    const reported: [string, Script['usage'], (heard: Heard) => void][] = [
      ['not at all: none is made up', 'none', (heard) => assert.equal(usageOf(heard), undefined)],
      [
        'of zeros: they stay zeros',
        'zero',
        (heard) =>
          assert.deepEqual(usageOf(heard), { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, estimated: false }),
      ],
      ['inside its choices', 'choices', (heard) => assert.equal(usageOf(heard)?.outputTokens, 2)],
      [
        'in every chunk: the last one counts, once',
        'every chunk',
        (heard) => {
          assert.equal(usageOf(heard)?.outputTokens, 2);
          assert.equal(heard.events.filter((event) => event.type === 'usage').length, 1);
        },
      ],
      [
        'with more cached than sent: no more than sent counts as cached',
        { prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 12 } },
        (heard) => assert.equal(usageOf(heard)?.cachedInputTokens, 10),
      ],
      [
        'with the cache as DeepSeek names it',
        { prompt_tokens: 10, completion_tokens: 2, prompt_cache_hit_tokens: 8 },
        (heard) => assert.equal(usageOf(heard)?.cachedInputTokens, 8),
      ],
      [
        'that makes no sense: it is none',
        { prompt_tokens: -1, completion_tokens: 0.5 },
        (heard) => assert.equal(usageOf(heard), undefined),
      ],
    ];
    for (const [name, usage, check] of reported) {
      it(name, async () => {
        double.script({ pieces: ['Yes', '.'], usage });
        const heard = await listen();
        assert.equal(finishOf(heard), 'stop');
        check(heard);
      });
    }

    for (const usage of ['chunk', 'moonshot'] as const) {
      it(`row 39: with what its cache had, in the ${usage === 'chunk' ? "form of OpenAI's" : "form of Moonshot's"}`, async () => {
        const upstream = upstreamWith();
        double.usually({ text: 'Yes.', usage });
        await listen(upstream);
        const messages = [...REQUEST.messages, { role: 'assistant', text: 'Yes.' } as const];
        const heard = await listen(upstream, { ...REQUEST, messages: [...messages, { role: 'user', text: 'More.' }] });
        const { cachedInputTokens, inputTokens } = usageOf(heard)!;
        assert.equal(cachedInputTokens, double.bill[1]!.cachedInputTokens);
        assert(cachedInputTokens > 0 && cachedInputTokens < inputTokens);
      });
    }
  });

  describe('that does not know a field', () => {
    it('gets the limit by its other name, at once and from then on', async () => {
      double.refusedFields = ['max_tokens'];
      const upstream = upstreamWith();
      assert.equal(finishOf(await listen(upstream)), 'stop');
      assert.equal(double.bill[1]!.body.max_completion_tokens, 100);
      await listen(upstream);
      assert.equal(double.bill.length, 3);
    });

    it('gets neither usage option nor cache key if it wants neither', async () => {
      double.refusedFields = ['stream_options', 'prompt_cache_key'];
      assert.equal(finishOf(await listen(upstreamWith({}, { cacheKey: true }))), 'stop');
      assert.equal(double.bill.length, 3);
    });
  });

  describe('that is stopped', () => {
    it('in the middle: the reason is thrown, and the service sees the connection close', async () => {
      const abort = new AbortController();
      const call = double.script({ pieces: ['one ', 'two ', 'three'], gateAt: 2 });
      const heard = listen(upstreamWith(), REQUEST, abort.signal);
      await call.atGate;
      abort.abort('stop');
      assert.equal((await heard).error, 'stop');
      const entry = await call.ended;
      assert.equal(entry.state, 'aborted');
      assert.equal(entry.outputTokens, 2);
    });

    it('before its head', async () => {
      const abort = new AbortController();
      const call = double.script({ instead: 'hang' });
      const heard = listen(upstreamWith(), REQUEST, abort.signal);
      await call.received;
      abort.abort('stop');
      assert.equal((await heard).error, 'stop');
      assert.equal((await call.ended).state, 'aborted');
    });

    it('before it was asked', async () => {
      const heard = await listen(upstreamWith(), REQUEST, AbortSignal.abort('stop'));
      assert.equal(heard.error, 'stop');
      assert.equal(double.bill.length, 0);
    });

    it('by a reader who leaves', async () => {
      const call = double.script({ pieces: ['one ', 'two'], gateAt: 1 });
      for await (const event of eventsIn(upstreamWith().stream(REQUEST, new AbortController().signal))) {
        assert.equal(event.type, 'text');
        break;
      }
      assert.equal((await call.ended).state, 'aborted');
    });
  });

  describe('over many answers', () => {
    it('is reached by one kept connection, and no listener or timer stays behind', async () => {
      // Of its own: connections that earlier tests left may still be closing.
      const own = await new UpstreamDouble().start();
      const upstream = upstreamWith({}, { url: own.url });
      const abort = new AbortController();
      let listeners = 0;
      const { signal } = abort;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      };
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      await listen(upstream, REQUEST, signal);
      const timersBefore = timers();
      for (let n = 0; n < 50; n += 1) assert.equal((await listen(upstream, REQUEST, signal)).error, undefined);
      assert.equal(own.connections, 1);
      assert.equal(listeners, 0);
      assert(timers() <= timersBefore);
      await own.stop();
    });

    it('lists its models', async () => {
      const two = await new UpstreamDouble({ models: ['kimi-k2', 'kimi-k2-turbo'] }).start();
      assert.deepEqual(await upstreamWith({}, { url: two.url }).models(), ['kimi-k2', 'kimi-k2-turbo']);
      await two.stop();
    });

    it('bills what was counted here, answer by answer', async () => {
      const upstream = upstreamWith();
      const sum = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
      const answers = Array.from({ length: 20 }, (_, n) => {
        double.script({ when: `question ${n}.`, pieces: Array.from({ length: n + 1 }, () => 'x'), everyMs: n % 3 });
        return listen(upstream, { ...REQUEST, messages: [{ role: 'user', text: `question ${n}.` }] });
      });
      for (const heard of await Promise.all(answers)) {
        const usage = usageOf(heard)!;
        assert.equal(usage.outputTokens, heard.text.length);
        for (const name of ['inputTokens', 'cachedInputTokens', 'outputTokens'] as const) sum[name] += usage[name];
      }
      assert.deepEqual(sum, double.total);
    });
  });
});
