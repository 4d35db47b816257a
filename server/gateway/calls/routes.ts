import { createRoute, z } from '@hono/zod-openapi';
import type { Model } from '../../../shared/models.ts';
import { AppError } from '../../platform/errors.ts';
import type { Api, AppContext } from '../../platform/http/env.ts';
import type { Catalog } from '../runs/catalog.ts';
import { type AnswerDeps, answerRoutes } from './answers.ts';
import { isAnthropic } from './errors.ts';
import { findUsable, usableModels } from './usable.ts';

const ModelSchema = z
  .object({ id: z.string(), object: z.literal('model'), created: z.int(), owned_by: z.string() })
  .meta({ id: 'CallModel' });

const ErrorSchema = z
  .object({
    error: z.object({
      message: z.string().describe('what was wrong and what to do about it'),
      type: z.string(),
      code: z.string(),
      param: z.string().nullable(),
    }),
  })
  .meta({ id: 'CallError' });

function answers<S extends z.ZodType>(schema: S) {
  const json = <T extends z.ZodType>(of: T) => ({ 'application/json': { schema: of } });
  return {
    200: { description: 'done', content: json(schema) },
    default: { description: 'a refusal, as OpenAI writes it', content: json(ErrorSchema) },
  } as { 200: { description: string; content: { 'application/json': { schema: S } } } };
}

const models = createRoute({
  method: 'get',
  path: '/v1/models',
  summary: 'The models that the account and its key may use, as OpenAI lists them',
  responses: answers(z.object({ object: z.literal('list'), data: z.array(ModelSchema) })),
});

const model = createRoute({
  method: 'get',
  path: '/v1/models/{id}',
  summary: 'One of them',
  request: { params: z.object({ id: z.string() }) },
  responses: answers(ModelSchema),
});

export interface CallRouteDeps extends AnswerDeps {
  catalog: Catalog;
}

/** What tools call, by API key or by a session's token. Everything here speaks a dialect of others. */
export function callRoutes(api: Api, deps: CallRouteDeps): void {
  const { catalog } = deps;
  const one = async (c: AppContext, id: string) => {
    const { model } = await findUsable(catalog, c.var, id);
    return c.json(isAnthropic(c) ? toAnthropicModel(model) : toCallModel(model), 200);
  };

  api.openapi(models, async (c) => {
    const usable = await usableModels(catalog, c.var);
    if (isAnthropic(c)) return c.json(anthropicList(usable), 200) as never;
    return c.json({ object: 'list' as const, data: usable.map(toCallModel) }, 200);
  });
  api.openapi(model, (c) => one(c, c.req.valid('param').id) as never);
  // Ids of some services have slashes, and not every client encodes them.
  api.get('/v1/models/:id{.+}', (c) => one(c, c.req.param('id')));

  answerRoutes(api, deps);

  api.all('/v1/responses/compact', notCompacted);
  for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/messages/count_tokens', '/v1/responses'])
    api.all(path, wrongMethod('POST'));
  api.all('/v1/v1/*', twice);
  api.all('/v1/models', wrongMethod('GET'));
  api.all('/v1/models/:id{.+}', wrongMethod('GET'));
}

/** Refuses every method that the routes bound before this one did not take. */
function wrongMethod(...allowed: string[]) {
  return (c: AppContext): never => {
    const list = allowed.join(', ');
    throw new AppError(
      'method_not_allowed',
      `${c.req.path} takes ${list}, not ${c.req.method}.`,
      {},
      { headers: { allow: list } },
    );
  };
}

/** Anthropic's clients add `/v1` to the base URL themselves, OpenAI's don't. */
function twice(): never {
  throw new AppError(
    'not_found',
    'This address has /v1 twice. Your tool adds it by itself: set the base URL without /v1 at its end.',
  );
}

/** Codex asks only services that it knows to be OpenAI's. A 404 it would show as high demand. */
function notCompacted(): never {
  throw new AppError(
    'invalid_request',
    'This server does not compact responses. Ask the model for a summary, and go on with that.',
  );
}

/** `created_at` is a date that no model service says. */
const toAnthropicModel = ({ id, name }: Model) => ({
  type: 'model' as const,
  id,
  display_name: name,
  created_at: new Date(0).toISOString(),
});

/** All of them: there is no second page. */
const anthropicList = (models: readonly Model[]) => ({
  data: models.map(toAnthropicModel),
  has_more: false,
  first_id: models[0]?.id ?? null,
  last_id: models.at(-1)?.id ?? null,
});

/** `created` is a date for clients that sort by it; no model service says when a model was made. */
const toCallModel = ({ id }: Model) => ({ id, object: 'model' as const, created: 0, owned_by: 'perigee' });

/** Claude Code asks whether a server is there before it has shown its key. */
export function helloRoute(api: Api): void {
  api.get('/api/hello', (c) => c.body(null, 200));
}
