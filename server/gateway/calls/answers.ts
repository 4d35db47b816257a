import { isUtf8 } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { createRoute, z } from '@hono/zod-openapi';
import type { Attempts } from '../../accounts/sessions/attempts.ts';
import { rateLimitFields } from '../../credits/rules/rateLimitFields.ts';
import { detach } from '../../platform/detached.ts';
import { AppError } from '../../platform/errors.ts';
import { jsonBody, MB, takesBody } from '../../platform/http/bodies.ts';
import { toolOf } from '../../platform/http/clients.ts';
import type { Api, AppContext } from '../../platform/http/env.ts';
import { CallRefused } from '../dialects/chat/refused.ts';
import type { CallOptions, ChatCall } from '../dialects/chat/request.ts';
import { sizeOf } from '../dialects/messages/request.ts';
import { boundTokens, estimateTokens, MESSAGE_OVERHEAD_TOKENS } from '../prompt/tokens.ts';
import { type ObservedDeps, observeCall } from '../runs/observed.ts';
import { type AdmittedCall, admitCall, isBeyond, tooLong } from './admitCall.ts';
import { type CallDeps, runCall } from './call.ts';
import { CHAT } from './chat.ts';
import type { Dialect } from './dialect.ts';
import { refusedEarly } from './early.ts';
import { editorCallOf } from './editorUse.ts';
import { refusalOf, refusedCall } from './errors.ts';
import { MESSAGES } from './messages.ts';
import { StreamReply, WholeReply } from './reply.ts';
import { RESPONSES } from './responses.ts';
import { usableModels } from './usable.ts';

/** A long conversation with pictures. What a model can read of it is decided by its tokens. */
const MAX_CALL_BYTES = 16 * MB;
/** Clients send the schemas of dozens of tools. The dialect's own limits say which part is too much. */
const STRUCTURE = { depth: 256, values: 1_000_000, betweenBytes: MAX_CALL_BYTES };

const LIMIT = { maxBytes: MAX_CALL_BYTES, type: 'json', mayBeCompressed: true, json: STRUCTURE } as const;

/** What counts as one prompt to be counted. */
const COUNTED_BYTES = 64 * 1024;

const DIALECTS: readonly Dialect[] = [CHAT, MESSAGES, RESPONSES];

export interface AnswerDeps extends CallDeps, ObservedDeps {
  open: { admissions: number };
  attempts: Attempts;
}

/** The route of each dialect. */
export function answerRoutes(api: Api, deps: AnswerDeps): void {
  for (const dialect of DIALECTS) answerRoute(api, deps, dialect);
  // Holds and stores nothing, and needs no credits.
  api.openAPIRegistry.registerPath(counts);
  api.post(counts.path, takesBody(LIMIT), refusedEarly(deps, { isFree: true }), async (c) => {
    const pieces = Math.ceil((await c.req.arrayBuffer()).byteLength / COUNTED_BYTES);
    if (!c.get('isLocal')) await deps.attempts.count('counting', c.get('accountId'), Math.max(1, pieces));
    const models = await usableModels(deps.catalog, c.var);
    const most = Math.max(0, ...models.map(({ contextTokens }) => contextTokens));
    const { asked } = await readBody(c, (given, options) => {
      const size = sizeOf(given, options);
      // As for an answer: no model reads this, and counting it would take long.
      if (isBeyond(size.textBound, most)) throw tooLong(Math.ceil(size.textBound / 4), most, 'no model here');
      return { input_tokens: size.estimate };
    });
    c.get('leaveRoom')?.();
    return c.json(asked, 200);
  });
}

