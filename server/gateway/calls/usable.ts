import type { Model } from '../../../shared/models.ts';
import { AppError } from '../../platform/errors.ts';
import type { AppEnv } from '../../platform/http/env.ts';
import type { Catalog } from '../runs/catalog.ts';

type Caller = Pick<AppEnv['Variables'], 'accountKind' | 'key'>;

/** The models that the account may use, and its API key if it calls by one. */
export async function usableModels(catalog: Catalog, { accountKind, key }: Caller): Promise<Model[]> {
  const models = await catalog.list(accountKind);
  const only = key?.models;
  return only ? models.filter(({ id }) => only.includes(id)) : models;
}

/** The model with that id, and all usable ones. Throws `model_unknown` if it is not offered here, or not to this key. */
export async function findUsable(
  catalog: Catalog,
  caller: Caller,
  id: string,
): Promise<{ model: Model; usable: Model[] }> {
  const usable = await usableModels(catalog, caller);
  const model = usable.find((one) => one.id === id);
  if (model) return { model, usable };
  // Refuses what nobody is offered here.
  await catalog.find(caller.accountKind, id);
  const ids = usable.map((one) => one.id).slice(0, 10);
  throw new AppError(
    'model_unknown',
    ids.length > 0
      ? `The API key "${caller.key?.name}" may not use "${id.slice(0, 100)}". It may use: ${ids.join(', ')}.`
      : `The API key "${caller.key?.name}" may use none of the models that are offered now. Change it on the account page.`,
  );
}
