import { drained } from '../../accounts/operator/drains.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Config } from '../../platform/config/config.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log.ts';
import type { Upstream } from '../stream.ts';
import { demoUpstream } from '../upstreams/demo/demo.ts';
import { nativeUpstream } from '../upstreams/native.ts';
import { openAiUpstream } from '../upstreams/openai.ts';
import type { SetService } from './listFaults.ts';
import { Router, type Service } from './router.ts';

interface Deps {
  clock: Clock;
  log: Pick<Log, 'warn'>;
}

/** One model service, several as one, or the built-in model. */
export function upstreamOf(config: Config, { clock, log }: Deps): Upstream {
  const { upstream, services, proxies, policy } = config;
  if (services.length > 0) return new Router({ services: servicesOf(config, log), clock, log });
  if (!upstream) return demoUpstream({});
  const only = openAiUpstream({ url: upstream.url, key: upstream.key, log, proxies });
  if (policy.models.every(({ fallbacks = [] }) => fallbacks.length === 0)) return only;
  return new Router({
    services: [{ id: 'only', weight: 1, dialect: 'chat', upstream: only, models: null }],
    clock,
    log,
  });
}

/** The services of the configuration file. */
export function servicesOf(
  { services, proxies }: Pick<Config, 'services' | 'proxies'>,
  log: Pick<Log, 'warn'>,
): Service[] {
  // With several, the router asks another one instead.
  const retries = services.length > 1 ? 0 : 1;
  return services.map(({ id, url, key, weight, models, dialect }) => ({
    id,
    weight,
    dialect,
    upstream:
      dialect === 'chat'
        ? openAiUpstream({ url, key, log, proxies, retries })
        : nativeUpstream({ url, key, dialect, proxies }),
    models: models === undefined ? null : new Map(Object.entries(models)),
  }));
}

/** Every service with the setting that names its address. */
export function setServices(config: Config, log: Pick<Log, 'warn'>): (SetService & { id: string })[] {
  const { upstream, services, proxies } = config;
  if (upstream) {
    const only = openAiUpstream({ url: upstream.url, key: upstream.key, log, proxies });
    return [{ id: 'UPSTREAM_URL', setting: 'UPSTREAM_URL', url: upstream.url, upstream: only, isListed: false }];
  }
  return servicesOf(config, log).map(({ id, upstream, models }, i) => ({
    id,
    setting: `services[${i}].url in PERIGEE_CONFIG`,
    url: services[i]!.url,
    upstream,
    isListed: models !== null,
  }));
}

/** Whether answers come from the built-in model. */
export const isDemo = ({ upstream, services }: Pick<Config, 'upstream' | 'services'>) =>
  upstream === null && services.length === 0;

/** Lets the router know which services the operator drains, and returns them. Every node does so every few seconds. */
export async function followDrains(db: Database, { services }: Upstream): Promise<string[]> {
  if (!services) return [];
  const ids = new Set((await drained(db.read)).keys());
  services.drain(ids);
  return services.states.flatMap(({ id }) => (ids.has(id) ? [id] : []));
}
