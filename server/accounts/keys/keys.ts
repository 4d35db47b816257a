import type { ApiKey, KeyPatch, KeyRequest } from '../../../shared/keys.ts';
import { MAX_KEYS } from '../../../shared/keys.ts';
import { type Clock, type Ids, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import { apiKeyOf } from '../../platform/values/apiKeys.ts';
import { changeKey, findKey, insertKey } from './store.ts';

export interface KeyDeps {
  db: Database;
  clock: Clock;
  ids: Ids;
  /** The ids of the models that members may use. */
  modelIds: () => Promise<string[]>;
}

/** Makes a key of an account. This is the only time that the secret is known. */
export async function makeKey(
  deps: KeyDeps,
  accountId: string,
  request: KeyRequest,
): Promise<{ key: ApiKey; secret: string }> {
  const { db, clock, ids } = deps;
  await check(deps, request);
  const id = ids.next();
  const secret = apiKeyOf(Buffer.from(ids.secret(), 'base64url'));
  const at = clock.now();
  const key = await db.write(async (tx) => {
    if (!(await insertKey(tx, { ...request, id, accountId, secret, at }))) throw tooMany();
    return findKey(tx, accountId, id, at);
  });
  return { key: key!, secret };
}

export async function correctKey(deps: KeyDeps, accountId: string, id: string, patch: KeyPatch): Promise<ApiKey> {
  const { db, clock } = deps;
  await check(deps, patch);
  return db.write(async (tx) => {
    if (!(await changeKey(tx, accountId, id, patch))) throw notFound('API key');
    return (await findKey(tx, accountId, id, clock.now()))!;
  });
}

async function check({ clock, modelIds }: KeyDeps, { expiresAt, models }: KeyPatch): Promise<void> {
  if (expiresAt && Date.parse(expiresAt) <= clock.now())
    throw new AppError(
      'invalid_request',
      `expiresAt: ${iso(Date.parse(expiresAt))} is over already. Choose a later time, or none.`,
    );
  if (!models) return;
  const known = await modelIds();
  const unknown = models.find((id) => !known.includes(id));
  if (unknown !== undefined)
    throw new AppError(
      'model_unknown',
      `"${unknown.slice(0, 100)}" is not offered here. There is: ${known.slice(0, 10).join(', ')}.`,
    );
}

const tooMany = () =>
  new AppError('too_many_keys', `An account has at most ${MAX_KEYS} API keys. Revoke one that is no longer used.`);
