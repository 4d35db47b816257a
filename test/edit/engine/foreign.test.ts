import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Alignment, showSoFar } from '../../../extension/edit/hunks/align.ts';
import { applySplices, type ContentChange, toChanges } from '../../../extension/edit/hunks/track.ts';
import { TrackedEdit } from '../../../extension/edit/hunks/tracked.ts';
import { someLines } from '../hunks/arbitraries.ts';

/** A line of the model that the tracked edit is compared with: it has an identity, whatever its text. */
interface Line {
  text: string;
  /** The hunk that it belongs to. `gap`: no line, but the place where the hunk's lines were removed. */
  hunk?: number;
  gap?: true;
}

/** A line of the document, addressed without regard to gaps. */
function visible(model: Line[]): Line[] {
  return model.filter((line) => !line.gap);
}

type Foreign = { at: number; kind: 'insert' | 'change' | 'delete' };

const foreign: fc.Arbitrary<Foreign[]> = fc.array(
  fc.record({ at: fc.nat(1000), kind: fc.constantFrom<Foreign['kind']>('insert', 'change', 'delete') }),
  { maxLength: 6 },
);

/** What somebody does to one line, on the model and as the editor tells it; `mark` is a text that is nowhere else. */
function doForeign(model: Line[], { at, kind }: Foreign, mark: string): { model: Line[]; change: ContentChange } {
  const shown = visible(model);
  const index = at % shown.length;
  const line = shown[index]!;
  const inModel = model.indexOf(line);
  const last = index === shown.length - 1;
  // On which side of a gap a line goes that is put into it, tell the tables.
  const isAtGap = inModel > 0 && model[inModel - 1]!.gap;
  if (kind === 'insert' && !isAtGap) {
    const next = model.toSpliced(inModel, 0, { text: mark });
    return { model: next, change: change(index, 0, index, 0, `${mark}\n`) };
  }
  // To delete the last of two empty lines is the same change as to delete the other one.
  const isAmbiguous = last && shown.at(-2)?.text === '' && line.text === '';
  if (kind !== 'delete' || shown.length === 1 || isAmbiguous) {
    const next = model.with(inModel, { ...line, text: line.text + mark });
    return { model: next, change: change(index, line.text.length, index, line.text.length, mark) };
  }
  const next = model.toSpliced(inModel, 1);
  if (!last) return { model: next, change: change(index, 0, index + 1, 0, '') };
  const before = shown[index - 1]!.text.length;
  return { model: next, change: change(index - 1, before, index, line.text.length, '') };
}

function change(startLine: number, startCharacter: number, endLine: number, endCharacter: number, text: string) {
  return { startLine, startCharacter, endLine, endCharacter, text };
}

/** The model just after an edit was shown. */
function modelOf(edit: TrackedEdit): Line[] {
  const model: Line[] = edit.lines.map((text) => ({ text }));
  for (const hunk of edit.hunks.toReversed()) {
    for (let line = hunk.start; line < hunk.end; line++) model[line]!.hunk = hunk.number;
    if (hunk.start === hunk.end) model.splice(hunk.start, 0, { text: '', hunk: hunk.number, gap: true });
  }
  return model;
}

const text = (model: Line[]) => visible(model).map((line) => line.text);

