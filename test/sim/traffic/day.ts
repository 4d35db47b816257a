import type { Hash, Language, TurnSeen } from '../../../server/risk/signals/observation.ts';
import type { Person, Project, Seat, World } from './person.ts';
import { someProject } from './person.ts';
import type { Random } from './random.ts';

export const SECOND = 1000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** One request as the person's tool sends it, before any network. */
export interface Sent {
  at: number;
  /** How long its answer takes, ms. */
  takes: number;
  turn: TurnSeen;
  from: Origin;
  /** Of the network that it leaves from. Not part of what the server keeps; the baselines count it. */
  address: Hash;
  country: number;
}

/** A tool on a device, and whose it is: the number of the source. */
export interface Origin {
  seat: Seat;
  number: number;
}

interface Conversation {
  root: Hash;
  origin: Origin;
  project: Project | null;
  language: Language;
  /** Files that it is about. */
  working: Uint32Array;
  /** What the open file of a chat's editor shows. */
  shown: readonly Hash[];
  /** Of the newest tool calls, the newest first. */
  paths: readonly Hash[];
  /** Of the tool results between two new paths: they are all alike. */
  toolTurn: TurnSeen | null;
  hasBegun: boolean;
  left: number;
  readyAt: number;
}

const NONE: readonly Hash[] = [];
/** The observer knows a request for a title by its instructions. */
const TITLE: Omit<TurnSeen, 'root'> = { kind: 'machine', isFirst: false, template: 0, language: null, paths: NONE };
/** A request shows the paths of its newest tool calls, those since the person's last text (observe/turn.ts). */
const PATHS = 4;

/** Flips up to `most` bits: the SimHash of a text that is almost the same. */
export const nearly = (template: Hash, most: number, random: Random): Hash => {
  let other = template;
  for (let i = random.below(most + 1); i > 0; i--) other ^= 1 << random.below(32);
  return other >>> 0 || 1;
};

/** Something that sends requests, a local day at a time. */
export interface Source {
  /** All that it sends in the local day `day` (0 is a Monday), unsorted. */
  day(day: number): Sent[];
}

/** What a person does with the tools. */
export class Days implements Source {
  readonly #world: World;
  readonly #person: Person;
  readonly #random: Random;
  readonly #origins: Origin[];
  /** Conversations that may go on later. */
  readonly #kept: Conversation[] = [];
  #sent: Sent[] = [];
  #address: Hash = 0;
  /** The last day of a night without sleep. */
  #awakeUntil = -1;

  constructor(world: World, person: Person, number: number) {
    this.#world = world;
    this.#person = person;
    this.#random = world.random.fork();
    this.#origins = person.seats.map((seat) => ({ seat, number }));
  }

