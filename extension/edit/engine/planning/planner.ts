import type { Edit, FilePlan } from '../edits.ts';
import { type KnownPaths, tidyPath } from '../paths.ts';
import { refusal } from '../placing/refusals.ts';
import { AnswerReader, type Pending } from '../reading/answerReader.ts';
import { FilePlanner, isCreation } from './filePlanner.ts';

/**
 * Plans while a model's answer streams in: each complete edit is placed once, when it is read and its file is known.
 * Must not be used after `end`, except for the one round of repair.
 */
export class AnswerPlanner {
  private reader: AnswerReader;
  private readonly edits = new EditsPlanner();
  private isRepairing = false;

  /** `defaultPath`: the file of blocks that name none. `known`: the paths that the answer may name. */
  constructor(private readonly options: { defaultPath?: string; known?: KnownPaths } = {}) {
    this.reader = new AnswerReader(options.defaultPath, options.known);
  }

  /**
   * Sets a file's text; undefined if there is no such file. A second call means that the text has changed: everything
   * is placed again.
   */
  provide(path: string, text: string | undefined): void {
    this.edits.provide(path, text);
  }

  /** Says that `path` is another name of `own`, with this text: edits of both go to one file. */
  provideAs(path: string, own: string, text: string): void {
    this.edits.provideAs(path, own, text);
  }

  /** Whether the edits so far require that `path` doesn't exist; undefined if there are none. */
  isNew(path: string): boolean | undefined {
    return this.edits.isNew(path);
  }

  /** The files named so far, also in the unfinished edit, whose text is not provided yet. */
  get needs(): string[] {
    const path = this.reader.pending?.path;
    return this.edits.needs(path === undefined ? [] : [tidyPath(path)]);
  }

  /** Takes more of the answer, cut anywhere. True if this changed `plans()`. */
  feed(text: string): boolean {
    return this.edits.add(this.reader.feed(text));
  }

  /** Ends the answer; an unfinished edit is refused. True if this changed `plans()`. */
  end(): boolean {
    return this.edits.add(this.reader.end());
  }

  /** The edit that is being written and isn't complete yet. */
  get pending(): Pending | undefined {
    return this.reader.pending;
  }

  /**
   * The plans for the complete edits so far, of the provided files, in the answer's order. At the end, with all files
   * provided, the same as `planEdits`.
   */
  plans(): FilePlan[] {
    return this.edits.plans();
  }

  /**
   * Begins the one round of repair: from now on `feed` takes the answer to a repair request. The refused edits are
   * dropped, and new ones are placed with those that fitted, against the same texts. A file stays refused until every
   * refused edit has its answer; a file that wasn't refused never gets worse.
   */
  repair(): void {
    if (this.isRepairing) throw new Error('an answer is repaired once');
    this.isRepairing = true;
    const refused = this.plans().flatMap((plan) => (plan.kind === 'refused' && plan.path ? [plan.path] : []));
    const only = refused.length === 1 ? refused[0] : undefined;
    this.reader = new AnswerReader(this.options.defaultPath ?? only, this.options.known);
    this.edits.beginRepair();
  }
}

/** Plans many files while their edits stream in. */
export class EditsPlanner {
  private files = new Map<string | undefined, FilePlanner>();
  private readonly ownNames = new Map<string, string>();
  /** The texts provided so far, undefined for files that don't exist. */
  private readonly texts = new Map<string, string | undefined>();

  /** `isOld`: see `planEdits`. */
  constructor(private readonly isOld = false) {}

  /** Adds edits; returns whether this changed any file's plan. */
  add(edits: readonly Edit[]): boolean {
    let isChanged = false;
    for (const edit of edits) {
      const file = this.file(edit.path === undefined ? undefined : tidyPath(edit.path));
      file.add(edit);
      isChanged ||= file.isReady;
    }
    return isChanged;
  }

  provide(path: string, text: string | undefined): void {
    const tidy = tidyPath(path);
    this.texts.set(tidy, text);
    this.files.get(tidy)?.provide(text);
  }

