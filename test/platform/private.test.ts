import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../server/platform/config/config.ts';
import { createLog } from '../../server/platform/log.ts';
import { createMailer } from '../../server/platform/mail.ts';
import { knownSecret, ownSecret } from '../../server/platform/ownSecret.ts';
import { openBooks } from '../support/server.ts';

const mode = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8);

describe('the secret beside a database', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'perigee-secret-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));
  const config = (folder: string) => parseConfig({ DATABASE_URL: `sqlite:${join(folder, 'perigee.db')}` }, () => '{}');

  for (const [text, why] of [
    ['', 'empty'],
    [' \n', 'empty'],
    ['0123456789abcdef', 'cut off'],
  ] as const)
    it(`is refused where its file is ${why}, as ${JSON.stringify(text)}: anybody could guess it`, async () => {
      await writeFile(join(dir, 'secret'), text);
      for (const read of [ownSecret, knownSecret])
        assert.throws(
          () => read(config(dir)),
          new RegExp(`^Error: SECRET: the file .*secret is ${why}\\. Put the one from`),
        );
      assert.deepEqual(await readdir(dir), ['secret']);
    });

  it('is made by a server alone, once', async () => {
    const folder = join(dir, 'data');
    assert.equal(knownSecret(config(folder)), null);
    assert.deepEqual(await readdir(dir), []);
    const made = ownSecret(config(folder));
    assert.ok(made.length >= 32);
    assert.deepEqual([ownSecret(config(folder)), knownSecret(config(folder))], [made, made]);
  });
});

const onModes = process.platform === 'win32' ? describe.skip : describe;

onModes('what is kept on disk', () => {
  let dir: string;
  let umask: number;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'perigee-private-'));
    umask = process.umask();
  });
  afterEach(async () => {
    process.umask(umask);
    await rm(dir, { recursive: true, force: true });
  });
  const start = async (file: string) => {
    ownSecret(parseConfig({ DATABASE_URL: `sqlite:${file}` }, () => '{}'));
    return openBooks(`sqlite:${file}`);
  };

  for (const mask of [0o000, 0o022, 0o077])
    it(`is for its user alone, with a umask of ${mask.toString(8)}`, async () => {
      process.umask(mask);
      const folder = join(dir, 'data');
      const db = await start(join(folder, 'perigee.db'));
      const mailer = createMailer({ url: `file:${join(folder, 'mail')}`, from: 'a@example.org' }, createLog('silent'));
      await mailer.send({ to: 'b@example.org', subject: 's', text: 't' });
      assert.equal(await mode(folder), '700');
      assert.equal(await mode(join(folder, 'mail')), '700');
      const names = (await readdir(folder, { recursive: true })).filter((name) => name !== 'mail');
      assert.ok(names.some((name) => name.endsWith('-wal')) && names.some((name) => name.endsWith('-shm')));
      for (const name of names) assert.equal(await mode(join(folder, name)), '600', name);
      await db.close();
    });

  it('is mended at the start where an older version left it open', async () => {
    const folder = join(dir, 'data');
    await mkdir(join(folder, 'mail'), { recursive: true });
    await chmod(folder, 0o755);
    const names = ['perigee.db', 'perigee.db-lock', 'perigee.db.bak', 'secret', 'local-token'];
    for (const name of names) {
      await writeFile(join(folder, name), name === 'secret' ? 's'.repeat(43) : '');
      await chmod(join(folder, name), 0o644);
    }
    const db = await start(join(folder, 'perigee.db'));
    for (const name of [...names, 'perigee.db-wal', 'perigee.db-shm'])
      assert.equal(await mode(join(folder, name)), '600', name);
    assert.equal(await mode(folder), '700');
    await db.close();
  });

  const NOT_OURS: [title: string, prepare: (folder: string) => Promise<unknown>, mode: string][] = [
    ['a folder with anything else in it', (folder) => writeFile(join(folder, 'notes.txt'), ''), '755'],
    ['a folder that all may write to', (folder) => chmod(folder, 0o1777), '1777'],
  ];
  for (const [title, prepare, kept] of NOT_OURS)
    it(`leaves ${title} as it is, and closes its own files`, async () => {
      await chmod(dir, 0o755);
      await prepare(dir);
      const db = await start(join(dir, 'perigee.db'));
      assert.deepEqual([await mode(dir), await mode(join(dir, 'perigee.db'))], [kept, '600']);
      await db.close();
    });

  it('is mended only where it is a database of ours: any other file stays as it is', async () => {
    const file = join(dir, 'program.js');
    await writeFile(file, '#!/usr/bin/env node');
    await chmod(file, 0o755);
    await assert.rejects(openBooks(`sqlite:${file}`), /file is not a database/);
    assert.equal(await mode(file), '755');
  });

  it('leaves alone what a link leads to', async () => {
    const folder = join(dir, 'data');
    await mkdir(folder);
    const outside = join(dir, 'shared.txt');
    await writeFile(outside, 's'.repeat(43));
    await chmod(outside, 0o644);
    await symlink(outside, join(folder, 'secret'));
    await symlink(outside, join(folder, 'perigee.db.bak'));
    const db = await start(join(folder, 'perigee.db'));
    assert.equal(await mode(outside), '644');
    await db.close();
  });
});
