import assert from 'node:assert/strict';
import { Router } from '../../../server/gateway/routing/router.ts';
import { type Piece, type Upstream, UpstreamError } from '../../../server/gateway/stream.ts';
import { openAiUpstream } from '../../../server/gateway/upstreams/openai.ts';
import { FAILURES, type Script, UpstreamDouble } from '../../doubles/upstream.ts';

const NEVER = new AbortController().signal;

describe('several model services as one', () => {
  let doubles: Record<'east' | 'west', UpstreamDouble>;
  let now: number;
  let router: Router;
  let told: [id: string, outcome: string][];
  before(async () => {
    doubles = { east: await new UpstreamDouble().start(), west: await new UpstreamDouble().start() };
  });
  after(() => Promise.all(Object.values(doubles).map((double) => double.stop())));
  beforeEach(() => {
    now = 0;
    told = [];
    for (const double of Object.values(doubles)) double.reset();
    router = routerOf({ east: null, west: null });
  });

  function routerOf(models: Partial<Record<'east' | 'west', Record<string, string> | null>>): Router {
    const services = Object.entries(models).map(([id, names]) => ({
      id,
      weight: 1,
      dialect: 'chat' as const,
      upstream: openAiUpstream({
        url: doubles[id as 'east'].url,
        retries: 0,
        timeouts: { connectMs: 10_000, firstByteMs: 1_500, idleMs: 10_000 },
      }) as Upstream,
      models: names === null ? null : new Map(Object.entries(names!)),
    }));
    const made = new Router({ services, clock: { now: () => now }, log: { warn() {} }, random: () => 0.5 });
    made.observe((id, outcome) => told.push([id, outcome]));
    return made;
  }
  const request = (cacheKey = 'a conversation') => ({
    model: 'double',
    messages: [{ role: 'user' as const, text: 'Hi' }],
    maxOutputTokens: 100,
    cacheKey,
  });
  async function answer(cacheKey?: string, signal = NEVER): Promise<string> {
    let text = '';
    for await (const { events } of router.stream(request(cacheKey), signal))
      for (const event of events) if (event.type === 'text') text += event.text;
    return text;
  }
  const asked = () => ({ east: doubles.east.bill.length, west: doubles.west.bill.length });
  /** The service that gets this conversation first. */
  async function homeOf(cacheKey: string): Promise<'east' | 'west'> {
    await answer(cacheKey);
    return asked().east > 0 ? 'east' : 'west';
  }
  const other = (id: 'east' | 'west') => (id === 'east' ? 'west' : 'east');
  /** Each service says its own name, so that a test sees who answered. */
  const sayNames = () => {
    for (const [id, double] of Object.entries(doubles)) double.usually({ text: id });
  };

  const BEFORE: [what: string, script: Script][] = [
    ['answers 500', FAILURES.broken],
    ['answers 429', FAILURES.busy()],
    ['answers 429 with a pause', FAILURES.busy('30')],
    ['refuses the operator’s key', FAILURES.wrongKey],
    ['has no money left', FAILURES.noMoney],
    ['does not know the model', FAILURES.noModel],
    ['closes the connection', { instead: 'close' }],
    ['never answers', { instead: 'hang' }],
    ['answers with a page', FAILURES.html],
    ['says 200 and dies before a word', { pieces: [], end: 'destroy' }],
    ['says 200 and an error', { pieces: [], end: 'error', error: { message: 'overloaded', type: 'overloaded_error' } }],
    ['sends what no JSON is', { raw: ['data: {"a\n\n'], headers: { 'content-type': 'text/event-stream' } }],
  ];
  for (const [what, script] of BEFORE)
    it(`asks the other where one ${what}: no client sees it`, async () => {
      sayNames();
      const home = await homeOf('a conversation');
      doubles[home].usually(script);
      assert.equal(await answer(), other(home));
      assert.deepEqual(
        told.slice(1).map(([id]) => id),
        [home, other(home)],
      );
    });

  it('asks a fallback to think only if that one can', async () => {
    const fallbacks = [{ model: 'plain', maxOutputTokens: 50 }];
    const only = { ...request(), thinking: { reasoning_effort: 'max' }, fallbacks };
    router = routerOf({ east: null });
    doubles.east.script(FAILURES.noModel);
    for await (const _ of router.stream(only, NEVER));
    assert.deepEqual(
      doubles.east.bill.map(({ body }) => [body.model, (body as unknown as Record<string, unknown>).reasoning_effort]),
      [
        ['double', 'max'],
        ['plain', undefined],
      ],
    );
  });

  it('shows no client a failure where one service fails half of its requests and the other none', async () => {
    sayNames();
    let failures = 0;
    for (let i = 0; i < 200; i++) {
      doubles.east.usually(i % 2 === 0 ? FAILURES.broken : { text: 'east' });
      now += 1_000;
      await answer(`conversation ${i}`).catch(() => failures++);
    }
    assert.equal(failures, 0);
    assert.ok(asked().east > 20, 'it was asked again and again');
  });

  it('takes no service out for one model that it does not know', async () => {
    for (let i = 0; i < 5; i++) {
      for (const double of Object.values(doubles)) double.usually(FAILURES.noModel);
      await assert.rejects(answer(`conversation ${i}`), /does not know this model/);
    }
    assert.ok(router.states.every(({ condition }) => condition === 'well'));
  });

  it('asks a service that is out no more, until one request finds it back', async () => {
    sayNames();
    const home = await homeOf('a conversation');
    doubles[home].usually(FAILURES.broken);
    for (let i = 0; i < 10; i++) await answer();
    const until = asked()[home];
    assert.equal(until, 1 + 3, 'three failures take it out');
    assert.deepEqual(router.states.find(({ id }) => id === home)?.condition, 'out');
    now += 5_000;
    doubles[home].usually({ text: home });
    assert.equal(await answer(), home, 'the conversation is at home again');
  });

  it('asks the other after a minute of silence, too', async () => {
    sayNames();
    const home = await homeOf('a conversation');
    const call = doubles[home].script({ instead: 'hang' });
    // The service is given up after the time that it has; by the clock of the deadline, that is a minute.
    void call.received.then(() => (now += 60_001));
    assert.equal(await answer(), other(home));
    assert.equal(router.states.find(({ id }) => id === home)?.condition, 'out');
  });

  it('takes a service out that begins answers and breaks them off', async () => {
    sayNames();
    const home = await homeOf('a conversation');
    doubles[home].usually(FAILURES.diesInMiddle);
    for (let i = 0; i < 3; i++) await assert.rejects(answer(), UpstreamError);
    assert.equal(await answer(), other(home));
  });

  it('tells a failure that passes rather than a model that one of them does not know', async () => {
    doubles.east.usually(FAILURES.broken);
    doubles.west.usually(FAILURES.noModel);
    for (const conversation of ['a', 'b', 'c', 'd'])
      await assert.rejects(answer(conversation), (error) => (error as UpstreamError).code === 'upstream_failed');
  });

  it('tries again at once where one rests for long and the other only failed', async () => {
    doubles.east.usually(FAILURES.busy('40'));
    doubles.west.script(FAILURES.broken);
    doubles.west.usually({ text: 'west' });
    assert.equal(await answer(), 'west');
  });

  it('begins nothing new for a client that has left', async () => {
    for (const double of Object.values(doubles)) double.usually(FAILURES.broken);
    let isGone = false;
    const sent = {
      model: 'double',
      body: { messages: [] },
      isStream: false,
      maxOutputTokens: 9,
      isAbandoned: () => isGone,
    };
    for (const double of Object.values(doubles))
      void double.script(FAILURES.broken).received.then(() => (isGone = true));
    const read = async () => {
      for await (const _ of router.call(sent, NEVER));
    };
    await assert.rejects(read(), UpstreamError);
    assert.equal(asked().east + asked().west, 1);
  });

  it('tells what an attempt has reported also where nothing new begins', async () => {
    const reporting: Script = {
      raw: [
        'data: {"choices":[],"usage":{"prompt_tokens":5000,"completion_tokens":300,"total_tokens":5300}}\n\n',
        'data: {"error":{"message":"x"}}\n\n',
      ],
      headers: { 'content-type': 'text/event-stream' },
    };
    for (const end of ['left', 'late', 'aborted'] as const) {
      let isGone = false;
      const stop = new AbortController();
      for (const double of Object.values(doubles)) {
        double.reset();
        void double.script(reporting).ended.then(() => {
          isGone = end === 'left';
          if (end === 'late') now += 200_000;
        });
        double.usually({ instead: 'hang' });
      }
      router = routerOf({ east: null, west: null });
      const lost: unknown[] = [];
      const sent = {
        model: 'double',
        body: { messages: [] },
        isStream: true,
        maxOutputTokens: 9,
        isAbandoned: () => isGone,
      };
      if (end === 'aborted')
        router.observe((_, outcome) => outcome === 'upstream_failed' && setImmediate(() => stop.abort()));
      const read = async () => {
        for await (const piece of router.call(sent, stop.signal)) lost.push(...(piece.lost ?? []));
      };
      await assert.rejects(read());
      assert.ok(lost.length > 0, end);
    }
  });

  it('asks a well service for a fallback before one that is out for the model', async () => {
    router = routerOf({ east: { double: 'double' }, west: { another: 'another' } });
    doubles.east.usually(FAILURES.broken);
    doubles.west.usually({ text: 'west' });
    const fallbacks = [{ model: 'another', maxOutputTokens: 9 }];
    for (let i = 0; i < 5; i++) {
      const models: unknown[] = [];
      for await (const { model, events } of router.stream({ ...request(), fallbacks }, NEVER))
        if (model !== undefined || events.length > 0) models.push(model);
      assert.equal(models[0], 'another');
    }
    assert.equal(asked().east, 3);
  });

  it('tells what failed attempts have reported', async () => {
    const home = await homeOf('a conversation');
    const usage = { prompt_tokens: 5_000, completion_tokens: 300 };
    doubles[home].script({ pieces: [], usage, end: 'error', error: { message: 'x', type: 'server_error' } });
    doubles[home].script({
      raw: [
        `data: ${JSON.stringify({ choices: [], usage: { ...usage, total_tokens: 5_300 } })}\n\n`,
        'data: {"error":{"message":"x"}}\n\n',
      ],
      headers: { 'content-type': 'text/event-stream' },
    });
    const lost: unknown[] = [];
    for (let i = 0; i < 2; i++)
      for await (const piece of router.stream(request(), NEVER)) lost.push(...(piece.lost ?? []));
    assert.deepEqual(lost, [{ inputTokens: 5_000, cachedInputTokens: 0, outputTokens: 300, estimated: false }]);
  });

  it('keeps a conversation at its service, where its prompt is cached', async () => {
    sayNames();
    for (let c = 0; c < 20; c++) {
      const names = new Set<string>();
      for (let i = 0; i < 3; i++) names.add(await answer(`conversation ${c}`));
      assert.equal(names.size, 1);
    }
    assert.ok(asked().east > 10 && asked().west > 10, JSON.stringify(asked()));
  });

  it('ends an answer that broke in its middle as a failure, and never goes on with another service’s', async () => {
    for (const double of Object.values(doubles)) double.usually(FAILURES.diesInMiddle);
    const texts: string[] = [];
    const read = async () => {
      for await (const { events } of router.stream(request(), NEVER))
        for (const event of events) if (event.type === 'text') texts.push(event.text);
    };
    await assert.rejects(read(), UpstreamError);
    assert.equal(texts.join(''), 'It was a dark ');
    assert.equal(asked().east + asked().west, 1);
  });

  const FINAL: [what: string, script: Script, code: string][] = [
    ['is too long', FAILURES.tooLong, 'context_too_long'],
    ['was wrong', { status: 400, body: { error: { message: 'temperature must be a number' } } }, 'upstream_refused'],
  ];
  for (const [what, script, code] of FINAL)
    it(`asks no other with a request that ${what}`, async () => {
      for (const double of Object.values(doubles)) double.usually(script);
      await assert.rejects(answer(), (error) => error instanceof UpstreamError && error.code === code);
      assert.equal(asked().east + asked().west, 1);
      assert.ok(router.states.every(({ condition }) => condition === 'well'));
    });

  it('asks all of them twice where all have a bad moment, and tells the shortest wait where they are busy', async () => {
    for (const double of Object.values(doubles)) double.script(FAILURES.broken);
    assert.match(await answer(), /Hello/);
    assert.equal(asked().east + asked().west, 3);
    doubles.east.usually(FAILURES.busy('40'));
    doubles.west.usually(FAILURES.busy('20'));
    const failure = await answer().catch((error: UpstreamError) => error);
    assert.ok(failure instanceof UpstreamError && failure.code === 'upstream_busy');
    assert.equal(failure.options.retryAfterMs, 20_000);
  });

  it('gives a draining service nothing new, and lets it end what it has', async () => {
    sayNames();
    const home = await homeOf('a conversation');
    const call = doubles[home].script({ pieces: ['one ', 'two'], gateAt: 1 });
    const running = answer();
    await call.atGate;
    router.drain(new Set([home]));
    assert.equal(await answer(), other(home));
    assert.deepEqual(
      router.states.find(({ id }) => id === home),
      { id: home, condition: 'draining', load: 1 },
    );
    call.open();
    assert.equal(await running, 'one two');
    router.drain(new Set(['east', 'west']));
    await assert.rejects(answer(), /No model service answers for this model now/);
  });

  it('calls each model by its service’s own name, and asks only services that have it', async () => {
    router = routerOf({ east: { double: 'their/double-0905' }, west: { another: 'another' } });
    for (let i = 0; i < 10; i++) await answer(`conversation ${i}`);
    assert.deepEqual(asked(), { east: 10, west: 0 });
    assert.ok(doubles.east.bill.every(({ body }) => body.model === 'their/double-0905'));
    assert.deepEqual(await router.models(), ['double', 'another']);
  });

  it('lets go of a tool’s request once its answer has begun', async () => {
    const sent = {
      model: 'double',
      body: { messages: [{ role: 'user', content: 'Hi' }] },
      isStream: true,
      maxOutputTokens: 9,
    };
    const pieces: Piece[] = [];
    for await (const piece of router.call(sent, NEVER)) {
      sent.body = { messages: [] };
      pieces.push(piece);
    }
    assert.ok(pieces.length > 0);
    const bill = [...doubles.east.bill, ...doubles.west.bill];
    assert.equal(bill[0]?.body.messages?.length, 1);
  });

  it('is stopped by its client at any time', async () => {
    for (const double of Object.values(doubles)) double.usually({ instead: 'hang' });
    const stop = new AbortController();
    const running = answer('a conversation', stop.signal);
    const reason = new Error('the client left');
    stop.abort(reason);
    await assert.rejects(running, reason);
    assert.ok(router.states.every(({ load }) => load === 0));
  });
});
