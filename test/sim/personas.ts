import type { Language } from '../../server/risk/signals/observation.ts';
import type { Account, Member } from './account.ts';
import { Days } from './day.ts';
import { Jobs, type JobsSpec } from './jobs.ts';
import { type Person, type Seat, someProject, someProjects, somePerson, type World } from './person.ts';
import { DIRECT, INSPECTION, RELAYS, Route, type RouteSpec } from './route.ts';
import { sharers } from './sharers.ts';
import { someDevice, TOOLS, type Tool } from './tools.ts';

/** `clean`: never a flag, and no wrong hint either; `unflagged`: no flag; `flagged`; `missed`: not flagged, and known to be missed. */
export type MustBe = 'clean' | 'unflagged' | 'flagged' | 'missed';

export interface Persona {
  name: string;
  about: string;
  mustBe: MustBe;
  /** Of honest ones: so like sharing that it is counted by itself. */
  isHard?: boolean;
  /** Only in set B: the constants were not fitted on it. */
  isUnseen?: boolean;
  /** Weight among all honest accounts. Assumption. */
  weight?: number;
  make: (world: World) => Account;
}

export const accountOf = (members: Member[], rest: Partial<Account> = {}): Account => ({
  ...{ members, beside: { isDeclared: false, sharedDevices: 0 } },
  ...rest,
});

export const member = (world: World, person: Person, route: Route, joins = 0): Member => ({
  ...{ source: new Days(world, person, 0), route, joins },
});

/** One person, changed a little, on one route. */
export function one(world: World, changes: Partial<Person> | ((person: Person) => void), spec: RouteSpec = DIRECT): Account {
  const person = somePerson(world);
  if (typeof changes === 'function') changes(person);
  else Object.assign(person, changes);
  return accountOf([member(world, person, new Route(world, spec))]);
}

const seats = (tools: Tool[], devices: Seat['device'][]): Seat[] =>
  tools.flatMap((tool) => devices.map((device) => ({ tool, device })));

export const devicesOf = (world: World, ...systems: Seat['device']['system'][]) =>
  systems.map((system) => someDevice(world.parameters, world.random, system));

const mainTool = (world: World) => (world.set === 'A' ? TOOLS.claude : TOOLS.claudeBun);

/** Eight agents, 16 hours a day, 15 repositories. */
export function heavy(world: World): Partial<Person> {
  return {
    ...{ agents: 8, begins: 7.5, ends: 23.5, evenings: 0, weekdayShare: 0.98, weekendShare: 0.8 },
    ...{ prompts: world.random.logNormal({ median: 190, sigma: 0.25 }), projectsADay: 7 },
    projects: someProjects(world, 15),
    seats: seats([mainTool(world), TOOLS.codex], devicesOf(world, 'mac', 'linux')),
  };
}

/** Twenty clients with a repository each, in two languages. */
export function contractor(world: World): Partial<Person> {
  const own = world.random.pick(['latin', 'cyrillic', 'chinese', 'japanese'] as const);
  const projects = someProjects(world, 20);
  projects.forEach((project, i) => (project.language = i % 2 === 0 ? own : 'english'));
  return {
    ...{ projects, language: own, agents: 2, projectsADay: 3 },
    prompts: world.random.logNormal({ median: 60, sigma: 0.4 }),
  };
}

/** A journey every few days: another country, its hours, and a VPN that changes its exit each day. */
function traveller(world: World): Account {
  const person = somePerson(world);
  const { random } = world;
  let until = 0;
  const onDay = (day: number) => {
    person.networks = Array.from({ length: 4 }, () => random.hash());
    person.country = 1000 + random.below(12);
    if (day < until) return;
    until = day + 3 + random.below(6);
    person.zone = random.between(-8, 10);
  };
  return accountOf([member(world, person, new Route(world, DIRECT))], { onDay });
}

function jobs(world: World, person: Person, spec: Partial<JobsSpec>): Member {
  const { random } = world;
  const full: JobsSpec = {
    ...{ tool: mainTool(world), projects: person.projects, scheduled: 6, pushed: 8, zone: person.zone },
    ...{ isDeclared: random.chance(0.5), number: 1, ...spec },
  };
  return { source: new Jobs(world, full), route: new Route(world, { ...DIRECT, isHosting: true }), joins: 0 };
}

function withJobs(world: World, spec: Partial<JobsSpec>, projects: number): Account {
  const person = somePerson(world);
  person.projects = someProjects(world, projects);
  const automation = jobs(world, person, spec);
  return accountOf([member(world, person, new Route(world, DIRECT)), automation]);
}