/** `POST` to one dialect's address, streamed and not. */
function answerRoute(api: Api, deps: AnswerDeps, dialect: Dialect): void {
  api.openAPIRegistry.registerPath(documented(dialect));
  api.post(dialect.path, takesBody(LIMIT), refusedEarly(deps), async (c) => {
    const editor = editorCallOf(c);
    const { asked, bytes } = await readBody(c, (given, options) => dialect.read(given, options));
    const { call } = asked;
    c.get('notes')?.asks(call.model);
    const leave = deps.waiting.take(c.get('accountId'), bytes);
    c.get('leaveRoom')?.();
    const caller = { ...c.var, device: editor?.tool ?? toolOf(c.req.header('user-agent')), editor };
    deps.open.admissions++;
    let isRunning = false;
    try {
      const admitted = await admitCall(deps, caller, call, asked.cacheKey, asked.native?.dialect);
      const { request, run, notes } = admitted;
      notes?.admitted(run.id);
      if (asked.native) {
        const { dialect: name, body } = asked.native;
        request.native = { dialect: name, body, headers: nativeHeaders(c) };
      }
      const onSent = () => {
        request.body = NOTHING;
        request.native = undefined;
        asked.native = null;
        call.body = NOTHING;
        leave();
      };
      const out = c.env.outgoing as ServerResponse;
      c.res.headers.forEach((value, name) => {
        if (name !== 'content-type') out.setHeader(name, value);
      });
      for (const [name, value] of Object.entries({
        ...(admitted.limits.length > 0 ? rateLimitFields(admitted.limits, deps.clock.now()) : {}),
        ...changesOf(call, admitted),
      }))
        out.setHeader(name, value);
      const head = {
        id: admitted.run.id,
        model: call.model,
        createdSeconds: Math.floor(admitted.run.created_at / 1000),
        inputTokens: admitted.inputEstimate,
        requestId: c.get('requestId'),
      };
      const reply = call.stream
        ? new StreamReply(out, head, asked, dialect.silenceMs)
        : new WholeReply(out, head, asked);
      const forget = c.get('whenEnded')(() => reply.leave());
      out.once('close', forget);
      isRunning = true;
      observeCall(deps, c, call.body, asked.native?.body ?? call.body);
      detach(() => runCall(deps, admitted, reply, onSent), 'run', deps);
      const outcome = await reply.begun;
      if (outcome.kind === 'refused') throw refusalOf(outcome.problem, outcome.mayBeCharged);
      // Without `res`, Hono has nothing to merge into the answer that is on its way.
      c.res = undefined;
      c.res = RESPONSE_ALREADY_SENT;
      return c.res;
    } finally {
      deps.open.admissions--;
      if (!isRunning) leave();
    }
  });
}

/** What clients tell a service of their dialect beside the body. */
const NATIVE_HEADERS = ['anthropic-version', 'anthropic-beta', 'openai-beta'] as const;

/** Betas that change no price. A longer context, a summary by the service or a tool of its own costs more than tokens. */
const BETAS =
  /^(interleaved-thinking|fine-grained-tool-streaming|prompt-caching|token-efficient-tools|output-128k|context-management|effort|structured-outputs|claude-code)-/;

function nativeHeaders(c: AppContext): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of NATIVE_HEADERS) {
    const given = c.req.header(name);
    const value = name === 'anthropic-beta' ? betasIn(given) : given;
    if (value) headers[name] = value;
  }
  return headers;
}

const betasIn = (given: string | undefined) =>
  (given ?? '')
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => BETAS.test(beta))
    .join(',');

const NOTHING = {};

/** How the request differs from what the client sent, as far as its owner would want to know. */
function changesOf({ leftOut }: ChatCall, { run }: AdmittedCall): Record<string, string> {
  const names = leftOut
    .join(', ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 500);
  return {
    ...(names === '' ? {} : { 'x-perigee-left-out': names }),
    ...(run.clamped_to === null ? {} : { 'x-perigee-clamped-to': String(run.clamped_to) }),
  };
}

/** What `read` makes of the body, or its refusal by name. Nothing of the request is in the refusal. */
async function readBody<T>(
  c: AppContext,
  read: (given: unknown, options: CallOptions) => T,
): Promise<{ asked: T; bytes: number }> {
  const bytes = Buffer.from(await c.req.arrayBuffer());
  if (!isUtf8(bytes)) throw new AppError('invalid_json', 'The body is not UTF-8. Send JSON in UTF-8.');
  let given: unknown;
  try {
    given = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new AppError('invalid_json', 'The body is not valid JSON. Nothing was started.');
  }
  try {
    return { asked: read(given, { tokens: TOKENS, developerRole: true }), bytes: bytes.length };
  } catch (error) {
    throw error instanceof CallRefused ? refusedCall(error) : error;
  }
}

const TOKENS = { estimate: estimateTokens, bound: boundTokens, overhead: MESSAGE_OVERHEAD_TOKENS };

const counts = createRoute({
  method: 'post',
  path: '/v1/messages/count_tokens',
  summary: 'The tokens of a request in the dialect of Anthropic’s Messages, estimated',
  request: { body: jsonBody(MESSAGES.body, MAX_CALL_BYTES) },
  responses: {
    200: {
      description: 'counted',
      content: { 'application/json': { schema: z.object({ input_tokens: z.int() }) } },
    },
  },
});

const documented = ({ path, summary, body, answer }: Dialect) =>
  createRoute({
    method: 'post',
    path,
    summary,
    request: { body: jsonBody(body, MAX_CALL_BYTES) },
    responses: {
      200: {
        description: answer,
        content: { 'application/json': { schema: z.looseObject({}) }, 'text/event-stream': { schema: z.string() } },
      },
    },
  });
