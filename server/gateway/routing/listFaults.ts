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

/** Something answers at the address, but no list of models. */
const isElsewhere = (error: unknown): boolean =>
  error instanceof UpstreamError &&
  (error.code === 'upstream_malformed' || error.options.isModels === true || error.options.isRequests === true);

/** Whether the address has the version that the API's paths begin with. */
const hasVersion = (url: string): boolean => /\/v\d/.test(new URL(url).pathname);

/** Why a service can't list its models, in one line for its operator: an address without its `/v1` is named. */
export function tellListFault({ setting, url }: Pick<SetService, 'setting' | 'url'>, error: unknown): string {
  const { origin, pathname } = new URL(url);
  const told = error instanceof UpstreamError ? error.message : String(error);
  if (!isElsewhere(error)) return `${setting} (${origin}): its models can't be listed now. ${told}`;
  // A path may be secret.
  const shown = pathname === '/' ? origin : `${origin}/…`;
  const advice = hasVersion(url) ? 'Set the base address of its API.' : `Its address ends with /v1: try ${shown}/v1.`;
  return `${setting} (${shown}) has no list of models at ${shown}/models. ${advice}`;
}

/** Asks every service for its models, and warns of each that has no list. One that is down may come up later. */
export async function warnOfServices(services: readonly SetService[], log: Pick<Log, 'warn'>): Promise<void> {
  await Promise.all(
    services.map(async (service) => {
      try {
        await service.upstream.models();
      } catch (error) {
        // Not every service has a list, and this one needs none.
        if (service.isListed && isElsewhere(error) && hasVersion(service.url)) return;
        const { code, options } = error as Partial<UpstreamError>;
        log.warn({ code, detail: options?.logDetail }, tellListFault(service, error));
      }
    }),
  );
}

/** Whether the list prices models that no service has: the built-in model answers for them. */
export const isUnserved = ({ upstream, services, policy }: Pick<Config, 'upstream' | 'services' | 'policy'>) =>
  upstream === null && services.length === 0 && policy.models.length > 0;
