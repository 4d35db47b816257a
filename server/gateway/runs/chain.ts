import type { Model } from '../../../shared/models.ts';
import { clampOutput, outputLimit, worstCase } from '../../../shared/money/pricing.ts';
import type { Database } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { RunRow } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import type { NativeName, Upstream } from '../stream.ts';

/** A model that may answer, and how long its answer may be. */
export interface Link {
  model: Model;
  maxOutputTokens: number;
}

/** A run that its model, or one of the fallbacks, answers. */
interface Chained {
  run: RunRow;
  model: Model;
  fallbacks: readonly Link[];
}

export interface ChainSize {
  inputEstimate: number;
  inputBound: number;
  /** The most that the client wants. */
  limitTokens?: number | null;
}

/** The longest answer of a model, by its own limits and the client's. */
const longestOf = (model: Model, { inputEstimate, limitTokens }: ChainSize) =>
  Math.min(outputLimit(model, inputEstimate), limitTokens ?? Number.POSITIVE_INFINITY);

/** What the dearest model of the chain could cost. */
export const worstOf = (models: readonly Model[], size: ChainSize): number =>
  Math.max(...models.map((model) => worstCase(model.price, size.inputBound, longestOf(model, size))));

/**
 * The hold for an answer by the first model, or by one of the others if it fails: the dearest of them. Only the first is
 * clamped to `availableMicro`. Another one that it doesn't cover in full is left out: a clamped one would hold all that
 * is there, and refuse the account's next request.
 */
export function clampChain(
  [first, ...others]: readonly [Model, ...Model[]],
  size: ChainSize,
  availableMicro: number,
): { links: [Link, ...Link[]]; neededMicro: number; longest: number } {
  const clamp = (model: Model) => ({
    model,
    ...clampOutput(model.price, size.inputBound, longestOf(model, size), availableMicro),
  });
  const fit = others
    .filter((model) => worstCase(model.price, size.inputBound, longestOf(model, size)) <= availableMicro)
    .map(clamp);
  const own = clamp(first);
  const link = ({ model, tokens }: ReturnType<typeof clamp>): Link => ({ model, maxOutputTokens: tokens });
  return {
    links: [link(own), ...fit.map(link)],
    neededMicro: Math.max(own.neededMicro, ...fit.map(({ neededMicro }) => neededMicro)),
    longest: longestOf(first, size),
  };
}

const PATHS = { messages: '/v1/messages', responses: '/v1/responses' } as const;

/**
 * Refuses a request that no service in use could answer, by the model's name: sent again, it would fail again. `native`:
 * the client's own dialect, if it is another one than chat completions.
 */
export function requireServed(
  { services }: Pick<Upstream, 'services'>,
  chain: readonly [Model, ...Model[]],
  usable: readonly Model[],
  native?: NativeName,
): void {
  if (!services) return;
  const serves = ({ id }: Model) => {
    const dialects = services.dialectsOf(id);
    return dialects.has('chat') || (native !== undefined && dialects.has(native));
  };
  if (chain.some(serves)) return;
  const [{ id }] = chain;
  const [elsewhere] = services.dialectsOf(id);
  const why =
    elsewhere === undefined || elsewhere === 'chat'
      ? `No model service in use here has "${id}".`
      : `"${id}" answers only the tools that call ${PATHS[elsewhere]}.`;
  const others = usable.filter(serves).map((model) => model.id);
  const there = others.length > 0 ? `There is: ${others.slice(0, 10).join(', ')}.` : 'Ask the operator.';
  throw new AppError('model_unknown', `${why} Nothing was started. ${there}`);
}

/** The others of a chain, as a request to the model services names them. */
export const namesOf = (links: readonly Link[]) =>
  links.map(({ model, maxOutputTokens }) => ({ model: model.id, maxOutputTokens }));

/**
 * Another model of the chain answers than the one that was asked for. From here on the run is its: stored before the
 * first word is shown, so that whoever ends the run charges its price.
 */
export async function answeredBy({ db }: { db: Database }, turn: Chained, id: string): Promise<void> {
  const link = turn.fallbacks.find(({ model }) => model.id === id);
  if (!link) throw new Error('a model answered that was not asked');
  const { model, maxOutputTokens } = link;
  const price = JSON.stringify(model.price);
  await db.write(async (tx) => {
    await changeModel.run(tx, { id: turn.run.id, model: model.id, price, maxOutputTokens });
    const messageId = turn.run.message_id;
    if (messageId !== null) await changeMessage.run(tx, { id: messageId, model: model.id });
  });
  turn.model = model;
  Object.assign(turn.run, { model: model.id, price, max_output_tokens: maxOutputTokens });
}

const changeModel = prepared((db, p: { id: string; model: string; price: string; maxOutputTokens: number }) =>
  db
    .updateTable('run')
    .set({ model: p.model, price: p.price, max_output_tokens: p.maxOutputTokens })
    .where('id', '=', p.id),
);

const changeMessage = prepared((db, p: { id: string; model: string }) =>
  db.updateTable('message').set({ model: p.model }).where('id', '=', p.id),
);
