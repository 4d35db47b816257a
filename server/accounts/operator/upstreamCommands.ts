import { type Clock, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { columns, misused, Refused } from './commandText.ts';
import { drain, drained, undrain } from './drains.ts';
import { serviceHealth, tellHealth } from './serviceHealth.ts';

// The operator's commands for model services.

/** A model service of the configuration. */
export interface ListedService {
  id: string;
  /** Its host, without a path that may be secret. */
  host: string;
  weight: number;
  /** The models that it is configured to have, by the ids that they have here and its own names; null: all that it lists. */
  models: ReadonlyMap<string, string> | null;
  /** It is the one of UPSTREAM_URL, and can't be drained. */
  isOnly?: true;
  /** Asks it for its models now. Throws what the operator can read. */
  ask(): Promise<string[]>;
}

const NONE = 'No model service is set: answers come from the demo model.';
const ONLY =
  'The configuration file lists no services: there is only the one of UPSTREAM_URL, which can not be drained.';

export interface UpstreamCommandDeps {
  db: Database;
  clock: Clock;
  services: readonly ListedService[];
  /** The metrics of a running node. Throws what the operator can read. */
  metrics?: () => Promise<{ from: string; text: string }>;
}

/** `upstreams`: each service, whether it lists its models now, what it gets, and how it has answered a running node. */
export async function upstreamTable({ db, services, metrics }: UpstreamCommandDeps): Promise<string[]> {
  if (services.length === 0) return [NONE];
  const since = await drained(db.read);
  const seen = await metrics?.().then(
    ({ from, text }) => ({ from, health: serviceHealth(text) }),
    (error: Error) => ({ why: error.message }),
  );
  const health = seen && 'health' in seen ? seen.health : null;
  const answered = (id: string) => {
    const known = health?.get(id);
    return known ? tellHealth(known) : 'not known';
  };
  const rows = await Promise.all(
    services.map(async ({ id, host, weight, models, ask }) => {
      const began = performance.now();
      const state = await ask().then(
        (ids) => {
          const missing = [...(models?.values() ?? [])].filter((name) => !ids.includes(name));
          const ms = Math.round(performance.now() - began);
          return `lists its models in ${ms} ms${missing.length > 0 ? `, without ${missing.join(', ')}` : ''}`;
        },
        (error: Error) => error.message,
      );
      const at = since.get(id);
      const gets = at === undefined ? `weight ${weight}` : `draining since ${iso(at)}`;
      return [id, host, models ? [...models.keys()].join(', ') : 'all of its models', gets, answered(id), state];
    }),
  );
  const table = columns([['id', 'host', 'models', 'gets', 'has answered', 'now'], ...rows]);
  if (!seen) return table;
  const note =
    'why' in seen
      ? `How they have answered is not known: ${seen.why}.`
      : `"has answered" is since the start of ${seen.from}; every node counts for itself.`;
  return [...table, note];
}

/** `upstreams drain ID` and `upstreams use ID`. */
export async function drainOrUse(
  { db, clock, services }: UpstreamCommandDeps,
  what: string,
  id: string,
): Promise<string[]> {
  if (what !== 'drain' && what !== 'use') throw misused(`upstreams takes drain or use, not "${what}".`);
  if (services.length === 0) throw new Refused(1, NONE);
  if (services[0]!.isOnly) throw new Refused(1, ONLY);
  const ids = services.map((service) => service.id);
  if (!ids.includes(id)) throw new Refused(1, `There is no model service "${id}". There is: ${ids.join(', ')}.`);
  if (what === 'use') {
    await db.write((tx) => undrain(tx, id));
    return [`${id} gets requests again, within seconds.`];
  }
  await db.write((tx) => drain(tx, id, clock.now()));
  const since = await drained(db.read);
  const left = services.filter((service) => !since.has(service.id));
  const done = `${id} gets no new request from now on, within seconds. What it is answering goes on to its end.`;
  if (left.length === 0) return [done, 'No other service is in use: every request is refused until one is.'];
  const own = services.find((service) => service.id === id)?.models?.keys() ?? [];
  const alone = [...own].filter((model) => !left.some(({ models }) => models === null || models.has(model)));
  if (alone.length === 0) return [done];
  return [done, `No other service in use has ${alone.join(', ')}: requests for it are refused until one has.`];
}
