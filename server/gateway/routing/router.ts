import { setTimeout as delay } from 'node:timers/promises';
import type { Usage } from '../../../shared/runs.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import {
  type AttemptListener,
  type CallRequest,
  type Fallback,
  type NativeName,
  type Piece,
  type ServiceState,
  type Services,
  saysSomething,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
} from '../stream.ts';
import { Breaker } from './breaker.ts';
import { ordered } from './order.ts';

/** No attempt begins later than this. A silent service is given up after 60 s; signs of life keep the client waiting. */
const DEADLINE_MS = 150_000;
/** All services that can answer are asked twice, for the case that all of them had the same bad moment. */
const ROUNDS = 2;
/** Between the rounds, plus up to as much again at random. */
const PAUSE_MS = 250;
/** Longer waits are the client's to decide about. */
const LONGEST_PAUSE_MS = 2_000;

/** One model service, as the operator names it. */
export interface Service {
  id: string;
  weight: number;
  upstream: Upstream;
  /** What it speaks. Only chat completions are translated to. */
  dialect: 'chat' | NativeName;
  /** The service's own names of the models that it has; null: it has each model under its own name. */
  models: ReadonlyMap<string, string> | null;
}

export interface RouterDeps {
  services: readonly Service[];
  clock: Clock;
  log: Pick<Log, 'warn'>;
  /** Between 0 and 1. */
  random?: () => number;
}

type Asked = Fallback & {
  isAbandoned?: (() => boolean) | undefined;
  fallbacks?: readonly Fallback[] | undefined;
  native?: { dialect: NativeName } | undefined;
  notes?: UpstreamRequest['notes'];
};
/** Sends a request under the service's own name of the model. */
type Open = (upstream: Upstream, names: Fallback) => AsyncIterable<Piece>;

interface Member {
  service: Service;
  breaker: Breaker;
  load: number;
}

/**
 * Several model services as one. A request goes to the service of its conversation; if that fails before anything of an
 * answer has come, to the next, within a deadline. From the first content on an answer is its service's: half of
 * another one can't be joined to it.
 */
export class Router implements Upstream, Services {
  readonly #members: Member[];
  #drained: ReadonlySet<string> = new Set();
  #observe: AttemptListener = () => {};

  constructor(private readonly deps: RouterDeps) {
    this.#members = deps.services.map((service) => ({ service, breaker: new Breaker(), load: 0 }));
  }

  get services(): Services {
    return this;
  }

