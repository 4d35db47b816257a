import type { Clock } from '../../platform/clock.ts';
import type { ServiceConfig } from '../../platform/config/config.ts';
import type { ProxyConfig } from '../../platform/config/proxyConfig.ts';
import type { Log } from '../../platform/log.ts';
import { openAiUpstream } from '../upstreams/openai.ts';
import { Router } from './router.ts';

/** The operator's services as one. */
export function routerOf(
  configs: readonly ServiceConfig[],
  { clock, log, proxies }: { clock: Clock; log: Pick<Log, 'warn'>; proxies: ProxyConfig | null },
): Router {
  const retries = configs.length > 1 ? 0 : 1;
  const services = configs.map(({ id, url, key, weight, models }) => ({
    id,
    weight,
    upstream: openAiUpstream({ url, key, log, proxies, retries }),
    models: models === undefined ? null : new Map(Object.entries(models)),
  }));
  return new Router({ services, clock, log });
}
