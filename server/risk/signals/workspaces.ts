import type { Hash, Language } from './observation.ts';
import { LANGUAGES } from './observation.ts';
import { countDays, type Days, dayOf, joinDays, markDay } from './time.ts';

// Signals 1, 4, 5 and 15: which projects an account works on, with which clients and in which languages. A project is
// known by the files that are touched most often in it. RISK proposes a MinHash of all files; a request shows a few of
// them only, and two requests of a large project seldom show the same small ones. Files that are used often recur.

/** Projects of one account: more than anybody keeps in work; the one used longest ago makes room. */
export const MOST_WORKSPACES = 64;
/** Files that a project is known by. */
const MOST_FILES = 32;
/** Clients of one project. */
const MOST_CLIENTS = 4;
/** Conversations that are remembered. */
export const MOST_ROOTS = 96;
/** Files that a conversation collects until it is clear where it belongs. */
const FILES_TO_FOUND = 3;
/** Two projects that share so many of their files are one. A name such as `src/app.ts` occurs in many projects. */
const SHARED_TO_JOIN = 3;

export interface Workspace {
  /** Files and how often each was touched, at most 255. */
  files: { file: Hash; count: number }[];
  firstS: number;
  lastS: number;
  days: Days;
  /** A person's turns, decayed. */
  turns: number;
  /** Clients, and how many turns of a person each sent, at most 255. */
  clients: { client: Hash; count: number }[];
  /** A person's turns by language, decayed. */
  languages: number[];
}

/** A conversation. */
export interface Root {
  root: Hash;
  workspace: Workspace | null;
  /** Files seen before it belonged to a project. */
  files: Hash[];
  lastS: number;
  /** A person's turns after the first message, at most 255. Sub-agents have none. */
  followUps: number;
}

export const emptyWorkspace = (atS: number): Workspace => ({
  files: [],
  firstS: atS,
  lastS: atS,
  days: { day: dayOf(atS), bits: 1 },
  turns: 0,
  clients: [],
  languages: LANGUAGES.map(() => 0),
});

/** A person has worked on it, not only touched it. */
export const isWorkedOn = (workspace: Workspace) => workspace.turns >= 4;

/** Of a person who comes back to it: on 3 days or with 20 turns (RISK, signal 1). */
export const isPersistent = (workspace: Workspace) => countDays(workspace.days) >= 3 || workspace.turns >= 20;

export class Workspaces {
  list: Workspace[] = [];
  roots: Root[] = [];

  /** The conversation of a request, and its project as far as it is known. */
  see(root: Hash, files: readonly Hash[], atS: number): Root {
    const one = this.#rootOf(root, atS);
    one.lastS = Math.max(one.lastS, atS);
    if (files.length > 0) this.#place(one, files, atS);
    const { workspace } = one;
    if (workspace) {
      workspace.lastS = Math.max(workspace.lastS, atS);
      markDay(workspace.days, atS);
      for (const file of files) count(workspace.files, 'file', file, MOST_FILES);
    }
    return one;
  }

  /** A person's turn in a project. */
  turn({ workspace }: Root, client: Hash, language: Language | null): void {
    if (!workspace) return;
    workspace.turns++;
    count(workspace.clients, 'client', client, MOST_CLIENTS);
    if (language) workspace.languages[LANGUAGES.indexOf(language)]! += 1;
  }

  decay(left: number): void {
    for (const workspace of this.list) {
      workspace.turns *= left;
      workspace.languages = workspace.languages.map((turns) => turns * left);
    }
  }

  find(root: Hash): Root | undefined {
    return this.roots.find((one) => one.root === root);
  }

