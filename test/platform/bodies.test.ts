import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createAdaptorServer } from '@hono/node-server';
import { createRoute, z } from '@hono/zod-openapi';
import fc from 'fast-check';
import { createApi } from '../../server/platform/http/api.ts';
import { bodyGate, jsonBody, takesBody } from '../../server/platform/http/bodies.ts';
import { onError, problemResponse } from '../../server/platform/http/problems.ts';
import { createLog } from '../../server/platform/log.ts';
import { JsonBounds } from '../../server/platform/values/jsonBounds.ts';

/** What is said of a text that arrives in pieces of so many bytes. */
function judged(text: string, piece = 65_536): string | null {
  const bounds = new JsonBounds();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += piece) {
    const misfit = bounds.read(bytes.subarray(at, at + piece));
    if (misfit) return misfit;
  }
  return null;
}

describe('the bounds of a JSON text', () => {
  const CASES: [title: string, text: string, told: RegExp | null][] = [
    ['32 levels', '['.repeat(32) + ']'.repeat(32), null],
    ['33 levels', '['.repeat(33) + ']'.repeat(33), /33|32 levels/],
    ['33 levels of objects', '{"a":'.repeat(33), /32 levels/],
    ['many levels in a text', JSON.stringify({ a: '[{'.repeat(10_000) }), null],
    ['a text of a megabyte', JSON.stringify({ a: '\\"\n'.repeat(300_000) }), null],
    ['4,999 values in a list', `[${Array(4_999).fill(1).join()}]`, null],
    ['5,001 values in a list', `[${Array(5_001).fill(1).join()}]`, /5000 values/],
    ['empty objects', `[${'{},'.repeat(3_000)}{}]`, /5000 values/],
    ['names that are all the same', `{${'"a":1,'.repeat(5_001)}"a":1}`, /5000 values/],
    ['an endless number', `{"a":${'9'.repeat(300_000)}}`, /256 KB outside/],
    ['endless blanks', `${' '.repeat(300_000)}{}`, /256 KB outside/],
    ['no JSON at all', 'x'.repeat(300_000), /256 KB outside/],
    ['closing brackets alone', ']'.repeat(300_000), /256 KB outside/],
  ];
  for (const [title, text, told] of CASES)
    it(`${told ? 'refuse' : 'allow'} ${title}`, () => {
      const misfit = judged(text);
      if (told) assert.match(misfit ?? 'nothing', told);
      else assert.equal(misfit, null);
    });

  it('count the same however a text is cut into pieces, and nothing within texts', () => {
    const value = fc.array(fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ',', 'a', '\n', 'é') }));
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 40 }), (texts, piece) => {
        // As many levels as are allowed, so that one bracket taken for structure is one too many.
        const text = `${'['.repeat(31)}${JSON.stringify(texts.map((one) => one.repeat(9)))}${']'.repeat(31)}`;
        return judged(text, piece) === null && judged(`[${text}]`, piece) !== null;
      }),
    );
  });
});

describe('a route with a body', () => {
  const route = (body: object) =>
    createRoute({
      method: 'post',
      path: '/x',
      request: { body: body as never },
      responses: { 204: { description: '' } },
    });
  const content = { 'application/json': { schema: z.object({}) } };

  it('keeps the server from starting unless it says how large the body may be', () => {
    assert.throws(() => createApi().openapi(route({ content }), (c) => c.body(null, 204)), /post \/x.*jsonBody/);
    createApi().openapi(route(jsonBody(z.object({}), 10)), (c) => c.body(null, 204));
  });
});

describe('a body that comes in pieces', () => {
  let server: Server;
  before(async () => {
    const api = createApi();
    api.onError(onError(createLog('silent'), problemResponse));
    api.use((c, next) => {
      c.set('now', () => Date.now());
      return next();
    });
    api.use(bodyGate(100));
    api.post('/x', takesBody({ maxBytes: 1_000, type: 'json' }), async (c) => c.json(await c.req.json()));
    server = createAdaptorServer({ fetch: api.fetch }) as Server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Sends these pieces, and says that there are so many bytes. */
  async function post(bytes: number, ...pieces: string[]): Promise<{ status: number; body: Record<string, unknown> }> {
    const { port } = server.address() as AddressInfo;
    const headers = { 'content-type': 'application/json', 'content-length': bytes };
    const out = request({ host: '127.0.0.1', port, path: '/x', method: 'POST', headers });
    for (const piece of pieces) await new Promise<void>((sent) => out.write(piece, () => sent()));
    const [response] = (await once(out, 'response')) as [IncomingMessage];
    const body = JSON.parse(await text(response));
    out.destroy();
    return { status: response.statusCode!, body };
  }

  it('is read whole', async () => {
    assert.deepEqual(await post(9, '{"a"', ':', '123', '}'), { status: 200, body: { a: 123 } });
  });

  it('is refused in words when it stands still', async () => {
    const { status, body } = await post(500, '{"a"', ':');
    assert.deepEqual([status, body.code], [400, 'invalid_request']);
    assert.match(
      String(body.detail),
      /^The rest of the body did not arrive within 1 s\. Nothing was started: send it again\.$/,
    );
  });
});
