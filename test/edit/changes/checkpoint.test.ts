import assert from 'node:assert/strict';
import {
  changeOf,
  type Direction,
  isMade,
  linesInTheWay,
  summarise,
  tellLines,
  tellTurned,
} from '../../../extension/edit/changes/checkpoint.ts';
import type { AcceptedFile } from '../../../extension/edit/changes/proposal.ts';

const source = { title: 'Edit a.ts' };
const before = 'one\ntwo\nthree\n';
const after = 'one\n2\nthree\nfour\n';
const updated: AcceptedFile = { uri: 'file:///a.ts', before, after };
const created: AcceptedFile = { uri: 'file:///a.ts', before: undefined, after };
const deleted: AcceptedFile = { uri: 'file:///a.ts', before, after: undefined };
const moved: AcceptedFile = { uri: 'file:///a.ts', movedTo: 'file:///b.ts', before, after: before };

describe('a checkpoint', () => {
  it('is summarised by what a person would count', () => {
    const table: [AcceptedFile, ReturnType<typeof summarise>][] = [
      [updated, { change: 'updated', added: 2, removed: 1, line: 2 }],
      [created, { change: 'created', added: 4, removed: 0 }],
      [deleted, { change: 'deleted', added: 0, removed: 3 }],
      [moved, { change: 'moved', added: 0, removed: 0 }],
      [
        { ...created, after: '' },
        { change: 'created', added: 0, removed: 0 },
      ],
    ];
    for (const [file, summary] of table) assert.deepEqual(summarise(file), summary);
  });

  it('is taken back by its opposite, and applied again by itself', () => {
    assert.deepEqual(changeOf(moved, source, 'takeBack'), {
      uri: 'file:///b.ts',
      movedTo: 'file:///a.ts',
      before,
      after: before,
    });
    assert.deepEqual(changeOf(created, source, 'takeBack'), { uri: 'file:///a.ts', before: after, after: undefined });
    assert.equal(changeOf(updated, source, 'applyAgain'), updated);
  });

  // What there is at the file's address, at the one that it was moved to, and whether nothing is left to be done.
  const table: [string, AcceptedFile, Direction, string | undefined, string | undefined, boolean][] = [
    ['a change that is there', updated, 'takeBack', after, undefined, false],
    ['a change that was undone', updated, 'takeBack', before, undefined, true],
    ['a change that was undone, with more typed above', updated, 'takeBack', `zero\n${before}`, undefined, true],
    ['a change that somebody changed', updated, 'takeBack', after.replace('2', 'II'), undefined, false],
    ['one to be applied again that is there', updated, 'applyAgain', after, undefined, true],
    ['one to be applied again that is not', updated, 'applyAgain', before, undefined, false],
    ['a new file that is there', created, 'takeBack', after, undefined, false],
    ['a new file that is gone', created, 'takeBack', undefined, undefined, true],
    ['a new file to be made again that is there', created, 'applyAgain', after, undefined, true],
    ['a new file to be made again over another', created, 'applyAgain', 'other', undefined, false],
    ['a deleted file that is gone', deleted, 'takeBack', undefined, undefined, false],
    ['a deleted file that is back', deleted, 'takeBack', before, undefined, true],
    ['a deleted file whose place is taken', deleted, 'takeBack', 'other', undefined, false],
    ['a moved file that is there', moved, 'takeBack', undefined, before, false],
    ['a moved file that was moved back', moved, 'takeBack', before, undefined, true],
    ['a moved file that stands at both places', moved, 'takeBack', before, before, false],
    ['a moved file that is gone', moved, 'takeBack', undefined, undefined, false],
  ];
  for (const [title, file, direction, here, there, made] of table) {
    it(`${made ? 'has nothing to do for' : 'is not done yet for'} ${title}`, () => {
      const change = changeOf(file, source, direction);
      const at = (uri: string | undefined) => (uri === file.uri ? here : uri === undefined ? undefined : there);
      assert.equal(isMade(change, at(change.uri), at(change.movedTo)), made);
    });
  }

  it('names the lines that stand in the way', () => {
    const spans = (file: AcceptedFile, text: string | undefined) =>
      linesInTheWay(changeOf(file, source, 'takeBack'), text);
    assert.deepEqual(spans(updated, after.replace('2', 'II')), [{ start: 2, end: 2 }]);
    assert.deepEqual(spans(updated, after), []);
    assert.deepEqual(spans(created, after.replace('one\n2', 'one\nmore\n2')), [{ start: 2, end: 2 }]);
    assert.deepEqual(spans(updated, undefined), []);
  });

  it('says what became of its files', () => {
    const two = ['src/client.ts', 'src/new.ts'];
    assert.equal(tellTurned('takeBack', two, 1), 'Taken back from client.ts and 1 more.');
    assert.equal(tellTurned('applyAgain', ['a.ts'], 1), 'Applied again to a.ts.');
    assert.equal(tellTurned('takeBack', ['a.ts'], 0), 'It was no longer in the file; nothing changed.');
    assert.equal(tellTurned('applyAgain', two, 0), 'It was in the files already; nothing changed.');
  });

  it('says lines as people do', () => {
    const span = (start: number, end: number) => ({ start, end });
    assert.equal(tellLines([]), '');
    assert.equal(tellLines([span(2, 2), span(2, 2)]), 'Line 2');
    assert.equal(tellLines([span(2, 4), span(9, 9)]), 'Lines 2–4, 9');
    assert.equal(tellLines([1, 2, 3, 4, 5, 6, 7].map((n) => span(n, n))), 'Lines 1, 2, 3, 4, 5 and 2 more');
  });
});
