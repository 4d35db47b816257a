import { type Person, type Seat, someProjects, type World } from '../traffic/person.ts';
import { INSPECTION, RELAYS, type RouteSpec } from '../traffic/route.ts';
import { someDevice, TOOLS, type Tool } from '../traffic/tools.ts';

export const seats = (tools: Tool[], devices: Seat['device'][]): Seat[] =>
  tools.flatMap((tool) => devices.map((device) => ({ tool, device })));

export const devicesOf = (world: World, ...systems: Seat['device']['system'][]) =>
  systems.map((system) => someDevice(world.parameters, world.random, system));

export const mainTool = (world: World) => (world.set === 'A' ? TOOLS.claude : TOOLS.claudeBun);

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
  projects.forEach((project, i) => {
    project.language = i % 2 === 0 ? own : 'english';
  });
  return {
    ...{ projects, language: own, agents: 2, projectsADay: 3 },
    prompts: world.random.logNormal({ median: 60, sigma: 0.4 }),
  };
}

/** A gateway of one's own, as people build them: any of the relays, for oneself. */
export function ownGateway(world: World): RouteSpec {
  const names = ['one-api', 'Portkey', 'nginx', 'caddy', 'haproxy', 'http-proxy', 'claude-relay-service'] as const;
  return { ...RELAYS[world.random.pick(names)], isHosting: world.random.chance(0.5) };
}

/** Some of these gateways are written in Go, whose heads the server knows. */
export const inspection = (world: World): RouteSpec => ({
  ...INSPECTION,
  mark: world.random.chance(0.3) ? 'go' : 'other',
});

export const several = (world: World): Partial<Person> => ({
  seats: seats([mainTool(world), TOOLS.perigee, TOOLS.codex], devicesOf(world, 'mac', 'windows', 'linux')),
});
