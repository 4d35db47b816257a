import type { Config } from '../../platform/config/config.ts';
import type { Log } from '../../platform/log.ts';
import { type Upstream, UpstreamError } from '../stream.ts';

/** A model service as the operator has set it. */
export interface SetService {
  /** The setting with its address, as an error names it. */
  setting: string;
  url: string;
  upstream: Upstream;
  /** It is known by the configuration which models it has. */
  isListed: boolean;
}

/** Why a service can't list its models, in one line for its operator: an address without its `/v1` is named. */
export function tellListFault({ setting, url }: Pick<SetService, 'setting' | 'url'>, error: unknown): string {
  const told = error instanceof UpstreamError ? error.message : String(error);
  const isElsewhere =
    error instanceof UpstreamError &&
    (error.code === 'upstream_malformed' || error.options.isModels || error.options.isRequests);
  const { origin, pathname } = new URL(url);
  if (!isElsewhere) return `${setting} (${origin}): its models can't be listed now. ${told}`;
  const hasVersion = /\/v\d/.test(pathname);
  // A path may be secret.
  const shown = pathname === '/' ? origin : `${origin}/…`;
  const advice = hasVersion ? 'Set the base address of its API.' : `Its address ends with /v1: try ${shown}/v1.`;
  return `${setting} (${shown}) has no list of models at ${shown}/models. ${advice}`;
}

/** Asks every service for its models, and warns of each that has no list. One that is down may come up later. */
export async function warnOfServices(services: readonly SetService[], log: Pick<Log, 'warn'>): Promise<void> {
  await Promise.all(
    services.map(async (service) => {
      try {
        await service.upstream.models();
      } catch (error) {
        const told = tellListFault(service, error);
        // Not every service of another dialect has a list, and this one needs none.
        if (service.isListed && !/try .*\/v1\.$/.test(told)) return;
        const { code, options } = error as Partial<UpstreamError>;
        log.warn({ code, detail: options?.logDetail }, told);
      }
    }),
  );
}

/** Whether the list prices models that no service has: the built-in model answers for them. */
export const isUnserved = ({ upstream, services, policy }: Pick<Config, 'upstream' | 'services' | 'policy'>) =>
  upstream === null && services.length === 0 && policy.models.length > 0;