  get states(): ServiceState[] {
    const now = this.deps.clock.now();
    return this.#members.map(({ service: { id }, breaker, load }) => ({
      id,
      condition: this.#drained.has(id) ? 'draining' : breaker.condition(now),
      load,
    }));
  }

  drain(ids: ReadonlySet<string>): void {
    this.#drained = ids;
  }

  dialectsOf(model: string): ReadonlySet<'chat' | NativeName> {
    return new Set(this.#inUse(model).map(({ service }) => service.dialect));
  }

  observe(listener: AttemptListener): void {
    this.#observe = listener;
  }

  stream(request: UpstreamRequest, signal: AbortSignal): AsyncIterable<Piece> {
    return this.#answer(request, request.cacheKey, signal, (upstream, names) =>
      upstream.stream({ ...request, ...names }, signal),
    );
  }

  call(request: CallRequest, signal: AbortSignal): AsyncIterable<Piece> {
    return this.#answer(
      request,
      request.cacheKey ?? cacheKeyOf(request.body),
      signal,
      (upstream, { model, maxOutputTokens }) => {
        // Not a copy: the owner empties the request's body once an answer has begun, and no other holds it then.
        const named = { model: { value: model }, maxOutputTokens: { value: maxOutputTokens } };
        return upstream.call(Object.create(request, named) as CallRequest, signal);
      },
    );
  }

  /** The models of all services; the first service's come first. One that doesn't answer is left out. */
  async models(): Promise<string[]> {
    const lists = await Promise.allSettled(
      this.#members.map(async ({ service: { models, upstream } }) =>
        models ? [...models.keys()] : await upstream.models(),
      ),
    );
    const ids = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
    const failure = lists.find((list) => list.status === 'rejected');
    if (ids.length === 0 && failure) throw failure.reason;
    return [...new Set(ids)];
  }

  async *#answer(
    request: Asked,
    key: string | undefined,
    signal: AbortSignal,
    open: Open,
  ): AsyncGenerator<Piece, void, undefined> {
    /** What failed attempts have reported: their services bill it. Told once, however the request ends. */
    const lost: Usage[] = [];
    let hasBegun = false;
    try {
      for await (const piece of this.#attempts(request, key, signal, open, lost)) {
        if (!hasBegun && lost.length > 0) yield { chunks: [], events: [], lost };
        hasBegun = true;
        yield piece;
      }
    } catch (error) {
      if (!hasBegun && lost.length > 0) yield { chunks: [], events: [], lost };
      throw error;
    }
  }

  /** One attempt after the other, until an answer begins. */
  async *#attempts(
    request: Asked,
    key: string | undefined,
    signal: AbortSignal,
    open: Open,
    lost: Usage[],
  ): AsyncGenerator<Piece, void, undefined> {
    const { clock, random = Math.random } = this.deps;
    const began = clock.now();
    const conversation = key ?? String(random());
    let last: UpstreamError | undefined;
    for (let round = 0; round < ROUNDS; round++) {
      for (const { member, as } of this.#plan(request, conversation)) {
        if (last && (clock.now() - began > DEADLINE_MS || request.isAbandoned?.())) throw last;
        let hasBegun = false;
        request.notes?.tries(member.service.id);
        try {
          for await (const piece of this.#attempt(member, as, open, lost)) {
            if (!hasBegun && as.model !== request.model) yield { chunks: [], events: [], model: as.model };
            hasBegun = true;
            yield piece;
          }
          return;
        } catch (error) {
          signal.throwIfAborted();
          if (hasBegun || !(error instanceof UpstreamError) || isFinal(error)) throw error;
          this.deps.log.warn(
            { service: member.service.id, code: error.code, detail: error.options.logDetail },
            'a model service failed before its answer began',
          );
          last = better(last, error);
        }
      }
      if (!last) throw none(request.model);
      const [next] = this.#plan(request, conversation);
      const restMs = next ? next.member.breaker.restMs(clock.now()) : Number.POSITIVE_INFINITY;
      const pauseMs = restMs > 0 ? restMs : PAUSE_MS * (1 + random());
      if (pauseMs > LONGEST_PAUSE_MS || round === ROUNDS - 1 || request.isAbandoned?.()) break;
      await delay(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
    throw last;
  }

  /** One service's answer, from its first content on. Throws what the service failed with. */
  async *#attempt(
    member: Member,
    { model, maxOutputTokens, thinking }: Fallback,
    open: Open,
    lost: Usage[],
  ): AsyncGenerator<Piece, void, undefined> {
    const { service, breaker } = member;
    const { clock } = this.deps;
    const began = clock.now();
    const end = breaker.begin();
    const tell = (outcome: Parameters<AttemptListener>[1]) =>
      this.#observe(service.id, outcome, (clock.now() - began) / 1000);
    // A role without a word is no answer: services send it before they fail.
    const held: Piece[] = [];
    let hasBegun = false;
    member.load++;
    try {
      const names = { model: service.models?.get(model) ?? model, maxOutputTokens, thinking };
      for await (const piece of open(service.upstream, names)) {
        if (!hasBegun) {
          held.push(piece);
          if (!saysSomething(piece)) continue;
          hasBegun = true;
          breaker.began();
          tell('began');
          yield* held;
        } else yield piece;
      }
      breaker.succeeded();
      if (!hasBegun) yield* held;
    } catch (error) {
      if (!hasBegun) lost.push(...usagesIn(held));
      if (error instanceof UpstreamError) {
        if (!hasBegun) tell(error.code);
        if (breaker.failed(error, clock.now()))
          this.deps.log.warn({ service: service.id, code: error.code }, 'a model service is out for a while');
      }
      throw error;
    } finally {
      end();
      member.load--;
    }
  }

  /**
   * Whom to ask, in order: the services that are well, for the model and then for each of its fallbacks; then those that
   * are out, because they may be back. A service that asked for a pause has it, unless there is no other.
   */
  #plan(
    { model, maxOutputTokens, thinking, fallbacks = [], native }: Asked,
    key: string,
  ): { member: Member; as: Fallback }[] {
    const now = this.deps.clock.now();
    const able = [{ model, maxOutputTokens, thinking }, ...fallbacks].flatMap((as) =>
      this.#able(as.model, native?.dialect, key).map((member) => ({ member, as })),
    );
    const of = (condition: string) => able.filter(({ member }) => member.breaker.condition(now) === condition);
    type Step = (typeof able)[number];
    const soonest = (a: Step, b: Step) => a.member.breaker.backAt - b.member.breaker.backAt;
    const plan = [...of('well'), ...of('probing'), ...of('out').sort(soonest)];
    return plan.length > 0 ? plan : of('resting').sort(soonest).slice(0, 1);
  }

  /** The services that have a model and are not drained. */
  #inUse(model: string): Member[] {
    return this.#members.filter(
      ({ service: { id, models } }) => !this.#drained.has(id) && (models === null || models.has(model)),
    );
  }

  /** Those that can answer, in the order to ask them. */
  #able(model: string, native: NativeName | undefined, key: string): Member[] {
    const candidates = this.#inUse(model)
      .filter(({ service: { dialect } }) => dialect === 'chat' || dialect === native)
      .map((member) => ({ member, id: member.service.id, weight: member.service.weight, load: member.load }));
    return ordered(candidates, key).map(({ member }) => member);
  }
}

/** A failure that no other service would mend. */
const isFinal = ({ code, options }: UpstreamError) => options.isRequests === true || code === 'context_too_long';

/** Of two failures the one that leaves its client more to do: one that passes, and soon. */
function better(known: UpstreamError | undefined, next: UpstreamError): UpstreamError {
  if (!known) return next;
  const lasts = ({ code }: UpstreamError) => code === 'upstream_refused';
  if (lasts(known) !== lasts(next)) return lasts(known) ? next : known;
  const [a, b] = [known.options.retryAfterMs, next.options.retryAfterMs];
  return a !== undefined && (b === undefined || a < b) ? known : next;
}

const usagesIn = (pieces: readonly Piece[]): Usage[] =>
  pieces.flatMap(({ events }) => events.flatMap((event) => (event.type === 'usage' ? [event.usage] : []))).slice(-1);

const none = (model: string) =>
  new UpstreamError('upstream_unreachable', 'No model service answers for this model now. Try again later.', {
    logDetail: `no service has ${model}, or all that have it are draining`,
  });

/** What a tool names its conversation by, if it does. */
function cacheKeyOf(body: CallRequest['body']): string | undefined {
  const { prompt_cache_key: key, user } = body;
  return typeof key === 'string' && key !== '' ? key : typeof user === 'string' && user !== '' ? user : undefined;
}