  #rootOf(root: Hash, atS: number): Root {
    const known = this.find(root);
    if (known) return known;
    if (this.roots.length >= MOST_ROOTS)
      this.roots.splice(
        indexOfLeast(this.roots, ({ lastS }) => lastS),
        1,
      );
    const made: Root = { root, workspace: null, files: [], lastS: atS, followUps: 0 };
    this.roots.push(made);
    return made;
  }

  #place(root: Root, files: readonly Hash[], atS: number): void {
    if (root.workspace) {
      // What is touched in one conversation may show that two projects are one.
      const own = root.workspace;
      // With one project there is no other.
      const strange = this.list.length > 1 ? files.filter((file) => !own.files.some((one) => one.file === file)) : [];
      const other = strange.length > 0 ? this.#best(strange, own) : null;
      if (other && shared(other, own) >= SHARED_TO_JOIN) this.#join(own, other);
      return;
    }
    for (const file of files)
      if (root.files.length < FILES_TO_FOUND && !root.files.includes(file)) root.files.push(file);
    const found = this.#best(root.files, null);
    if (found) root.workspace = found;
    else if (root.files.length >= FILES_TO_FOUND) {
      root.workspace = emptyWorkspace(atS);
      this.#add(root.workspace);
    } else return;
    for (const file of root.files) count(root.workspace.files, 'file', file, MOST_FILES);
    root.files = [];
  }

  /** The project that two of the files belong to, or to which alone the only file belongs. */
  #best(files: readonly Hash[], except: Workspace | null): Workspace | null {
    let best: Workspace | null = null;
    let most = 0;
    let second = 0;
    const wanted = new Set(files);
    for (const workspace of this.list) {
      if (workspace === except) continue;
      let hits = 0;
      const known = workspace.files;
      for (let i = 0; i < known.length; i++) if (wanted.has(known[i]!.file)) hits++;
      if (hits > most) [best, second, most] = [workspace, most, hits];
      else if (hits > second) second = hits;
    }
    const isSure = most >= 2 || (most === 1 && second === 0 && files.length === 1);
    return isSure ? best : null;
  }

  #add(workspace: Workspace): void {
    if (this.list.length >= MOST_WORKSPACES) {
      const worth = (one: Workspace) => (isPersistent(one) ? 1e10 : 0) + one.lastS;
      const [gone] = this.list.splice(indexOfLeast(this.list, worth), 1);
      for (const root of this.roots) if (root.workspace === gone) root.workspace = null;
    }
    this.list.push(workspace);
  }

  #join(into: Workspace, other: Workspace): void {
    for (const { file, count: times } of other.files) count(into.files, 'file', file, MOST_FILES, times);
    for (const { client, count: times } of other.clients) count(into.clients, 'client', client, MOST_CLIENTS, times);
    into.firstS = Math.min(into.firstS, other.firstS);
    into.lastS = Math.max(into.lastS, other.lastS);
    into.days = joinDays(into.days, other.days);
    into.turns += other.turns;
    into.languages = into.languages.map((turns, i) => turns + other.languages[i]!);
    for (const root of this.roots) if (root.workspace === other) root.workspace = into;
    this.list.splice(this.list.indexOf(other), 1);
  }
}

function shared(a: Workspace, b: Workspace): number {
  let both = 0;
  for (const { file } of a.files) if (b.files.some((other) => other.file === file)) both++;
  return both;
}

/** Counts one of the most frequent values. A new one takes the place of the rarest. */
function count<K extends 'file' | 'client'>(
  list: ({ count: number } & Record<K, Hash>)[],
  name: K,
  value: Hash,
  most: number,
  times = 1,
): void {
  const known = list.find((one) => one[name] === value);
  if (known) known.count = Math.min(255, known.count + times);
  else {
    if (list.length >= most)
      list.splice(
        indexOfLeast(list, (one) => one.count),
        1,
      );
    list.push({ [name]: value, count: Math.min(255, times) } as { count: number } & Record<K, Hash>);
  }
}

export function indexOfLeast<T>(list: readonly T[], worth: (one: T) => number): number {
  let least = 0;
  for (let i = 1; i < list.length; i++) if (worth(list[i]!) < worth(list[least]!)) least = i;
  return least;
}
