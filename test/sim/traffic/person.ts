import type { Hash, Language } from '../../../server/risk/signals/observation.ts';
import type { Parameters, SetName } from './parameters.ts';
import { mix, type Random } from './random.ts';
import { type Device, someDevice, someTools, type Tool } from './tools.ts';

/** A repository, or anything else whose files are worked on together. */
export interface Project {
  /** Keyed hashes of its files, the most used first. Two people in one repository see the same ones. */
  files: Uint32Array;
  /** The languages that its people write in, if it has its own (a client's). */
  language: Language | null;
}

/** One program on one device. */
export interface Seat {
  tool: Tool;
  device: Device;
  /** A machine that was made for this alone. */
  project?: Project;
}

export interface Person {
  /** Hours east of UTC. */
  zone: number;
  /** Local hours at which days begin and end; weekends too, if `everyDay`. */
  begins: number;
  ends: number;
  evenings: number;
  weekdayShare: number;
  weekendShare: number;
  /** Prompts on an ordinary active day. */
  prompts: number;
  /** How many conversations this person keeps going at a time. */
  agents: number;
  language: Language;
  englishShare: number;
  projects: Project[];
  /** How many projects of a day, beside the first. */
  projectsADay: number;
  seats: Seat[];
  /** Texts that this person sends again and again. */
  templates: Hash[];
  /** Home, and the networks that a laptop or a phone meets. */
  networks: Hash[];
  country: number;
  /** Share of the days after which this person works through the night, until the next evening. */
  throughNights?: number;
  /** Runs of an orchestrator, and how many agents each starts. */
  launches?: { aDay: number; agents: number };
}

/** The hash of the i-th of the names that many repositories have, by this account's key. */
const commonName = (salt: number, i: number): Hash => mix(salt ^ mix(i + 0x51ed270b)) || 1;

export interface World {
  set: SetName;
  parameters: Parameters;
  random: Random;
  /** Stands for the account's key: hashes of one account mean nothing in another. */
  salt: number;
}

export function someProject(world: World, like?: Project, count?: number): Project {
  const { parameters, random, salt } = world;
  const size = Math.max(8, Math.min(600, Math.round(count ?? random.logNormal(parameters.files))));
  const files = new Uint32Array(size);
  for (let i = 0; i < size; i++) {
    if (like && random.chance(parameters.siblingFiles)) files[i] = like.files[random.below(like.files.length)]!;
    else if (random.chance(parameters.commonFiles)) files[i] = commonName(salt, random.zipf(parameters.commonNames));
    else files[i] = random.hash();
  }
  return { files, language: null };
}

export function someProjects(world: World, count: number): Project[] {
  const projects: Project[] = [];
  for (let i = 0; i < count; i++) {
    const isSibling = i > 0 && world.random.chance(world.parameters.siblingShare);
    projects.push(someProject(world, isSibling ? world.random.pick(projects) : undefined));
  }
  return projects;
}

/** Where people of a language mostly live: hours east of UTC, in steps of an hour. Assumptions. */
const ZONES: Record<Language, number[]> = {
  english: [-8, -7, -6, -5, -5, 0, 0, 10],
  latin: [-5, -3, -3, 1, 1, 1, 1, 1, 2],
  cyrillic: [2, 3, 3, 3, 5],
  chinese: [8, 8, 8, 8],
  japanese: [9],
  korean: [9],
  arabic: [2, 3, 4],
  indic: [5, 5],
};

/** An ordinary person. What a persona has differently is set afterwards. */
export function somePerson(world: World): Person {
  const { parameters, random, set } = world;
  const language = random.share<Language>(parameters.languages);
  const zone = random.pick(ZONES[language]);
  const shift = random.normal(0, parameters.chronotypeHours);
  const isOffice = random.chance(parameters.officeShare);
  const seats: Seat[] = [];
  const tools = someTools(set, 1 + random.weighted(parameters.tools), random);
  const devices = Array.from({ length: 1 + random.weighted(parameters.devices) }, () => someDevice(parameters, random));
  for (const tool of tools)
    for (const device of devices) if (seats.length === 0 || random.chance(0.7)) seats.push({ tool, device });
  return {
    zone,
    begins: isOffice ? 9 + 0.4 * shift + random.normal(0, 0.4) : 10.5 + shift,
    ends: isOffice ? 17.8 + 0.3 * shift + random.normal(0, 0.6) : 20 + shift,
    evenings: isOffice ? parameters.eveningShare : parameters.lateShare,
    weekdayShare: parameters.weekdayShare,
    weekendShare: isOffice ? parameters.weekendShare : 2 * parameters.weekendShare,
    prompts: random.logNormal(parameters.promptsADay),
    agents: 1 + (random.chance(0.3) ? 1 + random.below(2) : 0),
    language,
    englishShare: language === 'english' ? 1 : random.chance(0.3) ? 0.95 : parameters.englishShare,
    projects: someProjects(
      world,
      Math.max(1, Math.min(parameters.mostProjects, Math.round(random.logNormal(parameters.projects)))),
    ),
    projectsADay: parameters.projectsADay,
    seats,
    templates: Array.from({ length: 4 }, () => random.hash()),
    networks: Array.from({ length: 4 }, () => random.hash()),
    country: zone * 100 + (language === 'english' ? 0 : 1),
  };
}
