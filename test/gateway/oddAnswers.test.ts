import assert from 'node:assert/strict';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as zlib from 'node:zlib';
import { type StreamEvent, UpstreamError, type UpstreamFailure } from '../../server/gateway/stream.ts';
import { openAiUpstream } from '../../server/gateway/upstreams/openai.ts';
import { type Script, UpstreamDouble } from '../doubles/upstream.ts';
import { eventsIn } from '../support/pieces.ts';

const QUICK = { connectMs: 5_000, firstByteMs: 10_000, idleMs: 10_000, tailMs: 10_000, retryMs: 1 };

const piece = (content: unknown, finish: unknown = null) =>
  JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] });
const WHOLE = {
  object: 'chat.completion',
  choices: [{ index: 0, message: { content: 'It is 42.' }, finish_reason: 'stop' }],
};
const stream = (...datas: string[]) => datas.map((data) => `data: ${data}\n\n`).join('');
const USUAL = stream(piece('It is '), piece('42.'), piece('', 'stop'), '[DONE]');
const CUT = stream(piece('It is '), piece('42.'));
const bytes = (text: string) => [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
const utf16 = (text: string, mark: boolean) => Buffer.from(`${mark ? '\uFEFF' : ''}${text}`, 'utf16le');
const json = { 'content-type': 'application/json' };
const TOO_LONG = { error: { message: 'maximum context length is 8192 tokens', code: 'context_length_exceeded' } };

interface Case {
  raw: (string | Uint8Array)[];
  headers?: Record<string, string>;
  end?: Script['end'];
  /** The text, and `stop`, unless something else is said. */
  text?: string;
  fails?: UpstreamFailure;
  finish?: string;
  thinking?: string;
}

const encoded = (name: string, body: Uint8Array, more: Partial<Case> = {}): Case => ({
  raw: [body],
  headers: { 'content-encoding': name },
  ...more,
});

const FRAMES: Record<string, Case> = {
  'events labelled JSON': { raw: [USUAL], headers: json },
  'events without a label': { raw: [USUAL], headers: { 'content-type': '' } },
  'events labelled as a page': { raw: [USUAL], headers: { 'content-type': 'text/html' } },
  'one JSON labelled events': { raw: [JSON.stringify(WHOLE)] },
  'one JSON over many lines': { raw: [JSON.stringify(WHOLE, null, 2)], headers: json },
  'one JSON, byte by byte': { raw: bytes(JSON.stringify(WHOLE, null, 2)), headers: json },
  'one JSON in one event': { raw: [stream(JSON.stringify(WHOLE), '[DONE]')] },
  'the whole answer once more at its end': { raw: [stream(piece('It is '), piece('42.'), JSON.stringify(WHOLE))] },
  'a JSON object a line': { raw: [`${piece('It is ')}\n${piece('42.', 'stop')}\n`], headers: json },
  'a JSON object a line, the last without its end': { raw: [`${piece('It is ')}\n${piece('42.', 'stop')}`] },
  'JSON objects with nothing between': { raw: [piece('It is ') + piece('42.', 'stop')], headers: json },
  'a JSON list of chunks': { raw: [`[${piece('It is ')}\n,\n${piece('42.', 'stop')}]`], headers: json },
  "lines of Ollama's own": {
    raw: [
      '{"message":{"role":"assistant","content":"It is "},"done":false}\n',
      '{"message":{"content":"42."},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":4}\n',
    ],
    headers: { 'content-type': 'application/x-ndjson' },
  },
  'events parted by one line end': { raw: [USUAL.replaceAll('\n\n', '\n')] },
  'events parted by one line end, byte by byte': { raw: bytes(USUAL.replaceAll('\n\n', '\n')) },
  'events parted by CR alone': { raw: [USUAL.replaceAll('\n', '\r')] },
  'events with CRLF, byte by byte': { raw: bytes(USUAL.replaceAll('\n', '\r\n')) },
  'events without a blank after the colon': { raw: [USUAL.replaceAll('data: ', 'data:')] },
  'events with names, ids and comments': { raw: [`: hi\n\n${USUAL.replaceAll('data:', 'event: x\nid: 1\ndata:')}`] },
  'a byte order mark': { raw: [`\uFEFF${USUAL}`] },
  'blank lines first': { raw: [`\n\n${USUAL}`] },
  'UTF-16 with a mark': { raw: [utf16(USUAL, true)] },
  'UTF-16 without one, byte by byte': { raw: [...utf16(USUAL, false)].map((byte) => Buffer.from([byte])) },
  'garbage after its end': { raw: [`${USUAL}data: {broken\n\n<html>`] },
  'no line end after its end': { raw: [USUAL.trimEnd()] },
  'a bare end': { raw: [`${stream(piece('It is 42.'))}[DONE]\n`] },

  gzip: encoded('gzip', zlib.gzipSync(USUAL)),
  'gzip that is not declared': { raw: [zlib.gzipSync(USUAL)] },
  'gzip, byte by byte': {
    ...encoded('gzip', Buffer.alloc(0)),
    raw: [...zlib.gzipSync(USUAL)].map((b) => Buffer.from([b])),
  },
  'gzip by its old name': encoded('x-gzip', zlib.gzipSync(USUAL)),
  'gzip declared as br': encoded('br', zlib.gzipSync(USUAL)),
  deflate: encoded('deflate', zlib.deflateSync(USUAL)),
  'deflate without a head': encoded('deflate', zlib.deflateRawSync(USUAL)),
  br: encoded('br', zlib.brotliCompressSync(USUAL)),
  'gzip twice': encoded('gzip, gzip', zlib.gzipSync(zlib.gzipSync(USUAL))),
  'gzip within br': encoded('gzip, br', zlib.brotliCompressSync(zlib.gzipSync(USUAL))),
  'gzip twice, declared once': encoded('gzip', zlib.gzipSync(zlib.gzipSync(USUAL))),
  'gzip declared, and none': encoded('gzip', Buffer.from(USUAL)),
  'br declared, and none': encoded('br', Buffer.from(USUAL)),
  identity: encoded('identity', Buffer.from(USUAL)),
  'an unknown encoding declared, and none': encoded('x-magic', Buffer.from(USUAL)),
  'one JSON in gzip': encoded('gzip', zlib.gzipSync(JSON.stringify(WHOLE)), {
    headers: { ...json, 'content-encoding': 'gzip' },
  }),
  'gzip that is cut': encoded('gzip', zlib.gzipSync(CUT).subarray(0, -9), { fails: 'upstream_failed' }),
  'gzip too often': encoded(
    'gzip',
    [1, 2, 3, 4, 5].reduce((body) => zlib.gzipSync(body), Buffer.from(USUAL)),
    {
      fails: 'upstream_malformed',
      text: '',
    },
  ),

  'a page': { raw: ['<!doctype html><title>Welcome</title>'], fails: 'upstream_malformed', text: '' },
  'a page that hangs': { raw: ['\n <html>'], end: 'hang', fails: 'upstream_malformed', text: '' },
  nothing: { raw: [], fails: 'upstream_malformed', text: '' },
  'blank lines alone': { raw: ['\n\n\n'], fails: 'upstream_malformed', text: '' },
  'words alone': { raw: ['upstream connect error'], fails: 'upstream_malformed', text: '' },
  'an end alone': { raw: ['data: [DONE]\n\n'], fails: 'upstream_malformed', text: '' },
  'half a JSON': { raw: [JSON.stringify(WHOLE).slice(0, 60)], headers: json, fails: 'upstream_malformed', text: '' },
  'a list of nothing': { raw: ['[]'], headers: json, fails: 'upstream_malformed', text: '' },
  'a cut in the middle': { raw: [CUT], end: 'destroy', fails: 'upstream_failed' },
  'an end in the middle': { raw: [CUT], fails: 'upstream_failed' },

  'an error with status 200': { raw: [JSON.stringify(TOO_LONG)], headers: json, fails: 'context_too_long', text: '' },
  'an error without a frame': { raw: [CUT, JSON.stringify(TOO_LONG)], fails: 'context_too_long' },
  'an error without a frame, over many lines': {
    raw: [CUT, JSON.stringify(TOO_LONG, null, 1)],
    fails: 'context_too_long',
  },
  'an error named by its event': {
    raw: [CUT, 'event: error\ndata: {"message":"prompt is too long"}\n\n'],
    fails: 'context_too_long',
  },
  'an error in words named by its event': {
    raw: [CUT, 'event: error\ndata: overloaded\n\n'],
    fails: 'upstream_failed',
  },
  'an error in a choice': {
    raw: [stream(JSON.stringify({ choices: [{ delta: {}, error: { code: 429, message: 'slow' } }] }))],
    fails: 'upstream_busy',
    text: '',
  },
  'an error of MiniMax': {
    raw: ['{"base_resp":{"status_code":1002,"status_msg":"rate limit"}}'],
    fails: 'upstream_failed',
    text: '',
  },
  'an error by code and msg': {
    raw: ['{"code":1301,"msg":"prompt is too long"}'],
    fails: 'context_too_long',
    text: '',
  },
  'an error in a list': { raw: [`[${JSON.stringify(TOO_LONG)}]`], headers: json, fails: 'context_too_long', text: '' },
  'a ping between': { raw: ['data: {"type":"ping"}\n\n', USUAL] },
};

const at = (...finishes: [unknown, string?][]) =>
  stream(...finishes.map(([finish, text = 'x'], i) => piece(i === 0 ? 'It is 42.' : text, finish)));

const FINISHES: Record<string, Case> = {
  ...Object.fromEntries(
    [
      'null',
      'none',
      'undefined',
      '',
      'unknown',
      'in_progress',
      'None',
      ' NULL ',
      'FINISH_REASON_UNSPECIFIED',
      'weird',
    ].map((reason) => [
      `${JSON.stringify(reason)} and an end`,
      { raw: [at([reason])], fails: 'upstream_failed' as const },
    ]),
  ),
  ...Object.fromEntries(
    [0, false, true, {}, [], 7].map((reason) => [
      `${JSON.stringify(reason)} and an end`,
      { raw: [at([reason])], fails: 'upstream_failed' as const },
    ]),
  ),
  '"null" and [DONE]': { raw: [at(['null']), 'data: [DONE]\n\n'] },
  'an unknown reason and [DONE]': { raw: [at(['weird']), 'data: [DONE]\n\n'] },
  '"null" on each, and "stop"': { raw: [at(['null'], ['null'], ['stop', ''])], text: 'It is 42.x' },
  'text after a finish': { raw: [at(['stop'], [null, ' Or 43.'])], text: 'It is 42. Or 43.', fails: 'upstream_failed' },
  'text after a finish, and another': { raw: [at(['stop'], ['stop', ' Or 43.'])], text: 'It is 42. Or 43.' },
  'text after a finish, and a cut': {
    raw: [at(['stop'], ['stop', ' Or'])],
    end: 'destroy',
    text: 'It is 42. Or',
    fails: 'upstream_failed',
  },
  ...Object.fromEntries(
    [
      'stop',
      'STOP',
      'end_turn',
      'eos',
      'eos_token',
      'stop_sequence',
      'tool_calls',
      'function_call',
      'COMPLETE',
      'Stop',
    ].map((reason) => [reason, { raw: [at([reason])] }]),
  ),
  ...Object.fromEntries(
    ['length', 'MAX_TOKENS', 'max_tokens', 'model_length', 'max_output_tokens'].map((reason) => [
      reason,
      { raw: [at([reason])], finish: 'length' },
    ]),
  ),
  ...Object.fromEntries(
    ['content_filter', 'SAFETY', 'refusal', 'sensitive'].map((reason) => [
      reason,
      { raw: [at([reason])], finish: 'refusal' },
    ]),
  ),
  ...Object.fromEntries(
    ['error', 'abort', 'ABORTED', 'cancelled', 'network_error'].map((reason) => [
      reason,
      { raw: [at([reason])], fails: 'upstream_failed' as const },
    ]),
  ),
};

const parts = (...contents: unknown[]): string[] => [
  stream(...contents.map((content) => piece(content)), piece('', 'stop')),
];

const PARTS: Record<string, Case> = {
  'thinking and text, as Mistral sends them': {
    raw: parts([{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }], [{ type: 'text', text: 'It is 42.' }]),
    thinking: 'hm',
  },
  'thinking and text, as Anthropic sends them': {
    raw: parts([
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'text', text: 'It is 42.' },
    ]),
    thinking: 'hm',
  },
  'one part without a list': { raw: parts({ type: 'text', text: 'It is 42.' }) },
  'strings in a list': { raw: parts(['It is ', '42.']) },
  'lists in a list': { raw: parts([['It is '], [[{ type: 'text', text: '42.' }]]]) },
  output_text: { raw: parts([{ type: 'output_text', text: 'It is 42.', annotations: [] }]) },
  'text with a value': { raw: parts([{ type: 'text', text: { value: 'It is 42.', annotations: [] } }]) },
  'text without a type': { raw: parts({ text: 'It is 42.' }) },
  'thoughts of Gemini': { raw: parts([{ text: 'hm', thought: true }, { text: 'It is 42.' }]), thinking: 'hm' },
  'references beside it': {
    raw: parts([
      { type: 'reference', reference_ids: [1] },
      { type: 'text', text: 'It is 42.' },
    ]),
  },
  'a refusal': { raw: parts([{ type: 'refusal', refusal: 'It is 42.' }]), finish: 'refusal' },
  'nothing in parts': { raw: parts([], null, {}, [{ type: 'text', text: '' }], 'It is 42.') },
  'a picture': { raw: parts([{ type: 'image_url', image_url: { url: 'x' } }]), fails: 'upstream_malformed', text: '' },
  'a part of an unknown type': {
    raw: parts('It is 42.', [{ type: 'hologram', text: 'x' }]),
    fails: 'upstream_malformed',
  },
  'a part without type or text': { raw: parts('It is 42.', [{ answer: 'x' }]), fails: 'upstream_malformed' },
  'a number': { raw: parts('It is 42.', 42), fails: 'upstream_malformed' },
  'parts without end': {
    raw: [stream(piece('It is 42.'), `{"choices":[{"delta":{"content":${'['.repeat(99)}"x"${']'.repeat(99)}}}]}`)],
    fails: 'upstream_malformed',
  },
  'a delta of a string': {
    raw: [stream(JSON.stringify({ choices: [{ delta: 'It is 42.', finish_reason: 'stop' }] }))],
  },
  'text beside the delta': {
    raw: [stream(JSON.stringify({ choices: [{ text: 'It is 42.', finish_reason: 'stop' }] }))],
  },
  'another choice first': {
    raw: [
      stream(
        JSON.stringify({
          choices: [
            { index: 1, delta: { content: 'no' } },
            { index: 0, delta: { content: 'It is 42.' }, finish_reason: 'stop' },
          ],
        }),
      ),
    ],
  },
  ...Object.fromEntries(
    Object.entries({
      reasoning_content: 'hm',
      reasoning: 'hm',
      thinking: 'hm',
      reasoning_details: [{ type: 'reasoning.text', text: 'hm' }],
      thinking_blocks: [{ type: 'thinking', thinking: 'hm' }],
    }).map(([name, value]) => [
      `thoughts as ${name}`,
      {
        raw: [stream(JSON.stringify({ choices: [{ delta: { [name]: value } }] })), USUAL],
        thinking: 'hm',
      },
    ]),
  ),
  'thoughts in pieces, and once more in the whole answer': {
    raw: [
      stream(
        JSON.stringify({ choices: [{ delta: { reasoning_content: 'hm' } }] }),
        JSON.stringify({
          object: 'chat.completion',
          choices: [{ message: { reasoning_content: 'hm', content: 'It is 42.' }, finish_reason: 'stop' }],
        }),
      ),
    ],
    thinking: 'hm',
  },
  'the same thoughts by two names': {
    raw: [
      stream(JSON.stringify({ choices: [{ delta: { reasoning: 'hm', reasoning_details: [{ text: 'hm' }] } }] })),
      USUAL,
    ],
    thinking: 'hm',
  },
};

