import type { Language } from '../../../server/risk/signals/observation.ts';
import type { Account } from '../traffic/account.ts';
import { Days } from '../traffic/day.ts';
import { type Person, somePerson, someProject, someProjects, type World } from '../traffic/person.ts';
import { RELAYS, Route } from '../traffic/route.ts';
import { TOOLS } from '../traffic/tools.ts';
import { contractor, devicesOf, heavy, inspection, mainTool, ownGateway, seats, several } from './parts.ts';
import { accountOf, one, type Persona } from './persona.ts';

/** A machine made for each of eight repositories. */
function containers(world: World): Partial<Person> {
  const projects = someProjects(world, 8);
  const made = projects.map((project) => ({ tool: mainTool(world), device: devicesOf(world, 'linux')[0]!, project }));
  return { projects, seats: made };
}

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
  const route = parts.map(() => new Route(world, inspection(world)));
  // One person is at one client a day.
  const source = parts.map((part) => new Days(world, part, 0));
  return accountOf(
    source.map((days, i) => ({
      source: { day: (day: number) => (day % parts.length === i ? days.day(day) : []) },
      ...{ route: route[i]!, joins: 0 },
    })),
  );
}

/** Two hard things at a time. */
export const CROSSINGS: Persona[] = [
  {
    ...{ name: 'gateway-heavy', about: 'own gateway × 8 agents × 15 repositories', mustBe: 'unflagged', isHard: true },
    make: (w) => one(w, heavy(w), ownGateway(w)),
  },
  {
    ...{
      name: 'inspection-devices',
      about: 'TLS inspection × three machines × three tools',
      mustBe: 'clean',
      isHard: true,
    },
    make: (w) => one(w, several(w), inspection(w)),
  },
  {
    ...{
      name: 'normaliser-contractor',
      about: 'normaliser × bilingual contractor × 20 clients',
      mustBe: 'unflagged',
      isHard: true,
    },
    make: (w) => one(w, { ...contractor(w), ...several(w) }, RELAYS['cc-gateway']),
  },
  {
    ...{
      name: 'orchestrator',
      about: 'starts agents in several repositories in the same seconds',
      mustBe: 'clean',
      isHard: true,
    },
    make: (w) =>
      one(w, { projects: someProjects(w, 10), launches: { aDay: 4, agents: 6 }, agents: 3, seats: heavy(w).seats! }),
  },
  {
    ...{
      name: 'gateway-containers',
      about: 'own gateway × 8 agents, each in a container of its own',
      mustBe: 'unflagged',
      isHard: true,
    },
    make: (w) => one(w, { ...heavy(w), ...containers(w) }, ownGateway(w)),
  },
  {
    ...{ name: 'gateway-orchestrator', about: 'own gateway × orchestrator', mustBe: 'unflagged', isHard: true },
    make: (w) =>
      one(
        w,
        { projects: someProjects(w, 10), launches: { aDay: 4, agents: 6 }, agents: 3, seats: heavy(w).seats! },
        ownGateway(w),
      ),
  },
];

/** Four clients with a computer each, at which one person works in turns, some nights through, behind a gateway. */
function throughNights(world: World): Account {
  const base = { ...somePerson(world), throughNights: 0.08, weekdayShare: 0.95 };
  const systems = ['windows', 'linux', 'mac', 'mac'] as const;
  const tools = [mainTool(world), TOOLS.codex, mainTool(world), TOOLS.cline];
  const projects = someProjects(world, 4);
  const made = projects.map((project, i) => ({ tool: tools[i]!, device: devicesOf(world, systems[i]!)[0]!, project }));
  return one(world, { ...base, projects, seats: made, agents: 3, prompts: 70, projectsADay: 3 }, ownGateway(world));
}

/** Only in set B: nothing was fitted on them. */
export const UNSEEN: Persona[] = [
  {
    ...{
      name: 'through-nights',
      about: 'own gateway × a computer for each of four clients × nights without sleep',
      mustBe: 'unflagged',
      isHard: true,
      isUnseen: true,
      weight: 1,
    },
    make: throughNights,
  },
  {
    ...{
      name: 'maintainer',
      about: 'reviews 40 repositories, a few prompts in each',
      mustBe: 'clean',
      isHard: true,
      isUnseen: true,
      weight: 2,
    },
    make: (w) => one(w, { projects: someProjects(w, 40), projectsADay: 8 }),
  },
  {
    ...{
      name: 'clients-machines',
      about: 'six clients, each with its own computer, tool and TLS inspection',
      mustBe: 'unflagged',
      isHard: true,
      isUnseen: true,
      weight: 1,
    },
    make: clientsMachines,
  },
  {
    ...{
      name: 'dictation',
      about: 'speaks prompts: four agents, twice as fast',
      mustBe: 'clean',
      isUnseen: true,
      weight: 1,
    },
    make: (w) =>
      one(
        { ...w, parameters: { ...w.parameters, typingSeconds: { median: 14, sigma: 0.8 } } },
        { agents: 4, prompts: 150 },
      ),
  },
  {
    ...{ name: 'night-and-day', about: 'sleeps in two halves', mustBe: 'clean', isUnseen: true, weight: 1 },
    make: (w) => one(w, { begins: 4, ends: 23, evenings: 0.3, weekendShare: 0.8, prompts: 60 }),
  },
];
