import { type Clients, connect, countGroups, type Link } from './clients.ts';
import type { Hash } from './observation.ts';
import { DAY_S, HOUR_S, MINUTE_S } from './time.ts';
import { indexOfLeast, type Root, type Workspace, type Workspaces } from './workspaces.ts';

// Signals 2 and 6: turns of people that lie over each other. One person who steers many agents writes one message after
// the other, and needs time to read, to change the window and to type. Two people know nothing of each other, so now and
// then one writes seconds after the other.

/** A person who goes to another project and writes there needs longer. */
export const NEAR_S = 4;
/** Where one author's turns in other work come as often as those of several. */
export const MIDDLE_S = { from: 20, to: 79 } as const;
/** Turns wait so long before they are judged: until then a new conversation has shown its project. */
const SETTLE_S = 15 * MINUTE_S;
/** Turns that are kept: of one hour of the fastest author, and more. */
export const MOST_TURNS = 128;
/**
 * A first message counts only after such a silence of its client. Others may be those of sub-agents, or of side calls
 * of a tool, which come seconds after another request.
 */
export const SILENT_S = 2 * MINUTE_S;

/** Upper ends of the classes of how many projects half an hour had. */
export const SPREADS = [1, 2, 3, 4, 6, 8, 11, 15, Number.POSITIVE_INFINITY];

/** The same, of how many groups of clients that share nothing wrote in half an hour. */
export const CROWDS = [1, 2, 3, 4, 5, 6, 8, Number.POSITIVE_INFINITY];

export interface Turn {
  atS: number;
  root: Hash;
  client: Hash;
  isFirst: boolean;
  isJudged: boolean;
}

/** Of the turns that were judged, all counters decayed. */
export interface Superposition {
  /** Turns that followed one in other work or in the same. */
  pairs: number;
  /** Of them those in other work. */
  crossings: number;
  /** Of them those within `NEAR_S`, and those within `MIDDLE_S`. */
  near: number;
  middle: number;
  /** Turns by how many projects there were in the half hour before them, in classes of `SPREADS`. */
  spreads: number[];
  /** The same by groups of clients, in classes of `CROWDS`. */
  crowds: number[];
}

export const noSuperposition = (): Superposition => ({
  ...{ pairs: 0, crossings: 0, near: 0, middle: 0 },
  spreads: SPREADS.map(() => 0),
  crowds: CROWDS.map(() => 0),
});

export class Turns {
  /** By time. */
  recent: Turn[] = [];
  seen = noSuperposition();

  add(turn: Omit<Turn, 'isJudged'>): void {
    let at = this.recent.length;
    while (at > 0 && this.recent[at - 1]!.atS > turn.atS) at--;
    this.recent.splice(at, 0, { ...turn, isJudged: false });
    if (this.recent.length > MOST_TURNS) this.recent.shift();
  }

  /** Judges what has waited long enough. Returns when two people's turns lay near each other, if any did. */
  judge({ workspaces, clients }: { workspaces: Workspaces; clients: Clients }, nowS: number): number | null {
    const { recent, seen } = this;
    let nearS: number | null = null;
    for (let i = 0; i < recent.length; i++) {
      const turn = recent[i]!;
      if (turn.atS > nowS - SETTLE_S) break;
      if (turn.isJudged) continue;
      turn.isJudged = true;
      const work = workOf(workspaces.find(turn.root));
      if (work === null) continue;
      const before = recent.slice(0, i).filter(({ atS }) => atS > turn.atS - HOUR_S);
      const works = new Set([work]);
      const links = [linkOf(turn, work)];
      for (const other of before) {
        const itsWork = other.atS > turn.atS - HOUR_S / 2 ? workOf(workspaces.find(other.root)) : null;
        if (itsWork === null) continue;
        works.add(itsWork);
        links.push(linkOf(other, itsWork));
      }
      const groups = countGroups(connect(links), clients);
      seen.crowds[CROWDS.findIndex((end) => groups <= end)]! += 1;
      seen.spreads[SPREADS.findIndex((end) => works.size <= end)]! += 1;
      const last = before.at(-1);
      const lastWork = last ? workOf(workspaces.find(last.root)) : null;
      // What starts several conversations at once is a program.
      if (!last || lastWork === null || (last.isFirst && turn.isFirst)) continue;
      seen.pairs++;
      if (lastWork === work) continue;
      seen.crossings++;
      const lagS = turn.atS - last.atS;
      if (lagS >= MIDDLE_S.from && lagS <= MIDDLE_S.to) seen.middle++;
      if (lagS > NEAR_S) continue;
      seen.near++;
      nearS = turn.atS;
    }
    while (recent[0]?.isJudged && recent[0].atS < nowS - HOUR_S - SETTLE_S) recent.shift();
    return nearS;
  }

  decay(left: number): void {
    const { seen } = this;
    for (const name of ['pairs', 'crossings', 'near', 'middle'] as const) seen[name] *= left;
    for (const classes of [seen.spreads, seen.crowds]) for (let i = 0; i < classes.length; i++) classes[i]! *= left;
  }
}

/** What a conversation works on: its project, or itself if it shows none. Null: not known well enough. */
function workOf(root: Root | undefined): Root | Workspace | null {
  if (!root) return null;
  return root.workspace ?? (root.followUps >= 2 ? root : null);
}

/** What a turn connects: its client and its work, and all clients of a project. */
function linkOf({ client }: Turn, work: Root | Workspace): Link<Root | Workspace> {
  return { clients: 'clients' in work ? [client, ...work.clients.map((one) => one.client)] : [client], work };
}

/**
 * How alike two texts may be to count as one template: bits of their SimHash of 32 that differ. Each may differ in 3
 * from what the template is; 3 texts in 10,000 that have nothing in common are as near by chance.
 */
const TEMPLATE_BITS = 6;
/** So many texts that are alike are a template, which a program fills in. */
const TEMPLATE_TURNS = 3;
export const MOST_TEMPLATES = 40;
/** A text that came again stays so much longer than one that came once: a job may run once a week. */
const TEMPLATE_STAYS_S = 8 * DAY_S;

export interface Template {
  template: Hash;
  count: number;
  lastS: number;
}

/** Whether a text is the third of its kind; it is counted. Templates are what scripts and scheduled jobs send. */
export function isTemplated(known: Template[], template: Hash, atS: number): boolean {
  if (template === 0) return false;
  const alike = known.find((one) => bitsOf(one.template ^ template) <= TEMPLATE_BITS);
  if (alike) {
    alike.count = Math.min(255, alike.count + 1);
    alike.lastS = Math.max(alike.lastS, atS);
    return alike.count >= TEMPLATE_TURNS;
  }
  // A text that came once makes room before one that came again.
  if (known.length >= MOST_TEMPLATES)
    known.splice(
      indexOfLeast(known, ({ count, lastS }) => lastS + (count > 1 ? TEMPLATE_STAYS_S : 0)),
      1,
    );
  known.push({ template, count: 1, lastS: atS });
  return false;
}

function bitsOf(hash: number): number {
  let count = 0;
  for (let bits = hash >>> 0; bits !== 0; bits &= bits - 1) count++;
  return count;
}
