import type { Hash, TurnSeen } from '../../../server/risk/signals/observation.ts';
import { DAY, HOUR, nearly, type Origin, type Sent, type Source } from './day.ts';
import type { Project, World } from './person.ts';
import { someDevice, type Tool } from './tools.ts';

/** Automation of one person: what it runs for, how often, and whether the owner declared its key. */
export interface JobsSpec {
  tool: Tool;
  projects: Project[];
  /** Runs a day: by the clock, the same in all hours; and after pushes, in the owner's day. */
  scheduled: number;
  pushed: number;
  /** The owner's hours east of UTC. */
  zone: number;
  isDeclared: boolean;
  number: number;
}

/** Automation: each run is a new machine and a new conversation that begins with one of a few texts. */
export class Jobs implements Source {
  readonly #world: World;
  readonly #spec: JobsSpec;
  readonly #texts: Hash[];

  constructor(world: World, spec: JobsSpec) {
    this.#world = { ...world, random: world.random.fork() };
    this.#spec = spec;
    this.#texts = Array.from({ length: 3 }, () => this.#world.random.hash());
  }

  day(day: number): Sent[] {
    const { random } = this.#world;
    const { scheduled, pushed, zone } = this.#spec;
    const midnight = day * DAY - zone * HOUR;
    const sent: Sent[] = [];
    for (let i = 0; i < scheduled; i++) this.#run(sent, midnight + ((i + random.between(0, 0.02)) / scheduled) * DAY);
    const pushes = day % 7 > 4 ? 0.2 * pushed : pushed;
    for (let i = random.poisson(pushes); i > 0; i--) this.#run(sent, midnight + random.between(9, 19) * HOUR);
    return sent;
  }

  #run(sent: Sent[], at: number): void {
    const { random, parameters } = this.#world;
    const { tool, projects, isDeclared, number } = this.#spec;
    const project = random.pick(projects);
    const device = someDevice(parameters, random, 'linux');
    const from: Origin = { seat: { tool, device }, number };
    const [root, address] = [random.hash(), random.hash()];
    const template = nearly(random.pick(this.#texts), 3, random);
    const send = (time: number, turn: TurnSeen) =>
      sent.push({ at: Math.round(time), takes: 4000, turn, from, address, country: 0 });
    const kind = isDeclared ? 'machine' : 'human';
    send(at, { kind, root, isFirst: true, template, language: 'english', paths: [] });
    let paths: Hash[] = [];
    let t = at;
    for (let k = Math.min(80, Math.ceil(random.logNormal({ median: 10, sigma: 0.8 }))); k > 0; k--) {
      t += 1000 * random.logNormal(parameters.stepSeconds);
      if (random.chance(parameters.pathShare))
        paths = [project.files[random.zipf(project.files.length)]!, ...paths.slice(0, 3)];
      send(t, { kind: 'tool', root, isFirst: false, template: 0, language: null, paths });
    }
  }
}
