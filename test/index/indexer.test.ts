import assert from 'node:assert/strict';
import { LARGEST_FILE } from '../../extension/index/contents.ts';
import { Indexer } from '../../extension/index/indexer.ts';
import { encode } from '../../extension/index/ranking/storing.ts';
import { Slices } from '../../extension/index/slices.ts';
import { WALK } from '../../extension/index/walk.ts';
import { Disk, Link, noSlices } from './disk.ts';

const paths = (indexer: Indexer) => [...indexer.index.all()].map(({ path }) => path).sort();

async function built(disk: Disk, indexer = new Indexer(noSlices())): Promise<Indexer> {
  await indexer.build([disk]);
  return indexer;
}

describe('what the index reads', () => {
  for (const [title, files, expected] of [
    ['files in folders', { 'a.ts': 'a', src: { lib: { 'b.py': 'b' } } }, ['app/a.ts', 'app/src/lib/b.py']],
    [
      'no secrets',
      { '.env': 'KEY=1', id_rsa: 'x', secrets: { 'a.json': 'x' }, '.env.example': 'KEY=', 'a.ts': '' },
      ['app/.env.example', 'app/a.ts'],
    ],
    [
      'nothing of Git or of packages',
      { '.git': { config: 'x' }, node_modules: { a: { 'i.js': 'x' } }, 'a.ts': '' },
      ['app/a.ts'],
    ],
    [
      'nothing ignored',
      { '.gitignore': 'out/\n*.gen.ts', out: { 'a.ts': 'x' }, src: { 'b.gen.ts': 'x', 'c.ts': '' } },
      ['app/src/c.ts'],
    ],
    [
      'nothing that a deeper file ignores',
      { src: { '.gitignore': 'b.ts', 'b.ts': 'x', 'c.ts': '' } },
      ['app/src/c.ts'],
    ],
    [
      'nothing of a folder whose rules can’t be read',
      { src: { '.gitignore': new Link(), 'b.ts': 'x' }, 'c.ts': '' },
      ['app/c.ts'],
    ],
    ['no links', { link: new Link(), 'a.ts': '' }, ['app/a.ts']],
    [
      'no pictures, archives and lock files',
      { 'a.png': 'x', 'b.zip': 'x', 'package-lock.json': '{}', 'c.min.js': 'x', 'd.ts': '' },
      ['app/d.ts'],
    ],
  ] as [string, ConstructorParameters<typeof Disk>[0], string[]][])
    it(`is ${title}`, async () => assert.deepEqual(paths(await built(new Disk(files))), expected));

  it('is nothing that settings exclude, neither a file nor a folder', async () => {
    const disk = new Disk({ gen: { 'a.ts': 'x' }, src: { 'b.ts': 'x', 'c.ts': '' } });
    disk.excluded = (path) => path === 'gen' || path === 'src/b.ts';
    assert.deepEqual(paths(await built(disk)), ['app/src/c.ts']);
    assert.deepEqual(disk.reads, ['src/c.ts']);
  });

  it('is nothing that the repository above ignores', async () => {
    const disk = new Disk({ 'a.ts': 'x', 'b.ts': '' });
    disk.aboveRules = { names: ['packages', 'app'], rules: ['/packages/app/a.ts', undefined] };
    assert.deepEqual(paths(await built(disk)), ['app/b.ts']);
  });

  it('has no words of a binary, minified or huge file, and reads it once', async () => {
    const disk = new Disk({
      'a.txt': new Uint8Array([104, 105, 0, 1]),
      'b.js': `x=${'y'.repeat(400_000)}`,
      'line.txt': 'z'.repeat(5_000_000),
      'big.txt': 'word\n'.repeat(LARGEST_FILE / 4),
      'ok.ts': 'needle',
    });
    const indexer = await built(disk);
    assert.deepEqual(paths(indexer), ['app/a.txt', 'app/b.js', 'app/ok.ts']);
    assert.deepEqual(disk.reads, ['a.txt', 'b.js', 'ok.ts']);
    assert.deepEqual(
      [...indexer.index.all()].filter(({ data }) => data[0]! > 0).map(({ path }) => path),
      ['app/ok.ts'],
    );
    await indexer.build([disk]);
    assert.equal(disk.reads.length, 3);
  });

  it('is UTF-16, too', async () => {
    const indexer = await built(
      new Disk({ 'a.txt': new Uint8Array([0xff, 0xfe, ...Buffer.from('needle', 'utf16le')]) }),
    );
    assert.ok([...indexer.index.all()][0]!.data[0]! > 0);
  });

  it('leaves out a file that vanishes while it is read', async () => {
    const disk = new Disk({ 'a.ts': 'a', 'b.ts': 'b' });
    disk.beforeRead = (path) => path === 'a.ts' && delete disk.files['a.ts'];
    assert.deepEqual(paths(await built(disk)), ['app/b.ts']);
  });

  it('leaves out a folder that can’t be listed, and goes on', async () => {
    const disk = new Disk({ src: { 'a.ts': '' }, 'b.ts': '' });
    const { entries } = disk;
    disk.entries = async (folder) => {
      if (folder[0] === 'src') throw new Error('no permission');
      return entries.call(disk, folder);
    };
    assert.deepEqual(paths(await built(disk)), ['app/b.ts']);
  });
});

