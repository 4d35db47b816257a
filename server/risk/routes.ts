import { createRoute } from '@hono/zod-openapi';
import { UseAnswerSchema, UseSchema } from '../../shared/risk.ts';
import type { Database } from '../platform/db/database.ts';
import { AppError } from '../platform/errors.ts';
import { answers } from '../platform/http/api.ts';
import { jsonBody, KB } from '../platform/http/bodies.ts';
import type { Api, AppContext } from '../platform/http/env.ts';
import { declare, findDeclared } from './flags/store.ts';

const MAX_USE_BYTES = 8 * KB;

const read = createRoute({
  method: 'get',
  path: '/api/account/use',
  summary: 'What the owner has declared about the use of the account',
  responses: answers(UseAnswerSchema),
});

const change = createRoute({
  method: 'put',
  path: '/api/account/use',
  summary: 'Declares it anew, whole: a gateway of one’s own, several machines, keys of programs',
  request: { body: jsonBody(UseSchema, MAX_USE_BYTES) },
  responses: answers(UseAnswerSchema),
});

/** What an account's owner declares. Only the operator marks a team. */
export function riskRoutes(api: Api, { db }: { db: Database }): void {
  api.openapi(read, async (c) => c.json(await findDeclared(db.read, member(c)), 200));
  api.openapi(change, async (c) => {
    const accountId = member(c);
    const declared = await db.write(async (tx) => {
      await declare(tx, accountId, c.req.valid('json'));
      return findDeclared(tx, accountId);
    });
    return c.json(declared, 200);
  });
}

/** Guests have nothing to resell, and are not looked at. */
function member(c: AppContext): string {
  if (c.get('accountKind') === 'member') return c.get('accountId');
  throw new AppError('members_only', 'A guest has nothing to declare: sign in first.');
}
