import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  countLines,
  type FileState,
  fitChange,
  hunksOf,
  invert,
  isDecided,
  isSameText,
  tellCounts,
  tellSummary,
} from '../../../extension/edit/changes/proposalState.ts';
import type { FilePlan } from '../../../extension/edit/engine/edits.ts';
import { applyHunks, parseFile } from '../../../extension/edit/engine/text/fileText.ts';
import { splitLines } from '../../../extension/edit/hunks/hunks.ts';
import { applySplices } from '../../../extension/edit/hunks/track.ts';

const uri = 'file:///a.ts';
const A = 'one\ntwo\nthree\nfour\nfive\n';
const B = 'one\nTWO\nthree\nfour\nfive\n';

describe('a proposed change and the file as it is now', () => {
  const cases: [
    title: string,
    change: { before?: string; after?: string; movedTo?: string },
    now: string | undefined,
    expected: RegExp | string | undefined,
  ][] = [
    ['an unchanged file', { before: A, after: B }, A, B],
    ['a file with lines added elsewhere', { before: A, after: B }, `zero\n${A}`, `zero\n${B}`],
    [
      'a file whose lines were changed',
      { before: A, after: B },
      A.replace('two', 'deux'),
      /were changed since \(near line 2\)/,
    ],
    ['a file that reads so already', { before: A, after: A }, A, /reads so already/],
    ['a file that is gone', { before: A, after: B }, undefined, /is gone/],
    ['a new file', { after: B }, undefined, B],
    ['a new file whose place is taken', { after: B }, A, /does not overwrite it/],
    ['a deletion', { before: A }, A, undefined],
    ['a deletion of a file that was changed', { before: A }, B, /not deleted/],
    ['a move alone', { before: A, after: A, movedTo: 'file:///b.ts' }, A, A],
    ['other line ends', { before: A, after: B }, A.replaceAll('\n', '\r\n'), B.replaceAll('\n', '\r\n')],
    ['an empty file', { before: '', after: 'x\n' }, '', 'x\n'],
    ['no final line end', { before: 'a\nb', after: 'a\nB' }, 'a\nb', 'a\nB'],
  ];
  for (const [title, { before, after, movedTo }, text, expected] of cases) {
    it(`${title}: ${expected instanceof RegExp ? 'stale' : 'fits'}`, () => {
      const fit = fitChange({ uri, movedTo, before, after }, { text });
      if (expected instanceof RegExp) {
        assert.equal(fit.kind, 'stale');
        assert.match(fit.kind === 'stale' ? fit.why : '', expected);
      } else {
        assert.equal(fit.kind, 'fits');
        assert.equal(fit.kind === 'fits' ? fit.after : '', expected);
      }
    });
  }

  it('a move onto a file that came there is stale', () => {
    const fit = fitChange({ uri, movedTo: 'file:///b.ts', before: A, after: B }, { text: A, isTargetTaken: true });
    assert.equal(fit.kind, 'stale');
  });

  it('gives splices of the lines as the editor counts them that make the same text', () => {
    const line = fc.constantFrom('a', 'b', 'c', '', '  d', '}');
    const text = fc
      .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
      .map(([lines, eol, isEnded]) => lines.join(eol) + (isEnded && lines.length > 0 ? eol : ''));
    fc.assert(
      fc.property(text, fc.array(line, { maxLength: 12 }), (before, lines) => {
        const file = parseFile(before);
        const proposed = applyHunks(file, hunksOf(before, lines.map((each) => `${each}\n`).join('')));
        const fit = fitChange({ uri, before, after: proposed }, { text: before });
        if (fit.kind === 'stale') return assert.deepEqual(parseFile(proposed).lines, file.lines);
        const spliced = applySplices(splitLines(before), fit.splices);
        // Before the last line end there is either nothing or a line, which the lines alone don't tell of an empty file.
        assert.ok(isSameText(spliced.join('\n'), fit.after), JSON.stringify([before, proposed, spliced]));
      }),
      { numRuns: 3_000 },
    );
  });

  it('is taken back by its inverse', () => {
    const files = [
      { uri, before: A, after: B },
      { uri: 'file:///new', before: undefined, after: B },
      { uri: 'file:///gone', before: A, after: undefined },
      { uri: 'file:///m', movedTo: 'file:///n', before: A, after: B },
    ];
    assert.deepEqual(invert({ source: { title: '' }, files }), [
      { uri, before: B, after: A },
      { uri: 'file:///new', before: B, after: undefined },
      { uri: 'file:///gone', before: undefined, after: A },
      { uri: 'file:///n', movedTo: 'file:///m', before: B, after: A },
    ]);
  });
});

describe('what a proposal says of itself', () => {
  const update: FilePlan = { kind: 'update', path: 'a', before: A, after: B, hunks: hunksOf(A, B) };
  const create: FilePlan = { kind: 'create', path: 'n', after: 'x\ny\n', hunks: hunksOf('', 'x\ny\n') };
  const gone: FilePlan = { kind: 'delete', path: 'd', before: A };
  const refused: FilePlan = { kind: 'refused', path: 'r', refusals: [], placed: [] };
  const as = (plan: FilePlan, state: FileState = 'open') => ({ plan, state });

  it('counts lines', () => {
    assert.deepEqual([update, create, gone, refused].map(countLines), [
      { added: 1, removed: 1 },
      { added: 2, removed: 0 },
      { added: 0, removed: 5 },
      { added: 0, removed: 0 },
    ]);
    assert.deepEqual(
      [
        { added: 12, removed: 3 },
        { added: 0, removed: 3 },
        { added: 0, removed: 0 },
      ].map(tellCounts),
      ['+12 −3', '−3', ''],
    );
  });

  const summaries: [files: { plan: FilePlan; state: FileState }[], expected: string][] = [
    [[as(update), as(create), as(gone)], '3 files · +3 −6'],
    [[as(update)], '1 file · +1 −1'],
    [[as(update), as(refused, 'refused')], '1 file · +1 −1 · 1 refused'],
    [[as(update, 'stale'), as(create, 'accepted')], '1 changed since'],
    [[as(refused, 'refused')], '1 refused'],
    [[], ''],
  ];
  for (const [files, expected] of summaries) {
    it(`"${expected}"`, () => assert.equal(tellSummary(files), expected));
  }

  it('is over when no file is left to decide about, but not when all were refused', () => {
    assert.equal(
      isDecided([{ state: 'accepted' }, { state: 'rejected' }, { state: 'reviewing' }, { state: 'refused' }]),
      true,
    );
    assert.equal(isDecided([{ state: 'accepted' }, { state: 'stale' }]), false);
    assert.equal(isDecided([{ state: 'accepted' }, { state: 'open' }]), false);
    assert.equal(isDecided([{ state: 'refused' }]), false);
  });
});
