import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import type { Model, Price } from '../../../shared/models.ts';
import { priceAt } from '../../credits/rules/pricing.ts';
import type { Clock } from '../../platform/clock.ts';
import { type ModelConfig, type Policy, SHIPPED_PRICES } from '../../platform/config/config.ts';
import { AppError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { thinkingFields } from '../dialects/effort.ts';
import { type Upstream, UpstreamError } from '../stream.ts';

const REFRESH_MS = 5 * 60_000;

type Kind = 'guest' | 'member';

/** The models on offer and their prices. */
export interface Catalog {
  /** The models for this kind of account, default first. */
  list(kind: Kind): Promise<Model[]>;
  /** The model with that id, or the default one. Throws `model_unknown`. */
  find(kind: Kind, id: string | undefined): Promise<Model>;
  /** The model, and those of the `usable` that the operator lets answer in its place, in that order. */
  chain(model: Model, usable: readonly Model[], fits: (other: Model) => boolean): [Model, ...Model[]];
  /** The fields that ask a model for an effort. None for one that does not know it: a fallback thinks as it does by itself. */
  thinking(model: string, effort: string | null): Record<string, unknown> | undefined;
}

/**
 * The catalog of one upstream: the operator's list if there is one, else the upstream's own. If the upstream doesn't
 * answer, the last list stays in force.
 */
export function createCatalog(deps: {
  upstream: Upstream;
  isDemo: boolean;
  /** UPSTREAM_MODEL: the default model, and without a list the only one. */
  preferred: string | null;
  /** The operator's list, with the announced prices. */
  listed: () => readonly ModelConfig[];
  policy: Pick<Policy, 'guests'>;
  clock: Clock;
  log: Pick<Log, 'warn'>;
}): Catalog {
  const { upstream, isDemo, preferred, listed, policy, clock, log } = deps;
  let known: { models: ModelConfig[]; at: number } | null = null;
  let asking: Promise<{ models: ModelConfig[]; at: number }> | null = null;

  async function configured(): Promise<readonly ModelConfig[]> {
    if (listed().length > 0) return listed();
    if (preferred) return [unlisted(preferred)];
    if (!known) return (await ask()).models;
    // Refresh in the background: the last list stays in force until then, even if the service doesn't answer.
    if (clock.now() - known.at >= REFRESH_MS) {
      known = { ...known, at: clock.now() };
      // Not `detach`: it would log a fault, but a service that is down isn't one.
      ask().catch((error) => log.warn({ err: error }, 'the list of models could not be asked for anew'));
    }
    return known.models;
  }

  function ask(): Promise<{ models: ModelConfig[]; at: number }> {
    asking ??= upstream
      .models()
      .then((ids) => {
        if (ids.length === 0) throw new UpstreamError('upstream_failed', 'The model service names no models.');
        known = { models: ids.map(unlisted), at: clock.now() };
        return known;
      })
      .catch((error) => {
        throw error instanceof UpstreamError
          ? new AppError(error.code, `${error.message} Its models can't be listed.`, {}, { cause: error })
          : error;
      })
      .finally(() => {
        asking = null;
      });
    return asking;
  }

  async function list(kind: Kind): Promise<Model[]> {
    const { guests } = policy;
    const all = (await configured()).map((model) => toModel(model, isDemo, clock.now()));
    const first = all.find((m) => m.id === preferred) ?? all[0]!;
    const ordered = [first, ...all.filter((m) => m !== first)];
    const allowed =
      kind === 'guest' && guests.models.length > 0 ? ordered.filter((m) => guests.models.includes(m.id)) : ordered;
    return allowed.map((model, i) => ({
      ...model,
      isDefault: i === 0,
      ...(kind === 'guest'
        ? {
            price: { mode: 'flat' as const, runMicro: guests.runMicro },
            nextPrice: undefined,
            maxOutputTokens: Math.min(model.maxOutputTokens, guests.maxOutputTokens),
            contextTokens: Math.min(model.contextTokens, guests.maxInputTokens + guests.maxOutputTokens),
          }
        : {}),
    }));
  }

  return {
    list,
    chain(model, usable, fits) {
      const names = listed().find(({ id }) => id === model.id)?.fallbacks ?? [];
      const others = names.flatMap((name) => usable.find(({ id }) => id === name) ?? []);
      return [model, ...others.filter(fits)];
    },
    thinking(model, effort) {
      const known = listed().find(({ id }) => id === model)?.thinking;
      return effort !== null && known?.efforts.includes(effort) ? thinkingFields(known.field, effort) : undefined;
    },
    async find(kind, id) {
      const models = await list(kind);
      const model = id === undefined ? models[0] : models.find((m) => m.id === id);
      if (model) return model;
      throw new AppError(
        'model_unknown',
        models.length > 0
          ? `"${(id ?? '').slice(0, 100)}" is not offered here. There is: ${models
              .slice(0, 10)
              .map((m) => m.id)
              .join(', ')}.`
          : 'No model is offered to guests here. Ask the operator.',
      );
    },
  };
}

/** What a model without a price of its own costs. */
const UNPRICED: Price = { mode: 'flat', runMicro: MICRO_PER_CREDIT };

function unlisted(id: string): ModelConfig {
  return {
    id,
    contextTokens: 128_000,
    maxOutputTokens: 8192,
    price: SHIPPED_PRICES[id] ?? UNPRICED,
  };
}

function toModel(config: ModelConfig, isDemo: boolean, now: number): Model {
  const { id, name, contextTokens, maxOutputTokens, vision, thinking } = config;
  // The list prices the models of a service. The built-in one answers in their place, and is none of them.
  const { price, next } = isDemo
    ? { price: UNPRICED, next: undefined }
    : priceAt(config.price, config.priceChanges ?? [], now);
  return {
    id,
    name: name ?? (isDemo ? 'Demo model' : id),
    contextTokens,
    maxOutputTokens,
    price,
    ...(vision && !isDemo ? { vision: true as const } : {}),
    nextPrice: next && { from: next.from, price: next.price },
    efforts: isDemo ? undefined : thinking?.efforts,
    isDefault: false,
    isDemo,
  };
}