  provideAs(path: string, own: string, text: string): void {
    const [from, to] = [tidyPath(path), tidyPath(own)];
    this.texts.set(from, text);
    if (from !== to) {
      this.ownNames.set(from, to);
      const named = this.files.get(from);
      // Keep the first name's position, so that the answer's order stays.
      const isKnown = this.files.has(to);
      const files = [...this.files].flatMap(([key, file]): [string | undefined, FilePlanner][] =>
        key !== from ? [[key, file]] : isKnown ? [] : [[to, new FilePlanner(to, this.isOld)]],
      );
      this.files = new Map(files);
      for (const edit of named?.edits ?? []) this.file(to).add({ ...edit, path: to });
    }
    this.provide(own, text);
  }

  isNew(path: string): boolean | undefined {
    const all = [...this.files.values()];
    const own = all.find((file) => file.path === path)?.edits ?? [];
    if (own.length > 0) return own.every(isCreation);
    const isTarget = all.some(({ edits }) => edits.some((edit) => edit.kind === 'move' && tidyPath(edit.to) === path));
    return isTarget ? true : undefined;
  }

  /** The files, with `more`, whose text is needed: those with edits, and the targets of moves. */
  needs(more: readonly string[] = []): string[] {
    const named = [...this.files.values()].flatMap(({ path, edits }) => [
      ...(path === undefined ? [] : [path]),
      ...edits.flatMap((edit) => (edit.kind === 'move' ? [tidyPath(edit.to)] : [])),
    ]);
    return [...new Set([...named, ...more])].filter((path) => !this.texts.has(path));
  }

  plans(): FilePlan[] {
    const ready = [...this.files.values()].filter((file) => file.isReady && !this.isMovedAway(file));
    const plans = ready.map((file) => file.plan());
    const targets = new Map<string, number>();
    for (const plan of plans) {
      const target = targetOf(plan);
      if (target !== undefined) targets.set(target, (targets.get(target) ?? 0) + 1);
    }
    return plans.flatMap((plan, index): FilePlan[] => {
      const target = targetOf(plan);
      if (plan.kind === 'delete' && targets.has(plan.path)) {
        // The other file's plan is refused: it must not be deleted without its replacement.
        const message = `Another file is moved to ${plan.path}. Perigee does not do both in one step: move one of them by hand.`;
        const refusals = [refusal(ready[index]!.edits[0]!, 'overlap', message)];
        return [{ kind: 'refused', path: plan.path, before: plan.before, refusals, placed: [] }];
      }
      if (target === undefined) return [plan];
      // It is unknown yet whether the target exists.
      if (plan.kind === 'move' && !this.texts.has(target)) return [];
      const isTaken = plan.kind === 'move' && (this.texts.get(target) !== undefined || this.files.has(target));
      if (!isTaken && targets.get(target) === 1) return [plan];
      const { edits } = ready[index]!;
      const edit = edits.find(({ kind }) => kind === 'move') ?? edits[0]!;
      const message = `${target} exists already, or is written by another edit too.`;
      const { path } = plan;
      const before = this.texts.get(path!);
      return [{ kind: 'refused', path, before, refusals: [refusal(edit, 'fileExists', message)], placed: [] }];
    });
  }

  beginRepair(): void {
    for (const file of this.files.values()) file.beginRepair();
  }

  /** A file that the answer named by mistake, as its repair showed. */
  private isMovedAway(file: FilePlanner): boolean {
    return file.isAnsweredBy([...this.files.values()].flatMap((other) => (other === file ? [] : other.fresh)));
  }

  private file(named: string | undefined): FilePlanner {
    const path = named === undefined ? undefined : (this.ownNames.get(named) ?? named);
    const known = this.files.get(path);
    if (known) return known;
    const file = new FilePlanner(path, this.isOld);
    this.files.set(path, file);
    if (path !== undefined && this.texts.has(path)) file.provide(this.texts.get(path));
    return file;
  }
}

/** The new path that a plan creates. */
function targetOf(plan: FilePlan): string | undefined {
  return plan.kind === 'move' ? plan.to : plan.kind === 'create' ? plan.path : undefined;
}
