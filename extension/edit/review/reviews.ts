import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { plainMessage } from '../../platform/plainMessage.ts';
import { activeEditor } from '../files/activeEditor.ts';
import { nameOf, tellPlace } from '../files/places.ts';
import type { Range } from '../hunks/track.ts';
import type { TrackedHunk } from '../hunks/tracked.ts';
import { EditDecorations } from './decorations.ts';
import { HunkHovers } from './hovers.ts';
import { EditLenses } from './lenses.ts';
import { Originals } from './originals.ts';
import type { Review } from './review.ts';
import { ReviewStatus } from './status.ts';

/** The target of a lens or key: without a hunk the one at the cursor, without a review all of the document's. */
export interface HunkTarget {
  review?: number;
  hunk?: number;
}

type Found = { review: Review; hunk: Readonly<TrackedHunk> };

/** All open reviews: what editors show of them, and what the user decides. */
export class Reviews extends Disposable {
  private reviews: Review[] = [];
  /** Ended reviews that can come back, newest last. */
  private past: Review[] = [];
  private readonly kept = new WeakMap<Review, () => boolean>();
  private readonly keys = new Map<string, boolean>();
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  /** A review began, changed its phase or ended, or its hunks or their places changed. */
  readonly onDidChange = this.changed.event;
  private readonly drawn = this._register(new vscode.EventEmitter<void>());
  private drawing: ReturnType<typeof setTimeout> | undefined;
  private readonly decorations = this._register(new EditDecorations());
  private readonly originals = this._register(new Originals());
  readonly status = this._register(new ReviewStatus());

  /** `ended` is called each time a review ends. */
  constructor(private readonly ended: (review: Review) => void) {
    super();
    const lenses = new EditLenses(() => this.reviews, this.drawn.event);
    this._register(vscode.languages.registerCodeLensProvider('*', lenses));
    this._register(vscode.languages.registerHoverProvider('*', new HunkHovers(() => this.reviews)));
    this._register(vscode.window.onDidChangeVisibleTextEditors(() => this.refresh()));
    this._register(vscode.window.onDidChangeActiveTextEditor(() => this.tellKeys()));
    this._register(vscode.window.onDidChangeActiveColorTheme(() => this.refresh()));
    this._register({
      dispose: () => {
        clearTimeout(this.drawing);
        for (const review of [...this.reviews.splice(0), ...this.past.splice(0)]) review.dispose();
      },
    });
  }

  /** The open reviews. */
  get all(): readonly Review[] {
    return this.reviews;
  }

  /**
   * Shows a review until it ends, and again when an undo brings back one of its hunks. `isKept`: whether its place is
   * still needed after the end, such as for another try.
   */
  add(review: Review, isKept: () => boolean = () => false): void {
    this.kept.set(review, isKept);
    const follow = () => {
      this.originals.refresh(review);
      const isOver = review.phase === 'ended';
      if (isOver === this.reviews.includes(review)) {
        this.reviews = this.reviews.filter((other) => other !== review);
        this.past = this.past.filter((other) => other !== review);
        (isOver ? this.past : this.reviews).push(review);
        if (isOver) this.ended(review);
      }
      this.refresh();
      if (isOver) this.forgetPast();
    };
    review.onDidChange(follow);
    this.reviews.push(review);
    this.refresh();
  }

  /** Drops ended reviews, except the newest ones that an undo can bring back. */
  forgetPast(): void {
    const isNeeded = (review: Review, index: number, { length }: readonly Review[]) =>
      this.kept.get(review)?.() || (review.canComeBack && index >= length - MAX_PAST);
    const needed = this.past.filter(isNeeded);
    const forgotten = this.past.filter((review) => !needed.includes(review));
    this.past = needed;
    for (const review of forgotten) review.dispose();
  }

  /** Accepts a hunk; by keyboard, goes on to the next. */
  async acceptHunk(target?: HunkTarget): Promise<void> {
    const found = this.find(target);
    if (!found) return refuse(NO_HUNK);
    found.review.accept([found.hunk.number]);
    await this.originals.closePeek(found.review);
    if (asTarget(target).hunk === undefined) this.goToNext(found.hunk.start);
  }

  async rejectHunk(target?: HunkTarget): Promise<void> {
    const found = this.find(target);
    if (!found) return refuse(NO_HUNK);
    await this.takeBack(found.review, [found.hunk.number]);
    if (asTarget(target).hunk === undefined) this.goToNext(found.hunk.start);
  }