/** Another rhythm every few days: early, late and night shift. */
function shifts(world: World): Account {
  const person = somePerson(world);
  Object.assign(person, { evenings: 0.1, weekendShare: 0.7, weekdayShare: 0.75 });
  const onDay = (day: number) => {
    person.begins = [6, 14, 22][Math.floor(day / 4) % 3]!;
    person.ends = person.begins + 8;
  };
  return accountOf([member(world, person, new Route(world, DIRECT))], { onDay });
}

/** A new release writes its requests with a library that the server does not know yet, for three days. */
function upgrade(world: World): Account {
  const person = somePerson(world);
  const kept = person.seats.map(({ tool }) => tool);
  const from = 2 + world.random.below(10);
  const onDay = (day: number) => {
    const isNew = day >= from && day < from + 3;
    person.seats.forEach((seat, i) => (seat.tool = isNew ? { ...kept[i]!, mark: 'other' } : kept[i]!));
  };
  return accountOf([member(world, person, new Route(world, DIRECT))], { onDay });
}

/** A gateway of one's own, as people build them: any of the relays, for oneself. */
export function ownGateway(world: World): RouteSpec {
  const names = ['one-api', 'Portkey', 'nginx', 'caddy', 'haproxy', 'http-proxy', 'claude-relay-service'] as const;
  return { ...RELAYS[world.random.pick(names)], isHosting: world.random.chance(0.5) };
}

const several = (world: World): Partial<Person> => ({
  seats: seats([mainTool(world), TOOLS.perigee, TOOLS.codex], devicesOf(world, 'mac', 'windows', 'linux')),
});

/** Each client gives its own computer, network and language; nothing is shared between them. */
function clientsMachines(world: World): Account {
  const tools = [TOOLS.claudeBun, TOOLS.opencode, TOOLS.codex, TOOLS.kimi, TOOLS.cline, TOOLS.openclaw];
  const base = somePerson(world);
  const own: Language = base.language === 'english' ? 'latin' : base.language;
  const parts = tools.map((tool, i): Person => {
    const project = someProject(world);
    project.language = i % 2 === 0 ? 'english' : own;
    const device = devicesOf(world, (['windows', 'linux', 'mac'] as const)[i % 3]!);
    return { ...base, language: own, projects: [project], prompts: base.prompts, seats: seats([tool], device) };
  });
  const route = parts.map(() => new Route(world, INSPECTION));
  // One person is at one client a day.
  const source = parts.map((part) => new Days(world, part, 0));
  return accountOf(
    source.map((days, i) => ({
      source: { day: (day: number) => (day % parts.length === i ? days.day(day) : []) },
      ...{ route: route[i]!, joins: 0 },
    })),
  );
}

const HONEST: Persona[] = [
  { name: 'solo', about: 'one person', mustBe: 'clean', weight: 40, make: (w) => one(w, {}) },
  { name: 'devices', about: 'laptop, desktop and CLI', mustBe: 'clean', weight: 20, make: (w) => one(w, several(w)) },
  { name: 'traveller', about: 'travels, and hops between VPNs', mustBe: 'clean', weight: 6, make: traveller },
  { name: 'heavy', about: '8 agents, 16 h a day, 15 repositories', mustBe: 'clean', isHard: true, weight: 1, make: (w) => one(w, heavy(w)) },
  {
    ...{ name: 'office', about: 'company address shared by hundreds of accounts', mustBe: 'clean', weight: 10 },
    make: (w) => one(w, (person) => (person.networks = [7, 7, 7, 7])),
  },
  {
    ...{ name: 'inspection', about: 'a company that opens TLS', mustBe: 'clean', isHard: true, weight: 5 },
    make: (w) => one(w, {}, INSPECTION),
  },
  {
    ...{ name: 'cloud', about: 'works on a cloud VM, or in a new Codespace each day', mustBe: 'clean', weight: 4 },
    make: (w) => {
      const person = somePerson(w);
      const onDay = () => person.seats.forEach((seat) => (seat.device = someDevice(w.parameters, w.random, 'linux')));
      const route = new Route(w, { ...DIRECT, isHosting: true });
      return accountOf([member(w, person, route)], w.random.chance(0.5) ? { onDay } : {});
    },
  },
  {
    ...{ name: 'ci', about: 'CI on the owner’s key', mustBe: 'clean', isHard: true, weight: 4 },
    make: (w) => withJobs(w, { pushed: 20 }, 8),
  },
  {
    ...{ name: 'schedule', about: 'jobs around the clock', mustBe: 'clean', isHard: true, weight: 3 },
    make: (w) => withJobs(w, { scheduled: 48, pushed: 4 }, 6),
  },
  { name: 'shifts', about: 'shift worker', mustBe: 'unflagged', weight: 2, make: shifts },
  { name: 'contractor', about: 'bilingual, 20 clients', mustBe: 'unflagged', isHard: true, weight: 1, make: (w) => one(w, contractor(w)) },
  {
    ...{ name: 'forged', about: 'honest tool with a forged user-agent', mustBe: 'unflagged', isHard: true, weight: 1 },
    make: (w) => one(w, (p) => (p.seats = seats([{ ...TOOLS.claude, mark: 'python', deviceId: 'none' }], devicesOf(w, 'linux')))),
  },
  {
    ...{ name: 'random-ids', about: 'a tool that sends another id on each call', mustBe: 'clean', weight: 1 },
    make: (w) => one(w, (p) => (p.seats = seats([TOOLS.pi], devicesOf(w, 'mac')))),
  },
  {
    ...{ name: 'cloned', about: 'a cloned image: its device id is on many accounts', mustBe: 'clean', weight: 1 },
    make: (w) => ({ ...one(w, several(w)), beside: { isDeclared: false, sharedDevices: 3 } }),
  },
  { name: 'upgrade', about: 'the day of a client’s new release', mustBe: 'clean', weight: 1, make: upgrade },
  {
    ...{ name: 'gateway', about: 'a gateway of one’s own', mustBe: 'unflagged', isHard: true, weight: 2 },
    make: (w) => one(w, w.random.chance(0.5) ? several(w) : {}, ownGateway(w)),
  },
  {
    ...{ name: 'normaliser', about: 'a privacy normaliser of one’s own, three machines', mustBe: 'unflagged', isHard: true, weight: 1 },
    make: (w) => one(w, several(w), { ...RELAYS['cc-gateway'], isHosting: false }),
  },
];