describe('a large workspace', () => {
  const folderOf = (name: number, end: string) =>
    Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`f${name}x${at}${end}`, 'word']));
  const folders = (end: string) =>
    Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`d${at}`, folderOf(at, end)]));

  it('of 200,000 files is not walked further', async () => {
    const done = await new Indexer(noSlices()).build([new Disk(folders('.png'))]);
    assert.deepEqual(done, { entries: WALK.mostEntries + 1, isCutShort: true, files: 0, isFull: false });
  });

  it('fills the index, and is not walked further either', async () => {
    const disk = new Disk(folders('.ts'));
    const indexer = new Indexer(noSlices(), { files: 500, bytes: 64_000_000 });
    const done = await indexer.build([disk]);
    assert.deepEqual([done.files, done.isFull, done.isCutShort], [500, true, false]);
    assert.ok(done.entries < 1_000 && disk.reads.length < 520, `${done.entries} entries, ${disk.reads.length} reads`);
    const first = paths(indexer);
    await indexer.build([disk]);
    assert.deepEqual(paths(indexer), first);
  });

  it('stops at the limit of memory', async () => {
    const words = (at: number) => Array.from({ length: 500 }, (_, word) => `word${at}x${word}`).join('\n');
    const disk = new Disk(Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`f${at}.ts`, words(at)])));
    const indexer = new Indexer(noSlices(), { files: 10_000, bytes: 100_000 });
    const done = await indexer.build([disk]);
    assert.ok(
      done.isFull && done.files > 3 && indexer.index.bytes <= 100_000,
      `${done.files} files, ${indexer.index.bytes}`,
    );
  });

  it('that never ends in depth is left at some depth', async () => {
    const disk = new Disk({});
    // Mounts can form a ring without a link.
    disk.entries = async () => {
      disk.folders++;
      return [['again', 'folder']];
    };
    await built(disk);
    assert.equal(disk.folders, WALK.deepest + 1);
  });
});

describe('an index kept up to date', () => {
  it('reads only what has changed', async () => {
    const disk = new Disk({ 'a.ts': 'a', 'b.ts': 'b' });
    const indexer = await built(disk);
    disk.reads.length = 0;
    disk.files['b.ts'] = 'c';
    disk.times.set('b.ts', 2);
    delete disk.files['a.ts'];
    await built(disk, indexer);
    assert.deepEqual([paths(indexer), disk.reads], [['app/b.ts'], ['b.ts']]);
  });

  it('takes up files and folders that come, and forgets those that go', async () => {
    const disk = new Disk({ src: { 'a.ts': 'a' } });
    const indexer = await built(disk);
    disk.files.lib = { deep: { 'b.ts': 'b' }, '.env': 'KEY=1' };
    await indexer.update(disk, ['lib']);
    assert.deepEqual(paths(indexer), ['app/lib/deep/b.ts', 'app/src/a.ts']);
    delete disk.files.src;
    await indexer.update(disk, ['src']);
    await indexer.update(disk, ['lib', '.env']);
    assert.deepEqual(paths(indexer), ['app/lib/deep/b.ts']);
    disk.files.lib = 'a file now';
    await indexer.update(disk, ['lib']);
    assert.deepEqual(paths(indexer), ['app/lib']);
  });

  it('takes up nothing within a link or an ignored folder', async () => {
    const disk = new Disk({ '.gitignore': 'out', out: { 'a.ts': 'a' }, link: new Link() });
    const indexer = await built(disk);
    await indexer.update(disk, ['out', 'a.ts']);
    await indexer.update(disk, ['link', 'a.ts']);
    await indexer.update(disk, ['out']);
    assert.deepEqual([paths(indexer), disk.reads], [[], []]);
  });

  it('has unsaved text instead of the disk’s until it is looked at again', async () => {
    const disk = new Disk({ 'a.ts': 'saved' });
    const indexer = await built(disk);
    const before = encode(indexer.index.all());
    await indexer.overlay('app/a.ts', 'unsaved');
    await indexer.overlay('app/unknown.ts', 'unsaved');
    assert.deepEqual(paths(indexer), ['app/a.ts']);
    assert.notDeepEqual(encode(indexer.index.all()), before);
    assert.equal(await indexer.refresh({ root: disk, names: ['a.ts'] }), true);
    assert.equal(await indexer.refresh({ root: disk, names: ['a.ts'] }), false);
    assert.deepEqual(encode(indexer.index.all()), before);
  });

  it('starts from what was stored, and reads no file twice', async () => {
    const disk = new Disk({ 'a.ts': 'a', 'b.ts': 'b' });
    const first = await built(disk);
    disk.reads.length = 0;
    const second = new Indexer(noSlices());
    second.restore([...first.index.all()]);
    await built(disk, second);
    assert.deepEqual([paths(second), disk.reads, [...second.changed]], [['app/a.ts', 'app/b.ts'], [], []]);
  });

  it('stops when it is told to, and removes nothing then', async () => {
    const disk = new Disk({ 'a.ts': 'a', 'b.ts': 'b' });
    const indexer = await built(disk);
    disk.times.set('a.ts', 2);
    disk.beforeRead = () => indexer.stop();
    await built(disk, indexer);
    assert.deepEqual(paths(indexer), ['app/a.ts', 'app/b.ts']);
  });
});

describe('work in slices', () => {
  it('pauses when a slice is over, and all that share the slices pause with it', async () => {
    let now = 0;
    let pauses = 0;
    const slices = new Slices(
      () => now,
      async () => void pauses++,
    );
    function* steps(): Generator<void, string> {
      for (let step = 0; step < 12; step++) {
        now += 1;
        yield;
      }
      return 'done';
    }
    assert.deepEqual(await Promise.all([slices.run(steps()), slices.run(steps())]), ['done', 'done']);
    assert.ok(pauses >= 3 && pauses <= 5, `${pauses} pauses in 24 ms`);
  });

  it('tells the error of a step', async () => {
    const broken = (function* (): Generator<void> {
      yield;
      throw new Error('broken');
    })();
    await assert.rejects(noSlices().run(broken), /broken/);
  });
});
