import type { Change, Edit, FilePlan, PlacedHunk, Refusal, StandingEdit } from '../edits.ts';
import { tidyPath } from '../paths.ts';
import { type Placed, placeChange, type Slot, type Standing } from '../placing/place.ts';
import { elided, lookedForBy, malformed, refusal } from '../placing/refusals.ts';
import { applyHunks, newFileText } from '../text/fileText.ts';
import { IndexedFile } from '../text/indexedFile.ts';
import { isListing, MARKS } from '../text/lineMarks.ts';
import { findElision } from '../text/loose.ts';
import { isAnswered, isRecognisable, repeats } from './repair.ts';
import { planWhole, QUOTES, readingOf } from './wholeFile.ts';
import { Written } from './written.ts';

interface Judged {
  plan: FilePlan;
  /** The refusals, by the edit that caused each. */
  refused: Map<Slot, Refusal>;
}

/** The first answer's result, while and after a repair. */
interface FirstRound extends Judged {
  all: Slot[];
  fitted: Slot[];
  written: Written;
}

/** The plan of one file while its edits stream in. Each change is placed on arrival, always against the same text. */
export class FilePlanner {
  private file: IndexedFile | undefined;
  private text: string | undefined;
  private isProvided = false;
  private slots: Slot[] = [];
  private written = new Written();
  private first: FirstRound | undefined;
  private made: Judged | undefined;

  /** `path` is undefined for edits that name no file: all are refused. `isOld`: see `planEdits`. */
  constructor(
    readonly path: string | undefined,
    private readonly isOld = false,
  ) {
    this.isProvided = path === undefined;
  }

  /** Whether the file's text, or its absence, is known. */
  get isReady(): boolean {
    return this.isProvided;
  }

  get edits(): Edit[] {
    return [...(this.first?.fitted ?? []), ...this.slots].map(({ edit }) => edit);
  }

  /** The edits of the present round. */
  get fresh(): Edit[] {
    return this.slots.map(({ edit }) => edit);
  }

  /** Sets the file's text; undefined if there is no such file. A second call places everything again. */
  provide(text: string | undefined): void {
    if (this.isProvided && text === this.text) return;
    this.isProvided = true;
    this.text = text;
    this.file = undefined;
    this.made = undefined;
    for (const written of [this.written, this.first?.written]) written?.forget();
    for (const slot of [...(this.first?.all ?? []), ...this.slots]) this.place(slot);
  }

  add(edit: Edit): void {
    const slot: Slot = { edit };
    this.slots.push(slot);
    this.made = undefined;
    if (this.isProvided) this.place(slot);
  }

  private place(slot: Slot): void {
    slot.version = undefined;
    if (slot.edit.kind !== 'change' || this.text === undefined) slot.placement = undefined;
    else {
      this.file ??= new IndexedFile(this.text);
      slot.placement = placeChange(this.file, slot.edit, this.isOld);
    }
  }

  /** From here on edits are repairs: the refused edits are dropped, the others stay. */
  beginRepair(): void {
    const judged = this.judged();
    const fitted = this.slots.filter((slot) => !judged.refused.has(slot));
    // The repair is a separate answer, which may write the file's text differently.
    this.first = { ...judged, all: this.slots, fitted, written: this.written };
    this.written = new Written();
    this.slots = [];
    this.made = undefined;
  }

  /** Whether this file was named by mistake: its refused edits came again for another file. */
  isAnsweredBy(others: readonly Edit[]): boolean {
    if (!this.first || this.slots.length > 0 || this.first.plan.kind !== 'refused') return false;
    return [...this.first.refused].every(
      ([{ edit }, { reason }]) =>
        (reason === 'fileMissing' || reason === 'noPath') && others.some((other) => isRecognisable(edit, other)),
    );
  }

  /** The file's plan from all edits so far. The file must be ready. */
  plan(): FilePlan {
    return this.judged().plan;
  }

  private judged(): Judged {
    this.made ??= this.first ? this.judgeRepair(this.first) : this.judgeFirst();
    return this.made;
  }

  private rewrite(written: Written, slots: readonly Slot[]): void {
    if (this.file) written.rewrite(this.file, slots);
  }

  private judgeFirst(): Judged {
    this.rewrite(this.written, this.slots);
    return this.judge(this.slots);
  }

