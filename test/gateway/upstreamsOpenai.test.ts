import assert from 'node:assert/strict';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type StreamEvent,
  UpstreamError,
  type UpstreamFailure,
  type UpstreamRequest,
} from '../../server/gateway/stream.ts';
import { openAiUpstream } from '../../server/gateway/upstreams/openai.ts';
import { errorBody, FAILURES, type Script, UpstreamDouble } from '../doubles/upstream.ts';
import { eventsIn } from '../support/pieces.ts';

const KEY = 'sk-secret-0123456789';
const REQUEST: UpstreamRequest = {
  model: 'double',
  messages: [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'Grüße, 世界!' },
  ],
  maxOutputTokens: 100,
  cacheKey: 'conversation-1',
};
const QUICK = { connectMs: 2_000, firstByteMs: 5_000, idleMs: 5_000, tailMs: 5_000, retryMs: 1 };

interface Heard {
  text: string;
  events: StreamEvent[];
  error?: unknown;
}

describe('an OpenAI-compatible service', () => {
  const double = new UpstreamDouble();
  const logged: unknown[] = [];
  const log = { warn: (...line: unknown[]) => void logged.push(line) };
  before(() => double.start());
  after(() => double.stop());
  beforeEach(() => {
    double.reset();
    double.refusedFields = [];
    logged.length = 0;
  });

  const upstreamWith = (timeouts: Partial<typeof QUICK> = {}, more: { cacheKey?: boolean; url?: string } = {}) =>
    openAiUpstream({ url: double.url, key: KEY, log, timeouts: { ...QUICK, ...timeouts }, ...more });

  /** All that is said, and the error at its end if there is one. */
  async function listen(upstream = upstreamWith(), request = REQUEST, signal = new AbortController().signal) {
    const heard: Heard = { text: '', events: [] };
    try {
      for await (const event of eventsIn(upstream.stream(request, signal))) {
        heard.events.push(event);
        if (event.type === 'text') heard.text += event.text;
      }
    } catch (error) {
      heard.error = error;
    }
    return heard;
  }

  const usageOf = (heard: Heard) => heard.events.find((event) => event.type === 'usage')?.usage;
  const finishOf = (heard: Heard) => heard.events.find((event) => event.type === 'finish')?.why;

  /** The error's name; and that nothing in its message could hurt. */
  function failedWith(heard: Heard, code: UpstreamFailure): UpstreamError {
    assert(heard.error instanceof UpstreamError, `no UpstreamError but ${String(heard.error)}`);
    assert.equal(heard.error.code, code, `${heard.error.code}: ${heard.error.options.logDetail}`);
    assert.equal(finishOf(heard), undefined);
    assert.doesNotMatch(heard.error.message, /127\.0\.0\.1|http|sk-|[{}<>"]/);
    const { logDetail = '' } = heard.error.options;
    assert(!logDetail.includes(KEY) && logDetail.length < 600);
    return heard.error;
  }

  async function failing(script: Script, code: UpstreamFailure, upstream = upstreamWith()): Promise<Heard> {
    double.script(script);
    const heard = await listen(upstream);
    failedWith(heard, code);
    return heard;
  }

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
      it(`with what its cache had, in the ${usage === 'chunk' ? "form of OpenAI's" : "form of Moonshot's"}`, async () => {
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

  describe('that fails in the middle', () => {
    const middle = ['It ', 'was ', 'a ', 'dark '];
    it('by a dead connection: what came is kept, and it is said', async () => {
      const heard = await failing({ pieces: middle, end: 'destroy' }, 'upstream_failed');
      assert.equal(heard.text, 'It was a dark ');
      assert.match(String(heard.error), /stopped in the middle/);
      assert.equal(double.bill.length, 1, 'nothing is retried after the first byte');
    });

    it('by an end without a finish', async () => {
      const heard = await failing({ pieces: middle, end: 'eof' }, 'upstream_failed');
      assert.equal(heard.text, 'It was a dark ');
      assert.match(String(heard.error), /stopped in the middle/);
    });

    it('by an event that is not JSON', async () => {
      const heard = await failing({ pieces: middle, end: 'malformed' }, 'upstream_malformed');
      assert.equal(heard.text, 'It was a dark ');
    });

    it('by half an event: it broke off, rather than spoke badly', async () => {
      const heard = await failing({ pieces: middle, end: 'half an event' }, 'upstream_failed');
      assert.equal(heard.text, 'It was a dark ');
    });

    it('by an error object', async () => {
      const heard = await failing({ pieces: middle, end: 'error' }, 'upstream_failed');
      assert.equal(heard.text, 'It was a dark ');
    });

    it('by an error object that says it is overloaded', async () => {
      const error = errorBody('Overloaded', 'overloaded_error');
      await failing({ pieces: middle, end: 'error', error }, 'upstream_busy');
    });

    it('by an error that says the text is too long', async () => {
      await failing({ pieces: [], end: 'error', error: FAILURES.tooLong.body }, 'context_too_long');
    });

    it('by a finish_reason that says so', async () => {
      const heard = await failing({ pieces: middle, finish: 'error' }, 'upstream_failed');
      assert.equal(heard.text, 'It was a dark ');
      assert.equal(usageOf(heard)?.outputTokens, 4, 'what it cost is known all the same');
    });

    it('by silence', async () => {
      const heard = await failing({ pieces: middle, end: 'hang' }, 'upstream_timeout', upstreamWith({ idleMs: 30 }));
      assert.equal(heard.text, 'It was a dark ');
    });

    it('by nothing but comments', async () => {
      await failing({ pieces: middle, end: 'comments' }, 'upstream_timeout', upstreamWith({ idleMs: 20 }));
    });

    it('by a line without end', async () => {
      const heard = await failing({ pieces: middle, end: 'endless line' }, 'upstream_malformed');
      assert.equal(heard.text, 'It was a dark ');
    });

    it('and its connection is closed, so that it stops working', async () => {
      const call = double.script({ pieces: middle, end: 'hang' });
      failedWith(await listen(upstreamWith({ idleMs: 30 })), 'upstream_timeout');
      assert.equal((await call.ended).state, 'aborted');
    });
  });

  describe('that does not answer', () => {
    it('because nobody listens there', async () => {
      const gone = await new UpstreamDouble().start();
      const { url } = gone;
      await gone.stop();
      const heard = await listen(upstreamWith({}, { url }));
      failedWith(heard, 'upstream_unreachable');
      assert.equal(logged.length, 1, 'it was tried once more');
      await assert.rejects(upstreamWith({}, { url }).models(), { code: 'upstream_unreachable' });
    });

    it('because its name does not exist', async () => {
      failedWith(await listen(upstreamWith({}, { url: 'http://nowhere.invalid/v1' })), 'upstream_unreachable');
    });

    it('because it hangs before the head', async () => {
      await failing({ instead: 'hang' }, 'upstream_timeout', upstreamWith({ firstByteMs: 30 }));
      // On a busy machine the request itself may take longer.
      assert.ok(double.bill.length <= 1, 'it may have begun to work: nothing is retried');
    });

    it('because it hangs after the head', async () => {
      await failing({ pieces: [], gateAt: 0, end: 'hang' }, 'upstream_timeout', upstreamWith({ idleMs: 30 }));
    });

    it('because it closes the connection', async () => {
      await failing({ instead: 'close' }, 'upstream_failed');
      assert.equal(double.bill.length, 1, 'it may have begun to work: nothing is retried');
    });

    it('because a kept connection was closed meanwhile: another one is used', async () => {
      const upstream = upstreamWith();
      await listen(upstream);
      // The answer to this one is a closed connection, as when the service had closed it before the request arrived.
      double.script({ instead: 'close' });
      const heard = await listen(upstream);
      assert.equal(finishOf(heard), 'stop');
    });

    it('because it does not speak HTTP', async () => {
      const server = http.createServer().on('connection', (socket) => socket.end('SSH-2.0-nothing\r\n'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
      failedWith(await listen(upstreamWith({}, { url })), 'upstream_malformed');
      await new Promise((resolve) => server.close(resolve));
    });
  });

  describe('that refuses', () => {
    const refusals: [string, Script, UpstreamFailure, RegExp][] = [
      ['the key', FAILURES.wrongKey, 'upstream_refused', /refused the server's key\. Tell the operator/],
      ['because the money is gone', FAILURES.noMoney, 'upstream_refused', /run out\. Tell the operator/],
      ['the model', FAILURES.noModel, 'upstream_refused', /does not know this model/],
      ['a text that is too long', FAILURES.tooLong, 'context_too_long', /more text than the model can read/],
      ['a text that is too large', { status: 413, body: 'too large' }, 'context_too_long', /more text/],
      [
        'a text for its content',
        { status: 400, body: errorBody('flagged', 'content_filter') },
        'upstream_refused',
        /because of its content/,
      ],
      ['for a reason of its own', { status: 418, body: errorBody('teapot', 'x') }, 'upstream_refused', /refused the/],
      ['by HTML', FAILURES.html, 'upstream_malformed', /unreadable/],
      ['by HTML and a status', { ...FAILURES.html, status: 502 }, 'upstream_failed', /failed/],
      ['by JSON that is none', { status: 200, body: '{"choices":' }, 'upstream_malformed', /unreadable/],
      ['by an error with status 200', { status: 200, body: errorBody('Oh', 'x') }, 'upstream_failed', /failed/],
      [
        'by an empty stream',
        { status: 200, headers: { 'content-type': 'text/event-stream' }, body: '' },
        'upstream_malformed',
        /unreadable/,
      ],
      ['by a redirect', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }, 'upstream_refused', /redirect/],
    ];
    for (const [name, script, code, message] of refusals) {
      it(`${name}: ${code}`, async () => {
        const heard = await failing({ times: 2, ...script }, code);
        assert.match((heard.error as Error).message, message);
        if (code !== 'upstream_failed') assert.equal(double.bill.length, 1);
      });
    }

    it('the list of models, too, says why', async () => {
      const strict = await new UpstreamDouble({ key: 'another' }).start();
      await assert.rejects(upstreamWith({}, { url: strict.url }).models(), { code: 'upstream_refused' });
      await strict.stop();
      await assert.rejects(upstreamWith({}, { url: `${double.url}/wrong` }).models(), { code: 'upstream_refused' });
    });

    it('and repeats the key: not even the log gets it', async () => {
      const body = errorBody(`Incorrect API key provided: ${KEY}`, 'x');
      const heard = await failing({ status: 401, body }, 'upstream_refused');
      const { logDetail, cause } = (heard.error as UpstreamError).options;
      assert.match(logDetail!, /^HTTP 401, code none, type x, \d+ characters$/);
      assert.doesNotMatch(JSON.stringify([logDetail, cause, String(cause)]), /sk-secret/);
    });

    it('never sees its key sent after a redirect', async () => {
      const other = await new UpstreamDouble().start();
      double.script({ status: 308, headers: { location: `${other.url}/chat/completions` } });
      failedWith(await listen(), 'upstream_refused');
      assert.equal(other.bill.length, 0);
      await other.stop();
    });
  });

  describe('that is busy', () => {
    it('is asked once more, and may then answer', async () => {
      double.script(FAILURES.busy());
      const heard = await listen();
      assert.equal(finishOf(heard), 'stop');
      assert.equal(double.bill.length, 2);
      assert.equal(logged.length, 1);
    });

    it('is asked no third time', async () => {
      await failing({ ...FAILURES.busy(), times: 3 }, 'upstream_busy');
      assert.equal(double.bill.length, 2);
    });

    it('says how long to wait, in seconds; so long we do not wait ourselves', async () => {
      const heard = await failing(FAILURES.busy('20'), 'upstream_busy');
      assert.equal((heard.error as UpstreamError).options.retryAfterMs, 20_000);
      assert.equal((heard.error as Error).message, 'The model service is busy. Try again in 20 s.');
      assert.equal(double.bill.length, 1);
      const long = await failing(FAILURES.busy('7200'), 'upstream_busy');
      assert.equal((long.error as Error).message, 'The model service is busy. Try again in 2 h.');
    });

    it('says until when to wait, as a date', async () => {
      const heard = await failing(FAILURES.busy(new Date(Date.now() + 60_000).toUTCString()), 'upstream_busy');
      const { retryAfterMs } = (heard.error as UpstreamError).options;
      assert(retryAfterMs! > 50_000 && retryAfterMs! <= 60_000);
    });

    it('says how long to wait, in milliseconds', async () => {
      double.script({ ...FAILURES.busy('20'), headers: { 'retry-after-ms': '3', 'retry-after': '20' } });
      assert.equal(finishOf(await listen()), 'stop');
    });

    it('says that another try is no use', async () => {
      await failing({ ...FAILURES.broken, headers: { 'x-should-retry': 'false' } }, 'upstream_failed');
      assert.equal(double.bill.length, 1);
    });

    for (const [status, code] of [
      [500, 'upstream_failed'],
      [503, 'upstream_busy'],
      [504, 'upstream_timeout'],
      [529, 'upstream_busy'],
    ] as const) {
      it(`by ${status} twice: ${code}`, async () => {
        await failing({ status, body: errorBody('no', 'x'), times: 2 }, code);
        assert.equal(double.bill.length, 2);
      });
    }

    it('is left alone when the user stops during the pause', async () => {
      const abort = new AbortController();
      const call = double.script(FAILURES.busy('1'));
      const heard = listen(upstreamWith(), REQUEST, abort.signal);
      await call.ended;
      abort.abort(new Error('stopped'));
      assert.equal(String((await heard).error), 'Error: stopped');
      assert.equal(double.bill.length, 1);
    });
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
