import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { FilePlan } from '../../../extension/edit/engine/edits.ts';
import { planEdits } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerPlanner } from '../../../extension/edit/engine/planning/planner.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';

/** Each pair of old and new lines as a block for `path`; lines are parted by blanks. */
function blocks(path: string, ...pairs: [search: string, replace: string][]): string {
  const lines = (text: string) => (text === '' ? [] : text.split(' '));
  return pairs
    .flatMap(([search, replace]) => [
      path,
      '<<<<<<< SEARCH',
      ...lines(search),
      '=======',
      ...lines(replace),
      '>>>>>>> REPLACE',
      '',
    ])
    .join('\n');
}

type Files = Record<string, string>;

const ten = (...lines: string[]) => `${lines.join('\n')}\n`;
const A = ten('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');

function started(answer: string, files: Files): AnswerPlanner {
  const planner = new AnswerPlanner();
  planner.feed(answer);
  planner.end();
  for (const path of planner.needs) planner.provide(path, files[path]);
  return planner;
}

/** One line for each plan: its new text's lines, or the reasons of its refusal and the lines that did fit. */
const told = (plans: readonly FilePlan[]) =>
  plans.map((plan) => {
    const name = plan.path ?? '?';
    if (plan.kind === 'refused') {
      const placed = plan.placed.map((hunk) => ` ${hunk.oldLines.join('')}>${hunk.newLines.join('')}`).join('');
      return `${name} refused: ${plan.refusals.map(({ reason }) => reason).join()};${placed}`;
    }
    return plan.kind === 'delete' ? `${name} deleted` : `${name} ${plan.kind}: ${plan.after.split('\n').join('')}`;
  });

describe('an answer that is planned while it comes', () => {
  it('asks for a file as soon as it is named, and plans each block when it is whole', () => {
    const planner = new AnswerPlanner();
    assert.equal(planner.feed('./src/a.ts\n<<<<<<< SEARCH\nb\n'), false);
    assert.deepEqual([planner.needs, planner.plans(), planner.pending?.kind], [['src/a.ts'], [], 'block']);
    planner.provide('src/a.ts', A);
    assert.deepEqual([planner.needs, planner.plans()], [[], []]);
    assert.equal(planner.feed('=======\nx\n>>>>>>> REPLACE'), false);
    assert.equal(planner.feed('\nand '), true);
    assert.deepEqual(told(planner.plans()), ['src/a.ts update: axcdefgh']);
    assert.equal(planner.feed(`then\n${blocks('src/a.ts', ['d', 'y'])}`), true);
    assert.deepEqual(told(planner.plans()), ['src/a.ts update: axcyefgh']);
  });
  it('asks whether something stands where a file is moved to', () => {
    const planner = new AnswerPlanner();
    planner.feed('*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** End Patch\n');
    assert.deepEqual(planner.needs, ['a', 'b']);
    planner.provide('a', A);
    assert.deepEqual(planner.plans(), []);
    planner.provide('b', undefined);
    assert.deepEqual(told(planner.plans()), ['a move: abcdefgh']);
  });
  it('is refused as a whole when a later block is, with those that did fit', () => {
    const planner = started(blocks('a.ts', ['b', 'x'], ['z', 'y'], ['f', 'w']), { 'a.ts': A });
    assert.deepEqual(told(planner.plans()), ['a.ts refused: notFound; b>x f>w']);
  });
  it('is planned anew when a file has changed meanwhile', () => {
    const planner = started(blocks('a.ts', ['b', 'x']), { 'a.ts': A });
    planner.provide('a.ts', ten('q', 'b'));
    assert.deepEqual(told(planner.plans()), ['a.ts update: qx']);
  });

  const ANSWER = [
    blocks('a.ts', ['b', 'x'], ['d', 'y']),
    '*** Begin Patch\n*** Add File: new.ts\n+n\n*** Delete File: b.ts\n*** Update File: c.ts\n*** Move to: moved.ts\n@@\n-a\n+z\n*** End Patch\n',
    blocks('a.ts', ['g', 'u']),
    blocks('missing.ts', ['g', 'u']),
    '```ts d.ts\nwhole\n```\n',
    '```ts\nnameless\n```\n',
  ].join('\n');
  const FILES: Files = { 'a.ts': A, 'b.ts': A, 'c.ts': A, 'd.ts': A };
  it('is at its end what all of it is at once, however it comes', () => {
    const reader = new AnswerReader();
    const once = planEdits([...reader.feed(ANSWER), ...reader.end()], (path) => FILES[path]);
    assert.deepEqual(told(once), [
      'a.ts update: axcyefuh',
      'new.ts create: n',
      'b.ts deleted',
      'c.ts move: zbcdefgh',
      'missing.ts refused: fileMissing;',
      'd.ts update: whole',
      '? refused: noPath;',
    ]);
    const cuts = fc.array(fc.nat(ANSWER.length), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, fc.infiniteStream(fc.boolean()), (ends, isRead) => {
        const planner = new AnswerPlanner();
        let at = 0;
        for (const end of [...ends.sort((a, b) => a - b), ANSWER.length]) {
          const before = JSON.stringify(planner.plans());
          const isChanged = planner.feed(ANSWER.slice(at, end));
          if (!isChanged) assert.equal(JSON.stringify(planner.plans()), before);
          at = end;
          for (const path of planner.needs) if (isRead.next().value) planner.provide(path, FILES[path]);
        }
        planner.end();
        for (const path of planner.needs) planner.provide(path, FILES[path]);
        assert.deepEqual(planner.plans(), once);
      }),
    );
  });
});