  private judgeRepair(first: FirstRound): Judged {
    this.rewrite(first.written, first.all);
    const fresh = this.slots.filter((slot) => !first.fitted.some((other) => repeats(slot, other)));
    if (fresh.length === 0) return first;
    this.rewrite(this.written, fresh);
    const isAnew = fresh.some(({ edit }) => isAlone(edit));
    const fitted = isAnew ? [] : first.fitted.filter((slot) => !fresh.some((other) => repeats(slot, other)));
    const judged = this.judge([...fitted, ...fresh]);
    // A file without refusals must not fail because of an edit that the repair adds.
    if (first.plan.kind !== 'refused') return judged.plan.kind === 'refused' ? first : judged;
    const dropped = [...first.refused.keys()].map(({ edit }) => edit);
    const answers = fresh.map(({ edit }) => edit);
    const open = [...first.refused].filter(([{ edit }]) => !isAnew && !isAnswered(edit, dropped, answers));
    if (open.length === 0) return judged;
    const refused = new Map([...open, ...judged.refused]);
    return { plan: this.refusedPlan([...refused.values()], [...fitted, ...fresh]), refused };
  }

  private judge(slots: readonly Slot[]): Judged {
    const { path, text } = this;
    const [first] = slots;
    const all = (told: (edit: Edit) => Refusal) => new Map(slots.map((slot) => [slot, told(slot.edit)]));
    const refuse = (refused: Map<Slot, Refusal>): Judged => {
      const placed = slots.filter((slot) => !refused.has(slot));
      return { refused, plan: this.refusedPlan([...refused.values()], placed) };
    };
    const fine = (plan: FilePlan): Judged => ({ plan, refused: new Map() });
    const either = (slot: Slot, plan: FilePlan | Refusal): Judged =>
      'reason' in plan ? refuse(new Map([[slot, plan]])) : fine(plan);

    if (path === undefined || !first) {
      const noPath = (edit: Edit) => refusal(edit, 'noPath', tellNoPath(edit));
      return refuse(all((edit) => (edit.kind === 'malformed' ? malformed(edit) : noPath(edit))));
    }
    const alone = slots.find(({ edit }) => isAlone(edit));
    if (alone && slots.length > 1 && !slots.some(({ edit }) => edit.kind === 'malformed')) {
      const message = 'The answer writes or deletes the whole file and edits it as well.';
      return refuse(all((edit) => refusal(edit, 'overlap', message)));
    }
    const { edit } = first;
    if (slots.length === 1) {
      if (edit.kind === 'create' && text !== undefined) {
        const isSame = newFileText(edit.lines) === text;
        if (isSame) return either(first, refusal(edit, 'noChange', SO_ALREADY));
        return either(first, refusal(edit, 'fileExists', 'It adds a file that exists already.'));
      }
      if (edit.kind === 'create' || (edit.kind === 'whole' && text === undefined)) {
        const lines = edit.kind === 'whole' ? readingOf(edit) : edit.lines;
        return either(first, lines ? planCreate(path, edit, lines) : refusal(edit, 'malformed', QUOTES));
      }
      if (text === undefined && edit.kind === 'change' && isNewFile(edit)) {
        return either(
          first,
          planCreate(
            path,
            edit,
            edit.lines.map((line) => line.text),
          ),
        );
      }
      if (text !== undefined && edit.kind === 'delete') return fine({ kind: 'delete', path, before: text });
      if (text !== undefined && edit.kind === 'whole') {
        this.file ??= new IndexedFile(text);
        return either(first, planWhole(path, text, this.file, edit));
      }
    }
    return this.judgeChanges(path, slots, refuse);
  }

  private judgeChanges(path: string, slots: readonly Slot[], refuse: (refused: Map<Slot, Refusal>) => Judged): Judged {
    const { text } = this;
    const refused = new Map<Slot, Refusal>();
    for (const slot of slots) {
      const { edit, placement } = slot;
      if (edit.kind === 'malformed') refused.set(slot, malformed(edit));
      else if (text === undefined) refused.set(slot, refusal(edit, 'fileMissing', 'There is no such file.'));
      else if (placement?.kind === 'refused') refused.set(slot, placement.refusal);
    }
    const placed = slots.filter(isPlaced);
    const standing = slots.filter(isStanding);
    for (const [slot, refusal] of overlaps([...placed, ...standing])) refused.set(slot, refusal);
    // What was made already is left out, as long as there is something else to do.
    if (refused.size === 0 && standing.length === slots.length) {
      for (const slot of slots) refused.set(slot, refusal(slot.edit, 'noChange', SO_ALREADY));
    }
    const moves = slots.filter(({ edit }) => edit.kind === 'move');
    const [move, second] = moves;
    if (second) refused.set(second, refusal(second.edit, 'overlap', 'The answer moves the file twice.'));
    if (refused.size > 0 || text === undefined) return refuse(refused);

    const hunks = hunksOf(placed);
    this.file ??= new IndexedFile(text);
    const after = applyHunks(this.file.text, hunks);
    const to = move?.edit.kind === 'move' ? tidyPath(move.edit.to) : path;
    const left = standing.length > 0 ? { standing: standing.map(toLeft) } : {};
    const plan: FilePlan =
      to === path
        ? { kind: 'update', path, before: text, after, hunks, ...left }
        : { kind: 'move', path, to, before: text, after, hunks, ...left };
    return { plan, refused };
  }

