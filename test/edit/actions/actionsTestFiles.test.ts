import assert from 'node:assert/strict';
import {
  findSubject,
  findTests,
  isTestName,
  type TestPlaces,
} from '../../../extension/edit/actions/texts/testFiles.ts';

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('the tests of a file', () => {
  const rows: [title: string, path: string, others: string[], expected: TestPlaces][] = [
    ['beside it', 'src/a.ts', ['src/a.test.ts', 'src/b.test.ts'], { existing: 'src/a.test.ts' }],
    ['below it', 'src/ui/a.tsx', ['src/ui/__tests__/a.test.tsx'], { existing: 'src/ui/__tests__/a.test.tsx' }],
    [
      'in a mirror of the sources',
      'server/credits/ledger.ts',
      ['test/credits/ledger.test.ts', 'test/risk/ledger.test.ts'],
      { existing: 'test/credits/ledger.test.ts' },
    ],
    [
      'with a prefix',
      'src/orders/client.py',
      ['tests/test_client.py', 'tests/conftest.py'],
      { existing: 'tests/test_client.py' },
    ],
    [
      'in Go',
      'pkg/store/store.go',
      ['pkg/store/store_test.go', 'pkg/x/store_test.go'],
      { existing: 'pkg/store/store_test.go' },
    ],
    [
      'in Java',
      'src/main/java/org/x/Order.java',
      ['src/test/java/org/x/OrderTest.java', 'src/test/java/org/y/OrderTest.java'],
      { existing: 'src/test/java/org/x/OrderTest.java' },
    ],
    ['in C#', 'Orders/Client.cs', ['Orders.Tests/ClientTests.cs'], { existing: 'Orders.Tests/ClientTests.cs' }],
    ['in Ruby', 'app/models/user.rb', ['spec/models/user_spec.rb'], { existing: 'spec/models/user_spec.rb' }],
    ['with a plain name in a folder of tests', 'src/parse.rs', ['tests/parse.rs'], { existing: 'tests/parse.rs' }],
    [
      'of a component in the language of its tests',
      'src/Card.vue',
      ['src/Card.spec.ts'],
      { existing: 'src/Card.spec.ts' },
    ],
    [
      'and not what only helps them',
      'src/client.ts',
      ['test/client.ts', 'test/server.test.ts'],
      { example: 'test/server.test.ts', place: undefined },
    ],
    [
      'and not those of another file of its name',
      'src/b/index.ts',
      ['src/a/index.ts', 'test/a/index.test.ts'],
      { example: 'test/a/index.test.ts', place: 'test/b/index.test.ts' },
    ],
    [
      'and none where two files could be meant',
      'lib/index.ts',
      ['src/index.ts', 'test/index.test.ts'],
      { example: 'test/index.test.ts', place: undefined },
    ],
    [
      'would be beside it, as the others are',
      'src/b.ts',
      ['src/a.ts', 'src/a.spec.ts'],
      { example: 'src/a.spec.ts', place: 'src/b.spec.ts' },
    ],
    [
      'would be below it, as the others are',
      'src/y/b.js',
      ['src/x/a.js', 'src/x/__tests__/a-test.js'],
      { example: 'src/x/__tests__/a-test.js', place: 'src/y/__tests__/b-test.js' },
    ],
    [
      'would be in the mirror',
      'src/main/java/org/y/Item.java',
      ['src/main/java/org/x/Order.java', 'src/test/java/org/x/OrderTest.java'],
      { example: 'src/test/java/org/x/OrderTest.java', place: 'src/test/java/org/y/ItemTest.java' },
    ],
    [
      'would be like the nearest of those whose subject is known',
      'packages/web/src/b.ts',
      ['packages/api/src/a.ts', 'packages/api/test/a.test.ts', 'packages/web/src/c.ts', 'packages/web/test/c.test.ts'],
      { example: 'packages/web/test/c.test.ts', place: 'packages/web/test/b.test.ts' },
    ],
    ['would be where the language has them', 'src/b.ts', [], { example: undefined, place: 'src/b.test.ts' }],
    ['the same in Go', 'pkg/b.go', [], { example: undefined, place: 'pkg/b_test.go' }],
    ['the same in Python', 'app/b.py', [], { example: undefined, place: 'tests/test_b.py' }],
    ['and anywhere in a language without a custom', 'b.zig', [], { example: undefined, place: undefined }],
  ];
  for (const [title, path, others, expected] of rows) {
    it(`are found ${title}`, () => assert.deepEqual(findTests(path, [path, ...others]), expected));
  }

  it('are told by their names alone', () => {
    const names = [
      'a.test.ts',
      'test_a.py',
      'a_test.go',
      'ATest.java',
      'TestA.java',
      'a_spec.rb',
      'ATests.cs',
      'OrderIT.kt',
    ];
    assert.deepEqual(names.filter(isTestName), names);
    assert.deepEqual(
      ['contest.ts', 'latest.py', 'testing.go', 'test/a.ts', 'Test.ts', 'AUDIT.java', '.test'].filter(isTestName),
      [],
    );
  });

  it('lead to what they test', () => {
    const paths = ['src/a.ts', 'src/x/b.ts', 'src/y/b.ts', 'test/a.test.ts', 'test/b.test.ts'];
    assert.equal(findSubject('test/a.test.ts', paths), 'src/a.ts');
    assert.equal(findSubject('test/b.test.ts', paths), undefined);
  });

  it('are found at once among very many files', () => {
    const paths = Array.from({ length: 20_000 }, (_, i) => `src/d${i % 200}/f${Math.floor(i / 200)}.ts`);
    const tests = paths.slice(0, 5_000).map((path) => path.replace('src', 'test').replace('.ts', '.test.ts'));
    const all = [...paths, ...tests];
    // Against ten readings of each path; one comparison of each path with each would cost thousands.
    const tenReadings = cpuMs(() => {
      for (let i = 0; i < 10; i++) assert.ok(all.map((path) => path.split(/[/.]/)).length);
    });
    const finding = cpuMs(() => assert.ok(findTests('src/d7/f7.ts', all).existing));
    assert.ok(finding < 20 * tenReadings + 50, `${finding} ms of processor time against ${tenReadings}`);
  });
});
