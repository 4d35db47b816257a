import assert from 'node:assert/strict';
import {
  type StreamEvent,
  UpstreamError,
  type UpstreamFailure,
  type UpstreamRequest,
} from '../../server/gateway/stream.ts';
import { openAiUpstream, type Timeouts } from '../../server/gateway/upstreams/openai.ts';
import { type Script, UpstreamDouble } from '../doubles/upstream.ts';
import { eventsIn } from '../support/pieces.ts';

export const KEY = 'sk-secret-0123456789';
export const REQUEST: UpstreamRequest = {
  model: 'double',
  messages: [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'Grüße, 世界!' },
  ],
  maxOutputTokens: 100,
  cacheKey: 'conversation-1',
};
export const QUICK = { connectMs: 2_000, firstByteMs: 5_000, idleMs: 5_000, tailMs: 5_000, retryMs: 1 };

export interface Heard {
  text: string;
  events: StreamEvent[];
  error?: unknown;
}

/** A suite's model service, which is started before its tests and forgets its scripts before each. */
export function openAiService() {
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

  const upstreamWith = (timeouts: Partial<Timeouts> = {}, more: { cacheKey?: boolean; url?: string } = {}) =>
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

  return { double, logged, upstreamWith, listen, usageOf, finishOf, failedWith, failing };
}
