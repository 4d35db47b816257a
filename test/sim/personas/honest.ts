import type { Account, Member } from '../traffic/account.ts';
import { Jobs, type JobsSpec } from '../traffic/jobs.ts';
import { type Person, somePerson, someProjects, type World } from '../traffic/person.ts';
import { DIRECT, RELAYS, Route } from '../traffic/route.ts';
import { someDevice, TOOLS, type Tool } from '../traffic/tools.ts';
import { contractor, devicesOf, heavy, inspection, mainTool, ownGateway, seats, several } from './parts.ts';
import { accountOf, member, one, type Persona } from './persona.ts';

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
    person.seats.forEach((seat, i) => {
      seat.tool = isNew ? { ...kept[i]!, mark: 'other' } : kept[i]!;
    });
  };
  return accountOf([member(world, person, new Route(world, DIRECT))], { onDay });
}

/** Written in Python, and calls itself Claude Code because of an allow-list. */
const FORGED: Tool = { ...TOOLS.claude, mark: 'python', deviceId: 'none' };

export const HONEST: Persona[] = [
  { name: 'solo', about: 'one person', mustBe: 'clean', weight: 40, make: (w) => one(w, {}) },
  { name: 'devices', about: 'laptop, desktop and CLI', mustBe: 'clean', weight: 20, make: (w) => one(w, several(w)) },
  { name: 'traveller', about: 'travels, and hops between VPNs', mustBe: 'clean', weight: 6, make: traveller },
  {
    name: 'heavy',
    about: '8 agents, 16 h a day, 15 repositories',
    mustBe: 'clean',
    isHard: true,
    weight: 1,
    make: (w) => one(w, heavy(w)),
  },
  {
    ...{ name: 'office', about: 'company address shared by hundreds of accounts', mustBe: 'clean', weight: 10 },
    make: (w) => one(w, (person) => (person.networks = [7, 7, 7, 7])),
  },
  {
    ...{ name: 'inspection', about: 'a company that opens TLS', mustBe: 'clean', isHard: true, weight: 5 },
    make: (w) => one(w, {}, inspection(w)),
  },
  {
    ...{ name: 'cloud', about: 'works on a cloud VM, or in a new Codespace each day', mustBe: 'clean', weight: 4 },
    make: (w) => {
      const person = somePerson(w);
      const onDay = () => {
        for (const seat of person.seats) seat.device = someDevice(w.parameters, w.random, 'linux');
      };
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
  {
    name: 'contractor',
    about: 'bilingual, 20 clients',
    mustBe: 'unflagged',
    isHard: true,
    weight: 1,
    make: (w) => one(w, contractor(w)),
  },
  {
    ...{
      name: 'forged',
      about: 'honest tool that forges its user-agent',
      mustBe: 'unflagged',
      isHard: true,
      weight: 1,
    },
    make: (w) => one(w, { seats: seats([{ ...FORGED, isImpossible: true }], devicesOf(w, 'linux')) }),
  },
  {
    ...{ name: 'forged-well', about: 'one that copies all headers of another tool', mustBe: 'unflagged', weight: 1 },
    make: (w) => one(w, { seats: seats([FORGED], devicesOf(w, 'linux')) }),
  },
  {
    ...{ name: 'random-ids', about: 'a tool that sends another id on each call', mustBe: 'clean', weight: 1 },
    make: (w) => one(w, (p) => (p.seats = seats([TOOLS.pi], devicesOf(w, 'mac')))),
  },
  {
    ...{ name: 'cloned', about: 'a cloned image: its device id is on many accounts', mustBe: 'clean', weight: 1 },
    make: (w) => ({ ...one(w, several(w)), accountsOfDevices: 12 }),
  },
  { name: 'upgrade', about: 'the day of a client’s new release', mustBe: 'clean', weight: 1, make: upgrade },
  {
    ...{ name: 'gateway', about: 'a gateway of one’s own', mustBe: 'unflagged', isHard: true, weight: 2 },
    make: (w) => one(w, w.random.chance(0.5) ? several(w) : {}, ownGateway(w)),
  },
  {
    ...{
      name: 'normaliser',
      about: 'a privacy normaliser of one’s own, three machines',
      mustBe: 'unflagged',
      isHard: true,
      weight: 1,
    },
    make: (w) => one(w, several(w), { ...RELAYS['cc-gateway'], isHosting: false }),
  },
];