  day(day: number): Sent[] {
    const [person, random] = [this.#person, this.#random];
    const { parameters } = this.#world;
    this.#sent = [];
    const isWeekend = day % 7 > 4;
    if (day <= this.#awakeUntil) return this.#sent;
    if (!random.chance(isWeekend ? person.weekendShare : person.weekdayShare)) return this.#sent;
    this.#address = person.networks[random.chance(parameters.mobileShare) ? random.below(person.networks.length) : 0]!;
    const midnight = day * DAY - person.zone * HOUR;
    const isThroughNight = person.throughNights !== undefined && random.chance(person.throughNights);
    if (isThroughNight) this.#awakeUntil = day + 1;
    const blocks: [number, number][] = isThroughNight ? [[person.begins, 24 + person.ends]] : this.#blocks(isWeekend);
    const budget = Math.round(
      person.prompts *
        Math.exp(parameters.promptsDayToDay * random.normal()) *
        (isWeekend ? 0.6 : 1) *
        (isThroughNight ? 2.5 : 1),
    );
    this.#work(midnight, blocks, Math.max(1, budget));
    for (let i = person.launches ? random.poisson(person.launches.aDay) : 0; i > 0; i--) {
      const [from, to] = random.pick(blocks);
      this.#launch(midnight + random.between(from, to) * HOUR, person.launches!.agents);
    }
    return this.#sent;
  }

  /** An orchestrator starts agents in several repositories in the same seconds, with one text for all or one for each. */
  #launch(at: number, agents: number): void {
    const random = this.#random;
    const { projects } = this.#person;
    const text = random.chance(0.5) ? random.hash() : null;
    const first = random.below(projects.length);
    const origin = random.pick(this.#origins);
    for (let i = 0; i < agents; i++) {
      const agent = this.#conversation(origin, projects[(first + i) % projects.length]!);
      const t = at + random.between(0, 4) * SECOND;
      this.#human(agent, t, text === null ? random.hash() : nearly(text, 4, random));
      this.#toolResults(agent, t, Math.min(120, Math.ceil(random.logNormal({ median: 14, sigma: 0.9 }))));
    }
  }

  /** Local hours at work: before lunch, after it, after dinner. */
  #blocks(isWeekend: boolean): [number, number][] {
    const [person, random] = [this.#person, this.#random];
    const begins = person.begins + random.normal(0, 0.5) + (isWeekend ? 1.5 : 0);
    const ends = Math.max(begins + 1, person.ends + random.normal(0, 0.7) - (isWeekend ? 2 : 0));
    const noon = begins + (ends - begins) * random.between(0.35, 0.5);
    const blocks: [number, number][] = [
      [begins, noon],
      [Math.min(ends, noon + random.between(0.5, 1.2)), ends],
    ];
    if (random.chance(person.evenings)) blocks.push([ends + random.between(0.8, 2), ends + random.between(2.5, 5)]);
    return blocks.filter(([from, to]) => to > from);
  }

  /** One attention: a person writes one prompt at a time, to whichever agent is ready, or to a new one. */
  #work(midnight: number, blocks: [number, number][], budget: number): void {
    const [person, random] = [this.#person, this.#random];
    const { parameters } = this.#world;
    const today = this.#chooseProjects();
    const hours = blocks.reduce((sum, [from, to]) => sum + to - from, 0);
    const gap = (0.35 * hours * HOUR * 9) / Math.max(9, budget);
    const active: Conversation[] = [];
    let block = 0;
    let t = midnight + blocks[0]![0] * HOUR + random.exponential(0.2 * HOUR);
    while (budget > 0) {
      if (t > midnight + blocks[block]![1] * HOUR) {
        if (++block >= blocks.length) return;
        t = Math.max(t, midnight + blocks[block]![0] * HOUR + random.exponential(0.1 * HOUR));
        continue;
      }
      let conversation = active.find((one) => one.readyAt <= t);
      if (!conversation && active.length < person.agents) {
        conversation = this.#begin(today);
        active.push(conversation);
      }
      if (!conversation) {
        t = Math.min(...active.map((one) => one.readyAt)) + random.exponential(20 * SECOND);
        continue;
      }
      const ended = this.#prompt(conversation, t, budget);
      budget -= ended.prompts;
      conversation.readyAt = ended.at;
      if (conversation.left <= 0) active.splice(active.indexOf(conversation), 1);
      if (person.agents === 1) t = ended.at + 1000 * random.logNormal(parameters.thinkSeconds);
      else t += 1000 * (parameters.fastestSeconds + random.logNormal(parameters.typingSeconds));
      if (active.length === 0) t = Math.max(t, ended.at) + random.exponential(gap);
    }
  }

  #chooseProjects(): Project[] {
    const { projects, projectsADay } = this.#person;
    const today = new Set<Project>();
    for (let i = 1 + this.#random.poisson(projectsADay); i > 0; i--)
      today.add(projects[this.#random.zipf(projects.length)]!);
    return [...today];
  }

  #begin(today: readonly Project[]): Conversation {
    const random = this.#random;
    const { parameters } = this.#world;
    const before =
      this.#kept.length > 0 && random.chance(parameters.resumedShare) ? random.pick(this.#kept) : undefined;
    if (before) {
      before.left = this.#length();
      before.origin = this.#sameOrNear(before.origin);
      return before;
    }
    const origin = this.#origins[random.zipf(this.#origins.length)]!;
    const project = this.#projectOf(origin, today);
    const conversation = this.#conversation(origin, project);
    if (this.#kept.length < 6) this.#kept.push(conversation);
    else this.#kept[random.below(6)] = conversation;
    return conversation;
  }

  /** A conversation that lives in the editor's account goes on at another device; those of other tools stay where they are. */
  #sameOrNear(origin: Origin): Origin {
    if (origin.seat.tool.name !== 'perigee') return origin;
    return this.#random.pick(this.#origins.filter(({ seat }) => seat.tool === origin.seat.tool));
  }

  #projectOf(origin: Origin, today: readonly Project[]): Project | null {
    const { parameters } = this.#world;
    if (origin.seat.project) return origin.seat.project;
    const kind = this.#random.uniform();
    const none = origin.seat.tool.kind === 'chat' ? 2 * parameters.noProjectShare : 0.5 * parameters.noProjectShare;
    if (kind < none) return null;
    if (kind < none + parameters.scratchShare) return someProject(this.#world, undefined, 8 + this.#random.below(12));
    return this.#random.pick(this.#random.chance(0.92) ? today : this.#person.projects);
  }

  #length(): number {
    const { parameters } = this.#world;
    if (this.#random.chance(parameters.singleShare)) return 1;
    return Math.min(parameters.mostPrompts, 1 + Math.round(this.#random.logNormal(parameters.promptsAConversation)));
  }

  #conversation(origin: Origin, project: Project | null): Conversation {
    const [person, random] = [this.#person, this.#random];
    const size = project ? Math.min(40, Math.ceil(random.logNormal(this.#world.parameters.workingSet))) : 0;
    const working = new Uint32Array(size);
    for (let i = 0; i < size; i++) working[i] = project!.files[random.zipf(project!.files.length)]!;
    const english = random.chance(person.englishShare);
    const language = project?.language ?? (english ? 'english' : person.language);
    const shown = origin.seat.tool.kind === 'chat' && size > 0 ? [working[0]!] : NONE;
    return {
      ...{
        root: random.hash(),
        origin,
        project,
        language,
        working,
        shown,
        paths: NONE,
        toolTurn: null,
        hasBegun: false,
      },
      ...{ left: this.#length(), readyAt: 0 },
    };
  }

  /** One prompt, all that the tool does for it, and the prompts that were queued behind it. */
  #prompt(conversation: Conversation, at: number, budget: number): { at: number; prompts: number } {
    const random = this.#random;
    let end = this.#turn(conversation, at);
    let prompts = 1;
    conversation.left--;
    while (conversation.left > 0 && prompts < budget && random.chance(this.#world.parameters.queuedShare)) {
      end = this.#turn(conversation, end + 300);
      prompts++;
      conversation.left--;
    }
    return { at: end, prompts };
  }

  /** Sends the prompt and the tool results after it. Returns when the last answer is there. */
  #turn(conversation: Conversation, at: number): number {
    const random = this.#random;
    const { parameters } = this.#world;
    const { tool } = conversation.origin.seat;
    const template = this.#template();
    if (!conversation.hasBegun && tool.asksTitle)
      this.#send(conversation.origin, at + random.between(20, 900), { ...TITLE, root: random.hash() });
    this.#human(conversation, at, template);
    let t = at + this.#step();
    if (tool.kind === 'chat' || random.chance(parameters.noToolShare)) return t;
    const steps = Math.min(parameters.mostSteps, Math.ceil(random.logNormal(parameters.toolSteps)));
    const agentsAt = tool.subAgents && random.chance(parameters.subAgentShare) ? random.below(steps) : -1;
    for (let i = 0; i < steps; i++) {
      if (i === agentsAt) t = this.#subAgents(conversation, t);
      this.#toolResult(conversation, t);
      t += this.#step();
    }
    return t;
  }

  /** Agents that an agent starts at once. Their first prompts look like a person's. Returns when all are done. */
  #subAgents(conversation: Conversation, at: number): number {
    const { parameters } = this.#world;
    let last = at;
    for (let i = 1 + this.#random.poisson(parameters.subAgents - 1); i > 0; i--) {
      const agent = this.#conversation(conversation.origin, conversation.project);
      agent.language = 'english';
      const t = at + this.#random.between(50, 1500);
      this.#human(agent, t, this.#random.hash());
      const steps = Math.min(60, Math.ceil(this.#random.logNormal({ median: 8, sigma: 0.8 })));
      last = Math.max(last, this.#toolResults(agent, t, steps));
    }
    return last + 500;
  }

  #step(): number {
    return 1000 * Math.max(0.8, this.#random.logNormal(this.#world.parameters.stepSeconds));
  }

  #template(): Hash {
    const kind = this.#random.uniform();
    const { parameters } = this.#world;
    if (kind < parameters.shortShare) return 0;
    if (kind < parameters.shortShare + parameters.templateShare)
      return nearly(this.#random.pick(this.#person.templates), 2, this.#random);
    return this.#random.hash();
  }

  #human(conversation: Conversation, at: number, template: Hash): void {
    const isUnsaid = template === 0 || this.#random.chance(this.#world.parameters.codeShare);
    const { root, shown: paths, hasBegun } = conversation;
    conversation.paths = NONE;
    conversation.toolTurn = null;
    const language = isUnsaid ? null : conversation.language;
    this.#send(conversation.origin, at, { kind: 'human', root, isFirst: !hasBegun, template, language, paths });
    conversation.hasBegun = true;
  }

  /** So many tool results, the first one a step after `at`. Returns when the last one is sent. */
  #toolResults(conversation: Conversation, at: number, count: number): number {
    let t = at;
    for (let i = 0; i < count; i++) {
      t += this.#step();
      this.#toolResult(conversation, t);
    }
    return t;
  }

  #toolResult(conversation: Conversation, at: number): void {
    const { working, root } = conversation;
    const isNew = working.length > 0 && this.#random.chance(this.#world.parameters.pathShare);
    if (isNew) {
      const path = working[this.#random.below(working.length)]!;
      if (!conversation.paths.includes(path)) {
        conversation.paths = [path, ...conversation.paths.slice(0, PATHS - 1)];
        conversation.toolTurn = null;
      }
    }
    conversation.toolTurn ??= {
      ...{ kind: 'tool', root, isFirst: false, template: 0, language: null, paths: conversation.paths },
    };
    this.#send(conversation.origin, at, conversation.toolTurn);
  }

  #send(from: Origin, at: number, turn: TurnSeen): void {
    const takes = 0.8 * this.#step();
    this.#sent.push({ at: Math.round(at), takes, turn, from, address: this.#address, country: this.#person.country });
  }
}
