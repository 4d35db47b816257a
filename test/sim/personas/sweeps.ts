import { someProjects, type World } from '../traffic/person.ts';
import { LEFTOVERS, NORMALISER, RELAYS, type RouteSpec } from '../traffic/route.ts';
import { heavy, ownGateway } from './parts.ts';
import { one, type Persona } from './persona.ts';
import { crowd } from './sharers.ts';

/** One thing that grows until the judgement turns. */
export interface Sweep {
  name: string;
  about: string;
  axis: string;
  mustBe: Persona['mustBe'];
  points: readonly number[];
  days: number;
  make: (point: number) => Persona['make'];
}

/** The gateway in front of one heavy user, with what is swept changed. */
const behindGateway = (world: World, changes: Parameters<typeof one>[1] & object) =>
  one(world, { ...heavy(world), ...changes }, ownGateway(world));

/** What somebody does who reads this code, one step after the other; each has those before. */
export const ADVERSARY: readonly {
  /** For a picture. */
  short: string;
  step: string;
  costs: string;
  route: RouteSpec;
  mostProjects?: number;
}[] = [
  { short: 'nothing', step: 'nothing', costs: 'nothing', route: RELAYS['claude-relay-service'] },
  {
    short: '+ one identity',
    step: 'one user-agent, one device id',
    costs: 'each client’s own features that depend on its version',
    route: NORMALISER,
  },
  {
    ...{
      short: '+ right library, addresses',
      step: 'the claimed client’s own library, residential addresses',
      costs: 'a forged client that follows each release',
    },
    route: { ...NORMALISER, mark: 'fetch', isHosting: false },
  },
  {
    ...{ short: '+ closes connections', step: 'a connection for each request', costs: 'one TLS handshake a request' },
    route: { ...NORMALISER, mark: 'fetch', isHosting: false, connections: 'close', leftovers: 0 },
  },
  {
    ...{
      short: '+ queue, 10 s apart',
      step: 'prompts one after another, 10 s apart',
      costs: 'customers wait: see the table',
    },
    route: { ...NORMALISER, mark: 'fetch', isHosting: false, connections: 'close', queueGapMs: 10_000 },
  },
  {
    ...{
      short: '+ two repositories each',
      step: 'two repositories for each customer',
      costs: 'customers who have more go elsewhere',
    },
    route: { ...NORMALISER, mark: 'fetch', isHosting: false, connections: 'close', queueGapMs: 10_000 },
    mostProjects: 2,
  },
];

export const SWEEPS: readonly Sweep[] = [
  {
    ...{ name: 'repositories', about: 'one heavy user behind a gateway of one’s own', axis: 'repositories in use' },
    ...{ mustBe: 'unflagged', points: [5, 10, 15, 20, 25, 30, 40, 60], days: 30 },
    make: (count) => (w) => behindGateway(w, { projects: someProjects(w, count), projectsADay: count / 2 }),
  },
  {
    ...{ name: 'agents', about: 'one heavy user behind a gateway of one’s own', axis: 'agents at a time' },
    ...{ mustBe: 'unflagged', points: [1, 2, 4, 8, 12, 16, 24], days: 30 },
    make: (agents) => (w) => behindGateway(w, { agents, prompts: 60 + 20 * agents }),
  },
  {
    ...{ name: 'hours', about: 'one heavy user behind a gateway of one’s own', axis: 'hours a day' },
    ...{ mustBe: 'unflagged', points: [8, 12, 16, 18, 20, 21, 22], days: 30 },
    make: (hours) => (w) => behindGateway(w, { begins: 6, ends: 6 + hours, prompts: 12 * hours }),
  },
  {
    ...{ name: 'people', about: 'people behind a raw relay', axis: 'people', mustBe: 'flagged' },
    ...{ points: [2, 3, 4, 5, 6, 8, 10, 15, 20], days: 14 },
    make: (people) => (w) => crowd(w, { people, route: RELAYS['claude-relay-service'] }),
  },
  {
    ...{
      name: 'region',
      about: 'people of one language and time zone behind a raw relay',
      axis: 'people',
      mustBe: 'flagged',
    },
    ...{ points: [3, 5, 8, 10, 15, 20], days: 14 },
    make: (people) => (w) => crowd(w, { people, route: RELAYS['claude-relay-service'], isOneRegion: true }),
  },
  {
    ...{ name: 'nginx', about: 'people behind nginx, which closes each connection', axis: 'people', mustBe: 'flagged' },
    ...{ points: [3, 5, 8, 10, 15, 20], days: 14 },
    make: (people) => (w) => crowd(w, { people, route: { ...RELAYS.nginx, leftovers: LEFTOVERS.forwardedFor } }),
  },
  {
    ...{
      name: 'intensity',
      about: '10 people behind a raw relay',
      axis: 'times what an ordinary person does',
      mustBe: 'flagged',
    },
    ...{ points: [0.5, 1, 1.5, 2, 3, 4], days: 1 },
    make: (times) => (w) =>
      crowd(w, {
        ...{ people: 10, route: RELAYS['claude-relay-service'] },
        change: (person) => {
          person.prompts *= times;
        },
      }),
  },
  ...ADVERSARY.map(
    ({ step, route, mostProjects }, i): Sweep => ({
      ...{ name: `adversary-${i}`, about: `who reads the code: ${step}`, axis: 'people', mustBe: 'flagged' },
      ...{ points: [3, 5, 10, 20, 40], days: 14 },
      make: (people) => (w) =>
        crowd(w, {
          ...{ people, route },
          change: (person) => (person.projects = person.projects.slice(0, mostProjects ?? 99)),
        }),
    }),
  ),
];
