import { createRoute, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import {
  ApiKeySchema,
  KeyPatchSchema,
  KeyRequestSchema,
  KeysAnswerSchema,
  NewKeyAnswerSchema,
} from '../../../shared/keys.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import { answers, emptyAnswer } from '../../platform/http/api.ts';
import { jsonBody, KB } from '../../platform/http/bodies.ts';
import type { Api, AppContext, AppEnv } from '../../platform/http/env.ts';
import type { Origins } from '../../platform/http/origins.ts';
import { requireStanding } from '../../platform/http/standing.ts';
import { correctKey, type KeyDeps, makeKey } from './keys.ts';
import { listKeys, revokeKey } from './store.ts';

/** 50 model ids of 200 characters. */
const MAX_BODY = 64 * KB;

const params = z.object({ id: z.uuid() });

/** Keys are for people with an account. Runs before the body is read. */
const members: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (c.get('accountKind') === 'guest')
    throw new AppError('members_only', 'Guests have no API keys. Sign in first, then make one.');
  await next();
};

const list = createRoute({
  method: 'get',
  path: '/api/keys',
  summary: 'The account’s API keys, the newest first',
  middleware: members,
  responses: answers(KeysAnswerSchema),
});

const make = createRoute({
  method: 'post',
  path: '/api/keys',
  summary: 'Makes an API key for tools; its secret is in this answer alone',
  middleware: members,
  request: { body: jsonBody(KeyRequestSchema, MAX_BODY) },
  responses: answers(NewKeyAnswerSchema, 201),
});

const correct = createRoute({
  method: 'patch',
  path: '/api/keys/{id}',
  summary: 'Changes a key’s name or limits, for its next call on',
  middleware: members,
  request: { params, body: jsonBody(KeyPatchSchema, MAX_BODY) },
  responses: answers(ApiKeySchema),
});

const revoke = createRoute({
  method: 'delete',
  path: '/api/keys/{id}',
  summary: 'Revokes a key at once',
  middleware: members,
  request: { params },
  responses: emptyAnswer,
});

/** The routes for API keys. Keys themselves can't call them: a stolen key must not make another. */
export function keyRoutes(api: Api, deps: KeyDeps & { origins: Origins }): void {
  const { db, clock, origins } = deps;
  const baseUrlOf = (c: AppContext) => `${origins.home(c)}/v1`;

  api.openapi(list, async (c) => {
    const keys = await listKeys(db.read, c.get('accountId'), clock.now());
    return c.json({ keys, baseUrl: baseUrlOf(c) }, 200);
  });

  api.openapi(make, async (c) => {
    requireStanding(c.var);
    const made = await makeKey(deps, c.get('accountId'), c.req.valid('json'));
    return c.json({ ...made, baseUrl: baseUrlOf(c) }, 201);
  });

  api.openapi(correct, async (c) => {
    const { id } = c.req.valid('param');
    return c.json(await correctKey(deps, c.get('accountId'), id, c.req.valid('json')), 200);
  });

  api.openapi(revoke, async (c) => {
    const { accountId } = c.var;
    const { id } = c.req.valid('param');
    const name = await db.write((tx) => revokeKey(tx, accountId, id, clock.now()));
    if (name === null) throw notFound('API key');
    return c.body(null, 204);
  });
}
