import type { Account, Member } from '../traffic/account.ts';
import { Days } from '../traffic/day.ts';
import { type Person, type Project, somePerson, someProjects, type World } from '../traffic/person.ts';
import { DIRECT, NORMALISER, QUEUE_GAP_MS, RELAYS, type RelayName, Route, type RouteSpec } from '../traffic/route.ts';
import { customersTools, someDevice } from '../traffic/tools.ts';
import type { Persona } from './persona.ts';

interface Crowd {
  people: number;
  route: RouteSpec;
  /** All in one language and time zone. */
  isOneRegion?: boolean;
  /** The day on which the i-th begins. */
  joins?: (i: number) => number;
  change?: (person: Person, i: number) => void;
}

/** People who know nothing of each other, on one account through one relay. */
export function crowd(world: World, { people, route: spec, isOneRegion, joins, change }: Crowd): Account {
  const { random, parameters, set } = world;
  const route = new Route(world, spec);
  const pattern = somePerson(world);
  const members = Array.from({ length: people }, (_, i): Member => {
    const person = somePerson(world);
    person.prompts *= parameters.resaleIntensity;
    if (isOneRegion)
      Object.assign(person, { zone: pattern.zone, language: pattern.language, englishShare: pattern.englishShare });
    const device = someDevice(parameters, random);
    person.seats = customersTools(set, random).map((tool) => ({ tool, device }));
    change?.(person, i);
    return { source: new Days(world, person, i), route, joins: joins?.(i) ?? 0 };
  });
  return { members, beside: { isDeclared: false }, accountsOfDevices: 1 };
}

/** Four colleagues who work on the same few repositories. */
function team(world: World): Account {
  const shared: Project[] = someProjects(world, 5);
  const change = (person: Person, i: number) => {
    person.projects = [shared[i % 5]!, ...shared.filter((_, k) => k !== i % 5), ...person.projects.slice(0, 1)];
  };
  return crowd(world, { people: 4, route: anyRelay(world), isOneRegion: true, change });
}

const anyRelay = (world: World): RouteSpec => RELAYS[world.random.pick(Object.keys(RELAYS) as RelayName[])];
const RAW = RELAYS['claude-relay-service'];

/** A friend who borrows the account twice a week, from another place. */
function pair(world: World): Account {
  const owner = somePerson(world);
  const friend = somePerson(world);
  Object.assign(friend, { weekdayShare: 0.25, weekendShare: 0.25, prompts: 10 });
  const route = () => new Route(world, DIRECT);
  return {
    members: [
      { source: new Days(world, owner, 0), route: route(), joins: 0 },
      { source: new Days(world, friend, 1), route: route(), joins: 0 },
    ],
    ...{ beside: { isDeclared: false }, accountsOfDevices: 1 },
  };
}

const flagged = (name: string, about: string, make: (world: World) => Account): Persona => ({
  name,
  about,
  mustBe: 'flagged',
  make,
});

/** A reseller to 10 through each kind of relay. */
const throughEach = (Object.keys(RELAYS) as RelayName[]).map((name) =>
  flagged(`resale-10-${name}`, `resold to 10 through ${name}`, (w) => crowd(w, { people: 10, route: RELAYS[name] })),
);

export const SHARERS: Persona[] = [
  { name: 'pair', about: 'two people now and then', mustBe: 'missed', make: pair },
  flagged('team-4', 'a team of 4 on one account through a relay', team),
  ...[5, 10, 20, 100].map((people) =>
    flagged(`resale-${people}`, `resold to ${people}, raw relay`, (w) => crowd(w, { people, route: RAW })),
  ),
  ...throughEach,
  flagged('rotating', 'resold to 10, 20 addresses', (w) =>
    crowd(w, { people: 10, route: { ...RAW, egress: 20, connections: { pools: 1 } } }),
  ),
  flagged('header-normaliser', 'resold to 10, one user-agent and one device for all', (w) =>
    crowd(w, { people: 10, route: NORMALISER }),
  ),
  flagged('queue', 'resold to 10, prompts one after another', (w) =>
    crowd(w, { people: 10, route: { ...RAW, queueGapMs: QUEUE_GAP_MS } }),
  ),
  flagged('normaliser-queue', 'resold to 10, normaliser and queue', (w) =>
    crowd(w, { people: 10, route: { ...NORMALISER, queueGapMs: QUEUE_GAP_MS } }),
  ),
  flagged('one-region', 'resold to 10 of one language and time zone', (w) =>
    crowd(w, { people: 10, route: RAW, isOneRegion: true }),
  ),
  flagged('slow-growth', 'resold to 10, of whom one more joins every 3 days', (w) =>
    crowd(w, { people: 10, route: RAW, joins: (i) => 3 * i }),
  ),
  {
    ...flagged('resale-30-bun', 'resold to 30 through a relay that no rule knows', (w) =>
      crowd(w, { people: 30, route: { ...RAW, mark: 'bun', isHosting: false } }),
    ),
    isUnseen: true,
  },
];