const CROSSINGS: Persona[] = [
  {
    ...{ name: 'gateway-heavy', about: 'own gateway × 8 agents × 15 repositories', mustBe: 'unflagged', isHard: true },
    make: (w) => one(w, heavy(w), ownGateway(w)),
  },
  {
    ...{ name: 'inspection-devices', about: 'TLS inspection × three machines × three tools', mustBe: 'clean', isHard: true },
    make: (w) => one(w, several(w), INSPECTION),
  },
  {
    ...{ name: 'normaliser-contractor', about: 'normaliser × bilingual contractor × 20 clients', mustBe: 'unflagged', isHard: true },
    make: (w) => one(w, { ...contractor(w), ...several(w) }, RELAYS['cc-gateway']),
  },
  {
    ...{ name: 'orchestrator', about: 'starts agents in several repositories in the same seconds', mustBe: 'clean', isHard: true },
    make: (w) => one(w, { projects: someProjects(w, 10), launches: { aDay: 4, agents: 6 }, agents: 3, seats: heavy(w).seats! }),
  },
  {
    ...{ name: 'gateway-orchestrator', about: 'own gateway × orchestrator', mustBe: 'unflagged', isHard: true },
    make: (w) =>
      one(w, { projects: someProjects(w, 10), launches: { aDay: 4, agents: 6 }, agents: 3, seats: heavy(w).seats! }, ownGateway(w)),
  },
];

const UNSEEN: Persona[] = [
  {
    ...{ name: 'maintainer', about: 'reviews 40 repositories, a few prompts in each', mustBe: 'clean', isHard: true, isUnseen: true, weight: 2 },
    make: (w) => one(w, { projects: someProjects(w, 40), projectsADay: 8 }),
  },
  {
    ...{ name: 'clients-machines', about: 'six clients, each with its own computer, tool and TLS inspection', mustBe: 'unflagged', isHard: true, isUnseen: true, weight: 1 },
    make: clientsMachines,
  },
  {
    ...{ name: 'dictation', about: 'speaks prompts: four agents, twice as fast', mustBe: 'clean', isUnseen: true, weight: 1 },
    make: (w) => one({ ...w, parameters: { ...w.parameters, typingSeconds: { median: 14, sigma: 0.8 } } }, { agents: 4, prompts: 150 }),
  },
  {
    ...{ name: 'night-and-day', about: 'sleeps in two halves', mustBe: 'clean', isUnseen: true, weight: 1 },
    make: (w) => one(w, { begins: 4, ends: 23, evenings: 0.3, weekendShare: 0.8, prompts: 60 }),
  },
];

export const PERSONAS: readonly Persona[] = [...HONEST, ...CROSSINGS, ...UNSEEN, ...sharers];
export const honest = PERSONAS.filter(({ mustBe }) => mustBe === 'clean' || mustBe === 'unflagged');