describe('an edit among changes of others', () => {
  it('is taken back exactly where it was not touched, and nowhere else', () => {
    let touched = 0;
    let untouched = 0;
    fc.assert(
      fc.property(someLines, someLines, someLines, someLines, foreign, (above, old, below, next, changes) => {
        const document = [...above, ...old, ...below];
        if (document.length === 0 || old.length === 0) return;
        const edit = new TrackedEdit(document, { start: above.length, end: above.length + old.length });
        edit.show(next);
        let model = modelOf(edit);
        changes.forEach((each, index) => {
          const done = doForeign(model, each, `#${index}`);
          model = done.model;
          edit.foreign([done.change]);
        });
        assert.deepEqual(edit.lines, text(model), 'accepted: the new text with all changes of others');

        const numbers = edit.open.map((hunk) => hunk.number);
        const { splices, refused } = edit.planReject(numbers);
        // The editor's way of the same splices must agree with ours.
        let written = [...edit.lines].join('\n');
        for (const each of toChanges(edit.lines, splices, '\n').toReversed()) written = applyText(written, each);
        edit.reject(numbers);
        assert.equal(written, edit.lines.join('\n'));

        for (const hunk of edit.hunks) {
          // By chance somebody's changes brought the old lines back: nothing was left to be decided.
          if (!numbers.includes(hunk.number)) continue;
          const own = model.filter((line) => line.hunk === hunk.number);
          const from = model.findIndex((line) => line.hunk === hunk.number);
          const isWhole =
            hunk.newLines.length === 0 ||
            (own.map((line) => line.text).join('\n') === hunk.newLines.join('\n') &&
              own.length === hunk.newLines.length &&
              model.slice(from, from + own.length).every((line) => line.hunk === hunk.number));
          if (isWhole && !refused.includes(hunk.number)) {
            untouched++;
            model.splice(from, own.length, ...hunk.oldLines.map((each) => ({ text: each })));
          } else {
            touched++;
            assert.ok(!isWhole, 'refused, though nobody touched it');
            // Deleted by hand, an insertion has nothing to be taken back; else its lines stay as they were left.
            const isGone = own.length === 0 && hunk.oldLines.length === 0;
            assert.ok(refused.includes(hunk.number) || isGone || hunk.state === 'rejected');
          }
        }
        assert.deepEqual(edit.lines, model.length === 0 ? [''] : text(model));
      }),
      { numRuns: 4_000 },
    );
    assert.ok(touched > 300 && untouched > 1_000, `${touched} touched, ${untouched} untouched`);
  });

  it('is taken back exactly in the middle of the writing, with typing above and below', () => {
    fc.assert(
      fc.property(
        someLines,
        someLines,
        someLines,
        someLines,
        fc.array(fc.tuple(fc.nat(3), fc.nat(1000))),
        (above, old, below, next, steps) => {
          if (old.length === 0) return;
          const edit = new TrackedEdit([...above, ...old, ...below], {
            start: above.length,
            end: above.length + old.length,
          });
          const alignment = new Alignment(old);
          let top = above;
          let bottom = below;
          let written = 0;
          steps.forEach(([kind, at], index) => {
            if (kind === 0) {
              const line = at % (top.length + 1);
              edit.foreign([change(line, 0, line, 0, `#${index}\n`)]);
              top = top.toSpliced(line, 0, `#${index}`);
            } else if (kind === 1 && bottom.length > 0) {
              const line = at % bottom.length;
              const inDocument = edit.region.end + line;
              edit.foreign([change(inDocument, 0, inDocument, 0, `#${index}\n`)]);
              bottom = bottom.toSpliced(line, 0, `#${index}`);
            } else if (written < next.length) {
              written++;
              const shown = showSoFar(alignment, old, next.slice(0, written));
              const expected = applySplices(edit.lines, edit.planShow(shown));
              edit.show(shown);
              assert.deepEqual(edit.lines, expected);
            }
            assert.ok(edit.intact);
          });
          const numbers = edit.hunks.map((hunk) => hunk.number);
          assert.deepEqual(edit.planReject(numbers).refused, []);
          edit.reject(numbers);
          assert.deepEqual(edit.lines, [...top, ...old, ...bottom]);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

function applyText(whole: string, each: ContentChange): string {
  const rows = whole.split('\n');
  const offset = (line: number, character: number) =>
    rows.slice(0, line).reduce((sum, row) => sum + row.length + 1, character);
  const start = offset(each.startLine, each.startCharacter);
  return whole.slice(0, start) + each.text + whole.slice(offset(each.endLine, each.endCharacter));
}