describe('two names of one file', () => {
  const text = 'one\ntwo\nthree\n';
  const block = (search: string, replace: string, path: string) => blocks(path, [search, replace]);
  const answer = (second: string) => `${block('one', 'ONE', 'a.ts')}${second}${block('two', 'TWO', 'lib/a.ts')}`;

  it('are one file, whichever is known first', () => {
    for (const order of [
      ['a.ts', 'lib/a.ts'],
      ['lib/a.ts', 'a.ts'],
    ]) {
      const planner = new AnswerPlanner();
      planner.feed(answer(''));
      planner.end();
      for (const path of order) planner.provideAs(path, 'lib/a.ts', text);
      assert.deepEqual(planner.needs, []);
      assert.deepEqual(
        planner.plans().map((plan) => [plan.path, plan.kind === 'update' && plan.after]),
        [['lib/a.ts', 'ONE\nTWO\nthree\n']],
      );
    }
  });
  it('can contradict each other', () => {
    const planner = new AnswerPlanner();
    planner.feed(answer('*** Begin Patch\n*** Delete File: a.ts\n*** End Patch\n'));
    planner.end();
    for (const path of planner.needs) planner.provideAs(path, 'lib/a.ts', text);
    assert.deepEqual(
      planner.plans().map(({ kind }) => kind),
      ['refused'],
    );
  });
  it('tell whether the file is new', () => {
    const planner = new AnswerPlanner();
    planner.feed(blocks('new.ts', ['', 'x']) + blocks('old.ts', ['a', 'b']));
    planner.feed('*** Begin Patch\n*** Update File: old.ts\n*** Move to: lib/old.ts\n*** Update File: next.ts\n');
    assert.deepEqual(
      planner.needs.map((path) => planner.isNew(path)),
      [true, false, true, undefined],
    );
  });
});