  async acceptAllHunks(target?: HunkTarget): Promise<void> {
    const reviews = this.reviewed(target);
    if (reviews.length === 0) return refuse(NO_HUNK);
    for (const review of reviews) {
      review.accept(openOf(review));
      await this.originals.closePeek(review);
    }
  }

  async rejectAllHunks(target?: HunkTarget): Promise<void> {
    const reviews = this.reviewed(target);
    if (reviews.length === 0) return refuse(NO_HUNK);
    for (const review of reviews) await this.takeBack(review, openOf(review));
  }

  /** Shows the removed lines of a hunk below it; for a hunk that removes none, opens the diff. */
  async showRemoved(target?: HunkTarget): Promise<void> {
    const found = this.find(target);
    if (!found) return refuse(NO_HUNK);
    if (found.hunk.oldLines.length > 0) await this.originals.peek(found.review, found.hunk);
    else await this.originals.show(found.review, found.hunk.start);
  }

  /** Opens the diff against the text before the edit. Hunks can be accepted and rejected there, too. */
  async compareHunk(target?: HunkTarget): Promise<void> {
    const found = this.find(target);
    if (!found) return refuse(NO_HUNK);
    await this.originals.show(found.review, found.hunk.start);
  }

  /** Goes to the next or previous hunk. After the last comes the first, also of another file. */
  async goToHunk(direction: 1 | -1): Promise<void> {
    const editor = activeEditor();
    const documents = [...new Set(this.reviews.filter(isReviewed).map(({ document }) => document))];
    if (documents.length === 0) return refuse(NO_HUNK);
    const isHere = editor !== undefined && documents.includes(editor.document);
    if (isHere) {
      const line = editor.selection.active.line;
      const starts = this.startsIn(editor.document);
      const next = direction > 0 ? starts.find((start) => start > line) : starts.findLast((start) => start < line);
      if (next !== undefined) return goTo(editor, next);
    }
    const at = isHere ? documents.indexOf(editor.document) : direction > 0 ? -1 : 0;
    const document = documents.at((at + direction) % documents.length)!;
    const shown = isHere && document === editor.document ? editor : await vscode.window.showTextDocument(document);
    goTo(shown, this.startsIn(document).at(direction > 0 ? 0 : -1)!);
  }

  /** Whether no other edit uses these lines. Offers to accept an edit that is only waiting for review. */
  async isFree(document: vscode.TextDocument, ranges: readonly Range[]): Promise<boolean> {
    const overlaps = (range: Range) =>
      ranges.some(
        ({ start, end }) => range.start < Math.max(end, start + 1) && start < Math.max(range.end, range.start + 1),
      );
    const isWhole = ranges.some(({ start, end }) => start === 0 && end >= document.lineCount);
    for (const review of this.reviews.filter((other) => other.document === document)) {
      const { region, open, isRegion } = review.tracked;
      if (review.phase === 'writing' && (isRegion ? overlaps(region) : isWhole || open.some(overlaps))) {
        const place = isRegion ? tellPlace(region, nameOf(document)) : nameOf(document);
        refuseModally(`Perigee is still writing ${place}. Stop that edit first, or wait for it.`);
        return false;
      }
      if (!isReviewed(review) || !open.some(overlaps)) continue;
      const goOn = 'Accept all and go on';
      const what = isWhole ? 'The file' : 'The selection';
      const asked = `${what} has changes of an earlier edit that are neither accepted nor rejected.`;
      if ((await vscode.window.showWarningMessage(asked, { modal: true }, goOn)) !== goOn) return false;
      review.accept(openOf(review));
    }
    return true;
  }

  private async takeBack(review: Review, numbers: readonly number[]): Promise<void> {
    const { refused, isWritten } = await review.reject(numbers);
    await this.originals.closePeek(review);
    if (!isWritten) return refuse(`VS Code takes no changes for ${nameOf(review.document)}; nothing was changed.`);
    const [first] = refused;
    if (!first) return;
    const names = refused.map((hunk) => hunk.number).join(', ');
    const words =
      refused.length === 1
        ? `Hunk ${names} was not taken back: its lines were changed after Perigee wrote them.`
        : `Hunks ${names} were not taken back: their lines were changed after Perigee wrote them.`;
    // Not awaited: the user can continue after a rejection.
    void vscode.window.showWarningMessage(words, 'Show removed').then((button) => {
      if (button) void this.originals.show(review, first.start);
    });
  }

