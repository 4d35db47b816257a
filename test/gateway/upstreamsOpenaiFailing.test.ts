import assert from 'node:assert/strict';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UpstreamError, UpstreamFailure } from '../../server/gateway/stream.ts';
import { errorBody, FAILURES, type Script, UpstreamDouble } from '../doubles/upstream.ts';

import { KEY, openAiService, REQUEST } from './openAiService.ts';

describe('an OpenAI-compatible service', () => {
  const { double, logged, upstreamWith, listen, usageOf, finishOf, failedWith, failing } = openAiService();

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
});