describe('a repair', () => {
  const FIRST = blocks('a.ts', ['b', 'x'], ['z', 'y'], ['f', 'w']);
  const CASES: [title: string, first: string, repair: string, expected: string[], files?: Files][] = [
    ['puts a block in place of the refused one', FIRST, blocks('a.ts', ['d', 'y']), ['a.ts update: axcyewgh']],
    ['needs no path where one file was refused', FIRST, blocks('', ['d', 'y']), ['a.ts update: axcyewgh']],
    [
      'may say again what had fitted',
      FIRST,
      blocks('a.ts', ['b', 'x'], ['d', 'y'], ['f', 'w']),
      ['a.ts update: axcyewgh'],
    ],
    [
      'may say it with more around it',
      FIRST,
      blocks('a.ts', ['a b c', 'a x c'], ['d', 'y']),
      ['a.ts update: axcyewgh'],
    ],
    ['may join it with what was refused', FIRST, blocks('a.ts', ['a b c d e', 'a x c y e']), ['a.ts update: axcyewgh']],
    [
      'may join it into one change',
      blocks('a.ts', ['b', 'x'], ['z', 'y']),
      blocks('a.ts', ['b c', 'x y']),
      ['a.ts update: axydefgh'],
    ],
    [
      'does not change what had fitted',
      FIRST,
      blocks('a.ts', ['b', 'q'], ['d', 'y']),
      ['a.ts refused: overlap; b>x d>y f>w'],
    ],
    ['that misses again is told', FIRST, blocks('a.ts', ['zz', 'y']), ['a.ts refused: notFound; b>x f>w']],
    ['that does not come leaves all as it was', FIRST, 'I cannot.\n', ['a.ts refused: notFound; b>x f>w']],
    ['that ends too early is told', FIRST, 'a.ts\n<<<<<<< SEARCH\nd\n', ['a.ts refused: malformed; b>x f>w']],
    ['may write the whole file', FIRST, '```ts a.ts\nnew\n```\n', ['a.ts update: new']],
    [
      'that leaves one of two out leaves the file refused',
      blocks('a.ts', ['b', 'x'], ['z', 'y'], ['zz', 'v']),
      blocks('a.ts', ['d', 'y']),
      ['a.ts refused: notFound; b>x d>y'],
    ],
    [
      'may answer two by one',
      blocks('a.ts', ['b', 'x'], ['z', 'y'], ['zz', 'v']),
      blocks('a.ts', ['d e', 'y v']),
      ['a.ts update: axcyvfgh'],
    ],
    ['may answer one by two', FIRST, blocks('a.ts', ['d', 'y'], ['h', 'k']), ['a.ts update: axcyewgk']],
    [
      'may name another file',
      blocks('aa.ts', ['b', 'x']) + blocks('a.ts', ['d', 'y']),
      blocks('a.ts', ['b', 'x']),
      ['a.ts update: axcyefgh'],
    ],
    ['may name the file', blocks('', ['b', 'x']), blocks('a.ts', ['b', 'x']), ['a.ts update: axcdefgh']],
    [
      'never makes worse what was right',
      FIRST + blocks('b.ts', ['b', 'x']),
      blocks('a.ts', ['d', 'y']) + blocks('b.ts', ['nowhere', 'x']),
      ['a.ts update: axcyewgh', 'b.ts update: axcdefgh'],
      { 'a.ts': A, 'b.ts': A },
    ],
  ];
  for (const [title, first, repair, expected, files = { 'a.ts': A }] of CASES) {
    it(title, () => {
      const planner = started(first, files);
      planner.repair();
      planner.feed(repair);
      planner.end();
      for (const path of planner.needs) planner.provide(path, files[path]);
      assert.deepEqual(told(planner.plans()), expected);
    });
  }
  describe('is read as an answer of its own', () => {
    const block = (search: string, replace: string) =>
      `a.ts\n<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE\n`;
    const repaired = (text: string, first: string, ...repairs: string[]) => {
      const planner = started(first, { 'a.ts': text });
      assert.equal(planner.plans()[0]?.kind, 'refused');
      planner.repair();
      for (const repair of repairs) {
        planner.feed(repair);
        planner.plans();
      }
      planner.end();
      const [plan] = planner.plans();
      return plan?.kind === 'update' ? plan.after : plan;
    };
    const LINK = 'say “hi” <a href="x"> now';
    const right = block('say “hi” now', LINK);
    const wrong = block('say "hi" now', LINK);
    it('by quotes that the first one did not write', () =>
      assert.equal(repaired('say “hi” now\n', wrong, right), `${LINK}\n`));
    it('also where what had fitted was written so, said again or not', () => {
      const text = 'say “hi” now\nsay “ho” then\nend\n';
      const fitting = block('say "ho" then\nend', 'say "ho" then\nEND');
      const after = `${LINK}\nsay “ho” then\nEND\n`;
      assert.equal(repaired(text, fitting + wrong, right), after);
      assert.equal(repaired(text, fitting + wrong, fitting, right), after);
      assert.equal(repaired(text, fitting + wrong, right, fitting), after);
    });
    it('while what had fitted stays as all of the first one showed it', () => {
      const text = '\ta();\n\tb();\n\tc();\nend\n';
      const first =
        block('\\ta();\\n\\tb();', '\\ta();\\n\\tx();') + block('end', '\\tlast();\nend') + block('nowhere', 'y');
      const planner = started(first, { 'a.ts': text });
      planner.repair();
      planner.feed(block('\tc();', '\ty();'));
      planner.end();
      const after = '\ta();\n\tx();\n\ty();\n\tlast();\nend\n';
      assert.deepEqual(
        planner.plans().map((plan) => plan.kind === 'update' && plan.after),
        [after],
      );
      planner.provide('a.ts', `${text}more\n`);
      assert.deepEqual(
        planner.plans().map((plan) => plan.kind === 'update' && plan.after),
        [`${after}more\n`],
      );
    });
  });
  it('shows nothing as whole before it is', () => {
    const planner = started(blocks('a.ts', ['b', 'x'], ['z', 'y'], ['zz', 'v']), { 'a.ts': A });
    planner.repair();
    assert.deepEqual(told(planner.plans()), ['a.ts refused: notFound,notFound; b>x']);
    planner.feed(blocks('a.ts', ['d', 'y']));
    assert.deepEqual(told(planner.plans()), ['a.ts refused: notFound; b>x d>y']);
    planner.feed(blocks('a.ts', ['e', 'v']));
    assert.deepEqual(told(planner.plans()), ['a.ts update: axcyvfgh']);
  });
  it('happens once', () => {
    const planner = started(FIRST, { 'a.ts': A });
    planner.repair();
    assert.throws(() => planner.repair(), /once/);
  });
});