  private reviewed(target?: HunkTarget): Review[] {
    const { review: id } = asTarget(target);
    const inFront = this.inFront();
    const isMeant = (review: Review) => (id === undefined ? review.document === inFront : review.id === id);
    return this.reviews.filter((review) => isReviewed(review) && isMeant(review));
  }

  private find(target?: HunkTarget): Found | undefined {
    const { hunk: number } = asTarget(target);
    const all = this.reviewed(target)
      .flatMap((review) => review.tracked.open.map((hunk) => ({ review, hunk })))
      .toSorted((a, b) => a.hunk.start - b.hunk.start);
    if (number !== undefined) return all.find(({ hunk }) => hunk.number === number);
    const line = activeEditor()?.selection.active.line ?? 0;
    const before = this.reviewBefore();
    if (before)
      return all.find(({ review, hunk }) => review === before && hunk === before.tracked.openAtLineBefore(line));
    return all.find(({ hunk }) => line < hunk.end || line <= hunk.start) ?? all.at(-1);
  }

  /** The review whose original text is in front: on the left of a diff, or in a peek view. */
  private reviewBefore(): Review | undefined {
    const document = activeDocument();
    const id = document && Originals.reviewOf(document.uri);
    return id === undefined ? undefined : this.reviews.find((review) => review.id === id);
  }

  /** The document in front, also if its original text is the one shown. */
  private inFront(): vscode.TextDocument | undefined {
    return this.reviewBefore()?.document ?? activeDocument();
  }

  private startsIn(document: vscode.TextDocument): number[] {
    const here = this.reviews.filter((review) => isReviewed(review) && review.document === document);
    const starts = here.flatMap((review) => review.tracked.open.map((hunk) => hunk.start));
    return [...new Set(starts.map((start) => Math.min(start, document.lineCount - 1)))].sort((a, b) => a - b);
  }

  /** By keyboard, the user goes from hunk to hunk. */
  private goToNext(line: number): void {
    const editor = activeEditor();
    const starts = editor ? this.startsIn(editor.document) : [];
    const next = starts.find((start) => start >= line) ?? starts[0];
    if (editor && next !== undefined) goTo(editor, next);
  }

  private refresh(): void {
    if (this.isDisposed) return;
    this.drawSoon();
    this.status.refresh(this.reviews);
    this.changed.fire();
    this.tellKeys();
  }

  /** Each piece of an answer redraws all hunks: limit how often. */
  private drawSoon(): void {
    if (this.drawing !== undefined) return;
    const draw = () => {
      this.drawing = undefined;
      this.decorations.refresh(this.reviews);
      this.drawn.fire();
    };
    this.drawing = setTimeout(draw, DRAW_MS);
  }

  private tellKeys(): void {
    const inFront = this.inFront();
    const here = this.reviews.filter(({ document }) => document === inFront);
    this.setKey('perigee.hasHunks', here.some(isReviewed));
    this.setKey('perigee.hasReviews', this.reviews.some(isReviewed));
    this.setKey(
      'perigee.editing',
      here.some(({ phase }) => phase === 'writing'),
    );
  }

  private setKey(key: string, value: boolean): void {
    if ((this.keys.get(key) ?? false) === value) return;
    this.keys.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  }
}

/** About two frames. */
const DRAW_MS = 30;
/** The most ended reviews that are kept, because each follows every change to its document. */
const MAX_PAST = 8;

const NO_HUNK = 'There is no edit to review here.';

const isReviewed = ({ phase }: Review) => phase === 'reviewing';
const openOf = ({ tracked }: Review) => tracked.open.map((hunk) => hunk.number);

export const activeDocument = () => activeEditor()?.document;

export function refuse(words: string): void {
  void vscode.window.showWarningMessage(plainMessage(words));
}

/**
 * Modal, in place of the input box: the user may be typing the instruction already, and with only a notification the
 * keys would overwrite the selected lines.
 */
export function refuseModally(words: string): void {
  void vscode.window.showWarningMessage(words, { modal: true });
}

function goTo(editor: vscode.TextEditor, line: number): void {
  const at = new vscode.Position(line, 0);
  editor.selection = new vscode.Selection(at, at);
  editor.revealRange(new vscode.Range(at, at), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

/** Menus call commands with arguments of their own. */
function asTarget(target: unknown): HunkTarget {
  if (typeof target !== 'object' || target === null) return {};
  const { review, hunk } = target as Record<string, unknown>;
  return {
    review: typeof review === 'number' ? review : undefined,
    hunk: typeof hunk === 'number' ? hunk : undefined,
  };
}