describe('an odd answer of a model service', () => {
  const double = new UpstreamDouble();
  before(() => double.start());
  after(() => double.stop());
  beforeEach(() => double.reset());

  async function hear(script: Script, timeouts: Partial<typeof QUICK> = {}) {
    double.script(script);
    const heard = { text: '', thinking: '', events: [] as StreamEvent[], error: undefined as unknown };
    const upstream = openAiUpstream({ url: double.url, timeouts: { ...QUICK, ...timeouts } });
    const messages = [{ role: 'user' as const, text: 'What?' }];
    const request = { model: 'double', messages, maxOutputTokens: 100, cacheKey: 'k' };
    try {
      for await (const event of eventsIn(upstream.stream(request, new AbortController().signal))) {
        heard.events.push(event);
        if (event.type === 'text' || event.type === 'thinking') heard[event.type] += event.text;
      }
    } catch (error) {
      heard.error = error;
    }
    return heard;
  }

  async function check({ raw, headers, end, text = 'It is 42.', fails, finish = 'stop', thinking }: Case) {
    const heard = await hear({ raw, headers, end });
    assert.equal(heard.text, text);
    if (thinking !== undefined) assert.equal(heard.thinking, thinking);
    const last = heard.events.at(-1);
    if (fails) {
      assert(heard.error instanceof UpstreamError, `no failure, but ${last?.type}: ${heard.error}`);
      assert.equal(heard.error.code, fails, heard.error.options.logDetail);
      assert(!heard.events.some(({ type }) => type === 'finish'));
    } else {
      assert.equal(heard.error, undefined);
      assert.equal(last?.type === 'finish' && last.why, finish);
    }
  }

  describe('is read as it begins, and not as it is labelled:', () => {
    for (const [title, one] of Object.entries(FRAMES)) it(title, () => check(one));
  });
  describe('ends by a finish_reason that is one:', () => {
    for (const [title, one] of Object.entries(FINISHES)) it(title, () => check(one));
  });
  describe('comes in parts:', () => {
    for (const [title, one] of Object.entries(PARTS)) it(title, () => check(one));
  });

  it('fails by silence after a placeholder, and after a finish that text has disproved', async () => {
    const quick = { idleMs: 50, tailMs: 1 };
    for (const raw of [[at(['null'])], [at(['stop'], ['stop'])]]) {
      const heard = await hear({ raw, end: 'hang' }, quick);
      assert.equal((heard.error as UpstreamError).code, 'upstream_timeout');
    }
    assert.equal((await hear({ raw: [at(['stop'])], end: 'hang' }, quick)).error, undefined);
  });

  it('is inflated only as far as it is read: a bomb costs no memory', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(300_000_000, ':'), { level: 9 });
    const before = process.memoryUsage().rss;
    const heard = await hear({ raw: [bomb], headers: { 'content-encoding': 'gzip' } });
    assert.equal((heard.error as UpstreamError).code, 'upstream_malformed');
    assert(process.memoryUsage().rss - before < 150_000_000, 'memory');
  });

  it('is a list of models without end: it is given up, and costs no memory', async () => {
    let sent = 0;
    const server = http.createServer((_, response) => {
      const bytes = Buffer.alloc(1_000_000, ' ');
      const more = () => {
        if (response.destroyed || sent > 300) return response.end();
        sent += 1;
        response.write(bytes, more);
      };
      response.writeHead(200, json);
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await assert.rejects(
        openAiUpstream({ url: `http://127.0.0.1:${port}/v1`, timeouts: QUICK }).models(),
        (error: UpstreamError) => error.code === 'upstream_malformed',
      );
      assert(sent < 100, `${sent} MB were read`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('keeps what came before the connection broke, compressed or not', async () => {
    const gzip = zlib.createGzip();
    const pieces: Buffer[] = [];
    gzip.on('data', (bytes) => pieces.push(bytes));
    gzip.write(CUT);
    await new Promise<void>((resolve) => gzip.flush(resolve));
    const heard = await hear({ raw: [Buffer.concat(pieces)], headers: { 'content-encoding': 'gzip' }, end: 'destroy' });
    assert.equal(heard.text, 'It is 42.');
    assert.equal((heard.error as UpstreamError).code, 'upstream_failed');
  });
});