  private refusedPlan(refusals: Refusal[], fitting: readonly Slot[]): FilePlan {
    const overlapping = overlaps(fitting.filter(isPlaced));
    const placed = hunksOf(fitting.filter(isPlaced).filter((slot) => !overlapping.has(slot)));
    return { kind: 'refused', path: this.path, before: this.text, refusals, placed };
  }
}

const SO_ALREADY = 'The file reads so already.';

type PlacedSlot = Slot & { edit: Change; placement: Placed };

type StandingSlot = Slot & { edit: Change; placement: Standing };

const isPlaced = (slot: Slot): slot is PlacedSlot => slot.placement?.kind === 'placed';

const toLeft = ({ edit: { answerLine, block }, placement: { firstNew, isSure } }: StandingSlot): StandingEdit => ({
  answerLine,
  ...(block !== undefined && { block }),
  line: firstNew + 1,
  isSure,
});

const isStanding = (slot: Slot): slot is StandingSlot => slot.placement?.kind === 'standing';

/** Edits that replace or remove the whole file, so that no other edit can join them. */
const isAlone = ({ kind }: Edit) => kind === 'create' || kind === 'delete' || kind === 'whole';

/** Whether the file must not exist yet. */
export const isCreation = (edit: Edit) => edit.kind === 'create' || (edit.kind === 'change' && isNewFile(edit));

/** A block with an empty search part: the whole text of a new file. */
const isNewFile = ({ format, lines }: Change) => format === 'searchReplace' && lines.every(({ op }) => op === 'new');

/** All hunks in the file's order. */
function hunksOf(slots: readonly PlacedSlot[]): PlacedHunk[] {
  const hunks = slots.flatMap(({ edit: { block }, placement }) =>
    block === undefined ? placement.hunks : placement.hunks.map((hunk) => ({ ...hunk, blocks: [block] })),
  );
  return hunks.sort((a, b) => a.startLine - b.startLine || a.oldLines.length - b.oldLines.length);
}

/** The changes that touch lines of another change. */
function overlaps(slots: readonly (PlacedSlot | StandingSlot)[]): Map<Slot, Refusal> {
  const found = new Map<Slot, Refusal>();
  const ordered = slots.toSorted(({ placement: a }, { placement: b }) => a.start - b.start || a.length - b.length);
  // Only the earlier change that reaches furthest down can overlap the next one.
  let above: PlacedSlot | StandingSlot | undefined;
  for (const slot of ordered) {
    const { edit, placement } = slot;
    if (above && isOverlap(above.placement, placement)) {
      const message = `It changes lines that another block of the same answer (line ${above.edit.answerLine}) names too.`;
      found.set(slot, {
        reason: 'overlap',
        message,
        lookedFor: lookedForBy(edit),
        candidates: [above.placement.start + 1, placement.start + 1],
        answerLine: edit.answerLine,
      });
    }
    const end = placement.start + placement.length;
    if (!above || end >= above.placement.start + above.placement.length) above = slot;
  }
  return found;
}

/** Whether one changes lines that the other names. Both may name lines that neither changes. */
function isOverlap(a: Placed | Standing, b: Placed | Standing): boolean {
  const touches = (hunk: PlacedHunk, { start, length }: Placed | Standing) => {
    const end = start + length;
    const hunkEnd = hunk.startLine + hunk.oldLines.length;
    if (hunk.oldLines.length > 0) return hunk.startLine < end && hunkEnd > start;
    return hunk.startLine > start && hunk.startLine < end;
  };
  // Two insertions into one gap: their order is unknown.
  const sameGap = a.hunks.some((x) =>
    b.hunks.some((y) => x.startLine === y.startLine && x.oldLines.length === 0 && y.oldLines.length === 0),
  );
  return sameGap || a.hunks.some((hunk) => touches(hunk, b)) || b.hunks.some((hunk) => touches(hunk, a));
}

function planCreate(path: string, edit: Edit, lines: readonly string[]): FilePlan | Refusal {
  if (isListing(path, lines)) return refusal(edit, 'uncertain', MARKS.numbered);
  const elision = findElision(lines);
  if (elision !== undefined) return elided(edit, elision);
  const hunk: PlacedHunk = { startLine: 0, oldLines: [], newLines: [...lines], how: 'given' };
  return { kind: 'create', path, after: newFileText(lines), hunks: [hunk] };
}

const tellNoPath = ({ unreadable }: Edit) =>
  unreadable === undefined
    ? 'The answer does not name the file.'
    : `Perigee can’t tell which file the answer means by “${unreadable}”.`;
