import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { type BackupDeps, isBackupCommand, runBackupCommand } from '../../server/accounts/operator/backupCommands.ts';
import { type Database, isUnavailable } from '../../server/platform/db/database.ts';
import { DeletionList } from '../../server/platform/db/deletions.ts';
import type { FileLock } from '../../server/platform/db/fileLock.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import { readRestoring } from '../../server/platform/db/restoring.ts';
import { createLog } from '../../server/platform/log.ts';

const NOW = Date.parse('2027-01-31T12:00:00Z');

describe('the commands about backups', function () {
  this.timeout(60_000);
  let folder: string;
  let file: string;
  let backup: string;
  let deps: BackupDeps;
  let opened: Database[];
  let made: Buffer[] | null = null;
  const at = (name: string) => join(folder, name);
  const open = async (name = file, how: { alongside?: boolean; lock?: FileLock | undefined } = {}) => {
    const db = await openDatabase({ engine: 'sqlite', file: name }, createLog('silent'), how);
    opened.push(db);
    return db;
  };
  const admin = async (...args: string[]) => {
    const { code, lines } = await runBackupCommand(deps, args);
    return { code, said: lines.join('\n') };
  };
  const write = async (name: string, db: Database) =>
    db.write((tx) => tx.insertInto('gate').values({ name }).execute());
  const gates = async (db: Database) =>
    (await db.read.selectFrom('gate').select('name').where('name', 'like', 'test%').orderBy('name').execute()).map(
      ({ name }) => name,
    );

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perigee-backup-'));
    [file, backup] = [at('perigee.db'), at('a.bak')];
    opened = [];
    deps = {
      database: { engine: 'sqlite', file, deletionsFile: `${file}-deletions` },
      secret: 'a secret of 32 characters or more',
      settings: ['SECRET', 'PERIGEE_CONFIG'],
      clock: { now: () => NOW },
      openAlone: (lock) => open(file, { lock }),
      say: () => {},
      finish: async () => ({ isDone: true, awaitsStripe: false, lines: [], remains: [] }),
    };
    // Made once: to open a new database takes its time.
    if (made === null) {
      const db = await open();
      await write('test 1', db);
      assert.equal((await admin('backup', backup)).code, 0);
      await write('test 2', db);
      await db.close();
      made = [readFileSync(file), readFileSync(backup)];
    }
    writeFileSync(file, made[0]!);
    writeFileSync(backup, made[1]!);
    // As the first server leaves it.
    for (const end of ['-lock', '-deletions']) appendFileSync(`${file}${end}`, '');
  });
  afterEach(async () => {
    for (const db of opened) await db.close().catch(() => {});
    await rm(folder, { recursive: true, force: true });
  });

  const inCopy = (name: string, sql: string) => {
    copyFileSync(backup, at(name));
    const copy = new Sqlite(at(name));
    copy.exec(sql);
    copy.close();
  };
  const changedAt = (name: string, change: (bytes: Buffer) => void) => {
    const bytes = readFileSync(backup);
    change(bytes);
    writeFileSync(at(name), bytes);
  };

  const BACKUPS: [what: string, make: () => void, name: string, said: RegExp][] = [
    ['a file that is there', () => {}, 'a.bak', /a\.bak is there already\. Name another file, or add --replace/],
    ['a folder', () => mkdirSync(at('f')), 'f', /f is a folder\. Name a file in it/],
    ['a folder that is not there', () => {}, 'none/b.bak', /There is no folder .*none\. Make it/],
    ['what stands in a file', () => {}, 'a.bak/b.bak', /a\.bak is no folder/],
    ['the database', () => {}, 'perigee.db', /belongs to the database itself/],
    ['its log', () => {}, 'perigee.db-wal', /belongs to the database itself/],
    ['its lock', () => {}, 'perigee.db-lock', /belongs to the database itself/],
    ['its list of deletions', () => {}, 'perigee.db-deletions', /belongs to the database itself/],
    [
      'a list of deletions elsewhere',
      () => {
        deps.database.deletionsFile = at('list');
        writeFileSync(at('list'), '');
      },
      'list',
      /belongs to the database itself/,
    ],
    ['the secret beside it', () => writeFileSync(at('secret'), 's'), 'secret', /belongs to the database itself/],
    [
      'a link to the secret',
      () => {
        writeFileSync(at('secret'), 's');
        symlinkSync(at('secret'), at('l'));
      },
      'l',
      /belongs to the database itself/,
    ],
    [
      'the token of local mode',
      () => writeFileSync(at('local-token'), 't'),
      'local-token',
      /belongs to the database itself/,
    ],
    ['a link to the database', () => symlinkSync(file, at('l')), 'l', /belongs to the database itself/],
    ['a second name of the database', () => linkSync(file, at('l')), 'l', /belongs to the database itself/],
    ['the database by a detour', () => mkdirSync(at('d')), 'd/../perigee.db', /belongs to the database itself/],
    ['a link that leads nowhere', () => symlinkSync(at('nowhere'), at('l')), 'l', /l is there already/],
    ['a name that is too long', () => {}, 'x'.repeat(300), /can't be written \(ENAMETOOLONG\)/],
    ['a device', () => {}, '/dev/full', /is no ordinary file/],
  ];
  for (const [what, make, name, said] of BACKUPS)
    for (const replace of what.includes('is there') || what.includes('nowhere') ? [false] : [false, true])
      it(`write no backup over ${what}${replace ? ', also if it may be replaced' : ''}`, async () => {
        make();
        const files = () => readdirSync(folder).sort();
        const before = [files(), readFileSync(file), readFileSync(backup)];
        const told = await admin(
          'backup',
          name.startsWith('/') ? name : `${folder}/${name}`,
          ...(replace ? ['--replace'] : []),
        );
        assert.equal(told.code, 1);
        assert.match(told.said, said);
        assert.deepEqual([files(), readFileSync(file), readFileSync(backup)], before);
      });

  it('replace a backup if they are asked to, and leave nothing beside it', async () => {
    assert.equal((await admin('backup', backup, '--replace')).code, 0);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('a.bak')),
      ['a.bak'],
    );
    assert.equal((await admin('restore', backup)).code, 0);
    assert.deepEqual(await gates(await open()), ['test 1', 'test 2']);
  });

  it('touch no file or link that somebody put where theirs could be', async () => {
    // A folder that others may write to: they know the number of a process.
    const planted = [`${backup}.partial-${process.pid}`, `${file}.restoring-${process.pid}`];
    writeFileSync(at('victim'), 'of somebody else');
    symlinkSync(at('victim'), planted[0]!);
    writeFileSync(planted[1]!, 'of somebody else');
    assert.equal((await admin('backup', backup, '--replace')).code, 0);
    assert.equal((await admin('restore', backup)).code, 0);
    for (const path of [at('victim'), ...planted]) assert.equal(String(readFileSync(path)), 'of somebody else', path);
  });

  it('write no backup of a database that is damaged', async () => {
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 8192, 60_000);
    writeFileSync(file, bytes);
    const told = await admin('backup', at('b.bak'));
    assert.equal(told.code, 1);
    assert.match(told.said, /perigee\.db is damaged: .*restore an older one/);
    assert(!existsSync(at('b.bak')));
  });

  it('keep nothing of what was deleted', async () => {
    const db = await open();
    await write('test of a text that somebody had deleted', db);
    await db.write((tx) => tx.deleteFrom('gate').where('name', 'like', '%somebody%').execute());
    assert.equal((await admin('backup', at('b.bak'))).code, 0);
    assert(!readFileSync(at('b.bak')).includes('somebody had deleted'));
  });

  const RESTORES: [what: string, make: () => void, name: string, said: RegExp][] = [
    ['that is not there', () => {}, 'none.bak', /There is no .*none\.bak/],
    ['that is a folder', () => mkdirSync(at('f')), 'f', /f is no file/],
    ['that is the database itself', () => {}, 'perigee.db', /is the database itself/],
    ['that is a link to the database', () => symlinkSync(file, at('l')), 'l', /is the database itself/],
    ['that is empty', () => writeFileSync(at('b'), ''), 'b', /b is empty/],
    ['that is cut off in its header', () => { copyFileSync(backup, at('b')); truncateSync(at('b'), 50); }, 'b', /b is cut off: 50 bytes are there/],
    ['that is cut off in the middle', () => { copyFileSync(backup, at('b')); truncateSync(at('b'), 20_000); }, 'b', /b is cut off: 20000 bytes of \d+ are there/],
    ['that lacks its last byte', () => { copyFileSync(backup, at('b')); truncateSync(at('b'), readFileSync(backup).length - 1); }, 'b', /b is cut off/],
    ['whose pages are damaged', () => changedAt('b', (bytes) => bytes.fill(0x5a, 8192, 60_000)), 'b', /b is damaged: /],
    ['that is text', () => writeFileSync(at('b'), 'a text of somebody, which is longer than a header of 100 bytes. '.repeat(9)), 'b', /b is no SQLite database/],
    ['that is packed', () => writeFileSync(at('b'), Buffer.from([0x1f, 0x8b, 8, 0])), 'b', /b is no SQLite database.*unpacked/],
    ['that is a dump of PostgreSQL', () => writeFileSync(at('b'), `PGDMP${'x'.repeat(200)}`), 'b', /dump of PostgreSQL: restore it by pg_restore/],
    ['of another program', () => new Sqlite(at('b')).exec('create table t (x)').close(), 'b', /is a SQLite database of another program, not of Perigee/],
    ['of a newer version', () => inCopy('b', `insert into kysely_migration values ('999-later', '2027-01-01')`), 'b', /is of a newer version of Perigee \(999-later\)/],
    ['that has a log beside it', () => { copyFileSync(backup, at('b')); appendFileSync(at('b-wal'), 'x'); }, 'b', /Beside .*b stands b-wal/],
  ]; // biome-ignore format: a table
  for (const [what, make, name, said] of RESTORES)
    it(`restore nothing ${what}, and leave the database as it is`, async () => {
      make();
      const before = readdirSync(folder).sort();
      const told = await admin('restore', at(name));
      assert.equal(told.code, 1);
      assert.match(told.said, said);
      assert.deepEqual(readdirSync(folder).sort(), before);
      assert.deepEqual(await gates(await open()), ['test 1', 'test 2']);
    });

  it('restore no backup of another SECRET, unless it is lost', async () => {
    deps.secret = 'another secret of 32 characters or more';
    const told = await admin('restore', backup);
    assert.equal(told.code, 1);
    assert.match(
      told.said,
      /made with another SECRET \(fingerprint [0-9a-f]{16}; here it is [0-9a-f]{16}\).*Nothing was changed/,
    );
    deps.secret = null;
    assert.match((await admin('restore', backup)).said, /here is none\)/);
    assert.deepEqual(await gates(await open()), ['test 1', 'test 2']);
    await opened.at(-1)!.close();
    const forced = await admin('restore', backup, '--any-secret');
    assert.equal(forced.code, 0, forced.said);
    assert.deepEqual(await gates(await open()), ['test 1']);
  });

  it('restore nothing into a database that a server or another program has open', async () => {
    const db = await open();
    await assert.rejects(admin('restore', backup), /another Perigee server uses .*perigee\.db/);
    await db.close();
    const other = new Sqlite(file);
    other.prepare('select count(*) from gate').get();
    const told = await admin('restore', backup);
    other.close();
    assert.match(told.said, /Another program has .*perigee\.db open\. Nothing was changed/);
    assert.deepEqual(await gates(await open()), ['test 1', 'test 2']);
  });

  it('keep the database that was there, whole, under another name, and say that the restored one is not finished', async () => {
    const { said } = await admin('restore', backup);
    const kept = `${file}.before-restore-20270131T120000Z`;
    assert.match(said, new RegExp(`The database before is kept: ${kept}`));
    const db = await open();
    assert.deepEqual(await gates(db), ['test 1']);
    assert.deepEqual((await readRestoring(db))!.facts.settings, ['SECRET', 'PERIGEE_CONFIG']);
    await db.close();
    // A copy that no backup made is restored, too, and is as old as the newest thing in it.
    assert.equal((await admin('restore', kept)).code, 1, 'a second restore in the same second overwrites nothing');
    deps.clock.now = () => NOW + 1000;
    const again = await admin('restore', kept);
    assert.equal(again.code, 0, again.said);
    assert.match(again.said, /a copy of a database, such as one that a restore kept, and no backup\. Nothing is in it/);
    const back = await open();
    assert.deepEqual(await gates(back), ['test 1', 'test 2']);
    assert.equal((await readRestoring(back))!.facts.takenAt, 0);
  });

  it('restore into a folder that is not there yet, and over a database that is damaged', async () => {
    deps.database = { engine: 'sqlite', file: at('new/perigee.db'), deletionsFile: null };
    deps.openAlone = (lock) => open(at('new/perigee.db'), { lock });
    assert.match((await admin('restore', backup)).said, /There was no database before/);
    writeFileSync(at('new/perigee.db'), 'no database at all');
    writeFileSync(at('new/perigee.db-wal'), 'no log at all');
    deps.clock.now = () => NOW + 1000;
    await opened.at(-1)!.close();
    assert.equal((await admin('restore', backup)).code, 0);
    const kept = at('new/perigee.db.before-restore-20270131T120001Z');
    assert.deepEqual(
      [String(readFileSync(kept)), String(readFileSync(`${kept}-wal`))],
      ['no database at all', 'no log at all'],
    );
    assert.deepEqual(await gates(await open(at('new/perigee.db'))), ['test 1']);
  });

  it('are told from the end of a suspension by what they name', () => {
    const id = '0b8f5f0e-6f0c-4c7e-9d5c-1f2e3d4c5b6a';
    const isBackup = (...args: string[]) => isBackupCommand(args);
    for (const account of [id, id.toUpperCase(), 'ada@example.org'])
      assert.equal(isBackup('restore', account), false, account);
    for (const name of [backup, 'a.bak', '/backups/ada@example.org', 'ada', ''])
      assert.equal(isBackup('restore', name), true, name);
    assert.equal(isBackup('backup', 'x'), true);
    assert.equal(isBackup('audit'), false);
  });

  for (const [args, said] of [
    [['backup'], /^backup needs a file, and nothing else\./],
    [['backup', 'a', 'b'], /^backup needs a file, and nothing else\./],
    [['restore'], /^restore needs a file, and nothing else\./],
    [['restore', 'a', '--replace'], /^restore takes no --replace\./],
    [['backup', 'a', '--nothing'], /^Unknown option '--nothing'\./],
    [['restored', 'a'], /^restored takes no file/],
    [['restored', '--since', 'yesterday'], /^"yesterday" is no time/],
    [['restored', '--since', '2099-01-01'], /^"2099-01-01" is yet to come/],
  ] as const)
    it(`can't understand "${args.join(' ')}"`, async () => {
      const told = await admin(...args);
      assert.equal(told.code, 2);
      assert.match(told.said, said);
    });
});

describe('an embedded database and who works on it', function () {
  this.timeout(60_000);
  let folder: string;
  let file: string;
  let backup: string;
  let opened: Database[];
  let finish: BackupDeps['finish'];
  const at = (name: string) => join(folder, name);
  const open = async (how: { name?: string; alongside?: boolean; lock?: FileLock | undefined } = {}) => {
    const { name = file, ...rest } = how;
    const db = await openDatabase({ engine: 'sqlite', file: name }, createLog('silent'), rest);
    opened.push(db);
    return db;
  };
  const done = async () => ({ isDone: true, awaitsStripe: false, lines: [], remains: [] });
  const admin = async (...args: string[]) => {
    const deps: BackupDeps = {
      database: { engine: 'sqlite', file, deletionsFile: null },
      secret: 'a secret of 32 characters or more',
      settings: [],
      clock: { now: () => NOW },
      openAlone: (lock) => open({ lock }),
      say: () => {},
      finish: (db, how) => finish(db, how),
    };
    const { code, lines } = await runBackupCommand(deps, args);
    return { code, said: lines.join('\n') };
  };
  const mark = (db: Database, name: string) =>
    db.write((tx) =>
      tx
        .insertInto('gate')
        .values({ name: `test ${name}` })
        .execute(),
    );
  const marks = async (db: Database) =>
    (await db.read.selectFrom('gate').select('name').where('name', 'like', 'test%').execute()).length;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perigee-lock-'));
    [file, backup] = [at('perigee.db'), at('a.bak')];
    opened = [];
    finish = done;
    const db = await open();
    assert.equal((await admin('backup', backup)).code, 0, 'a backup is made beside a server');
    await mark(db, 'since the backup');
    await db.close();
  });
  afterEach(async () => {
    for (const db of opened) await db.close().catch(() => {});
    await rm(folder, { recursive: true, force: true });
  });

  it('keep a second server out, by whatever name it calls the database, and no command', async () => {
    symlinkSync(file, at('link.db'));
    const server = await open();
    for (const name of [file, at('link.db')])
      await assert.rejects(open({ name }), /another Perigee server uses .*\. Stop it, or name another file/, name);
    const [one, two] = [await open({ alongside: true }), await open({ name: at('link.db'), alongside: true })];
    await mark(one, 'of a command');
    await mark(two, 'of another command');
    assert.equal(await marks(server), 3);
    await server.close();
    await open();
  });

  it('share the lock of a database that a link names before it is there', async () => {
    mkdirSync(at('disk'));
    symlinkSync(at('disk/p.db'), at('link.db'));
    await open({ name: at('link.db') });
    for (const name of [at('link.db'), at('disk/p.db')])
      await assert.rejects(open({ name }), /another Perigee server uses/, name);
  });

  it('restore nothing under a command, whose write would be lost', async () => {
    const command = await open({ alongside: true });
    await assert.rejects(admin('restore', backup), /a command is at work on .*perigee\.db\. Wait until it has ended/);
    await mark(command, 'of the command');
    await command.close();
    assert.equal((await admin('restore', backup)).code, 0);
    const old = await open({ name: `${file}.before-restore-20270131T120000Z` });
    assert.deepEqual([await marks(old), await marks(await open())], [2, 0]);
  });

  it('let nobody in until a restore is finished, not even between the new file and its last step', async () => {
    const refused: string[] = [];
    finish = async () => {
      for (const how of [{}, { alongside: true }])
        await open(how).then(
          () => refused.push('was opened'),
          ({ message }) => refused.push(message),
        );
      const made = await admin('backup', at('b.bak')).catch(({ message }) => ({ said: message }));
      refused.push(made.said, await admin('restore', backup).catch(({ message }) => message));
      return done();
    };
    assert.equal((await admin('restore', backup)).code, 0);
    assert.equal(refused.length, 4);
    for (const said of refused) assert.match(said, /perigee\.db is being restored\. Wait until that has ended/);
    await open();
  });

  it('say of a backup that is cut off what is wrong with it, also while a server runs', async () => {
    await open();
    truncateSync(backup, 20_000);
    const { code, said } = await admin('restore', backup);
    assert.equal(code, 1);
    assert.match(said, /a\.bak is cut off: 20000 bytes of \d+ are there/);
  });

  it('give the lock back where the database can not be opened', async () => {
    writeFileSync(at('text.db'), 'no database, but a text that is longer than a header of 100 bytes. '.repeat(9));
    for (let i = 0; i < 2; i++) await assert.rejects(open({ name: at('text.db') }), /file is not a database/);
  });

  const UUID = '0b8f5f0e-6f0c-4c7e-9d5c-1f2e3d4c5b6a';
  const KEPT = 'perigee.db.before-restore-20270101T000000Z';
  /** Where a restore can be killed before it has replaced the database, and what it leaves there. */
  const KILLED: [when: string, make: () => void][] = [
    ['in its copy', () => copyFileSync(backup, at(`perigee.db.restoring-${UUID}`))],
    [
      'in the check of its copy',
      () => {
        for (const end of ['', '-wal', '-shm', '-journal'])
          writeFileSync(at(`perigee.db.restoring-${UUID}${end}`), 'x');
      },
    ],
    [
      'once the old database has its second name',
      () => {
        copyFileSync(backup, at(`perigee.db.restoring-${UUID}`));
        linkSync(file, at(KEPT));
      },
    ],
  ];
  for (const [when, make] of KILLED)
    for (const next of ['server', 'restore'] as const)
      it(`lose what a restore left that was killed ${when}, at the next ${next}, and nothing else`, async () => {
        make();
        const others = [`perigee.db.restoring-${process.pid}`, 'perigee.db.before-restore-20260101T000000Z'];
        for (const other of others) writeFileSync(at(other), 'of somebody else');
        if (next === 'server') assert.equal(await marks(await open()), 1);
        else assert.equal((await admin('restore', backup)).code, 0);
        const left = readdirSync(folder).filter((name) => name.includes(UUID) || name === KEPT);
        assert.deepEqual(left, []);
        for (const other of others) assert.equal(String(readFileSync(at(other))), 'of somebody else');
      });

  it('have a damaged database as it was, log included, after a restore that was killed before its last step', async () => {
    writeFileSync(file, 'no database at all');
    writeFileSync(`${file}-wal`, 'no log at all');
    linkSync(`${file}-wal`, at(`${KEPT}-wal`));
    linkSync(file, at(KEPT));
    await rm(`${file}-wal`);
    await assert.rejects(open(), /file is not a database/);
    assert(!existsSync(at(KEPT)) && !existsSync(at(`${KEPT}-wal`)));
    assert.equal(String(readFileSync(file)), 'no database at all');
  });

  it('explain the second name of a database to who would restore it', async () => {
    linkSync(file, at(KEPT));
    const { code, said } = await admin('restore', at(KEPT));
    assert.equal(code, 1);
    assert.match(said, /is the database itself: the restore .* was killed before it changed anything/);
  });

  const NEW: [what: string, make: () => void, said: RegExp][] = [
    ['of another SECRET', () => {}, /made with another SECRET/],
    ['that is damaged', () => writeFileSync(backup, readFileSync(backup).fill(0x5a, 8192, 60_000)), /is damaged/],
    ['that is not there', () => void truncateSync(backup, 0), /is empty/],
  ];
  for (const [what, make, said] of NEW)
    it(`leave no folder and no lock where a backup ${what} is refused and nothing was before`, async () => {
      make();
      const deps: BackupDeps = {
        database: { engine: 'sqlite', file: at('new/data/perigee.db'), deletionsFile: null },
        secret: 'another secret of 32 characters or more',
        settings: [],
        clock: { now: () => NOW },
        openAlone: () => assert.fail('opened'),
        say: () => {},
        finish,
      };
      const { code, lines } = await runBackupCommand(deps, ['restore', backup]);
      assert.equal(code, 1);
      assert.match(lines.join(), said);
      assert(!existsSync(at('new')));
    });

  it('end a restore with 3, and say at its end what remains and what to do', async () => {
    finish = async () => ({ ...(await done()), isDone: false, lines: ['Done.'], remains: ['Do this.', 'And that.'] });
    const restored = await admin('restore', backup);
    assert.equal(restored.code, 3);
    assert.match(restored.said, /\nDone\.\nThe restore is not finished:\n- Do this\.\n- And that\.$/);
    await opened.at(-1)!.close();
    const db = await open();
    assert(await readRestoring(db), 'the real steps were not done here');
    await db.close();
    finish = async (_, how) => {
      await how.prepare?.();
      return done();
    };
    const finished = await admin('restored', '--no-deletions');
    assert.deepEqual([finished.code, finished.said], [0, 'The restore is finished. Start the server.']);
  });

  it('tell the time of a copy that no backup made as that of its newest entry', async () => {
    const db = await open();
    const event = { id: 'e', type: 't', payment_id: null, outcome: 'done', at: Date.parse('2027-01-30T10:00:00Z') };
    await db.write((tx) =>
      tx
        .insertInto('payment_event')
        .values(event as never)
        .execute(),
    );
    await db.close();
    copyFileSync(file, at('copy.db'));
    const { said } = await admin('restore', at('copy.db'));
    assert.match(
      said,
      /copy\.db: a copy of a database.* Its newest entry is of 2027-01-30T10:00:00\.000Z: what is said below/,
    );
    assert(!said.includes('as it was at'));
  });
});

describe('a database of a newer version', () => {
  it('is refused by name, and not changed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'perigee-newer-'));
    try {
      const config = { engine: 'sqlite' as const, file: join(folder, 'perigee.db') };
      await (await openDatabase(config, createLog('silent'))).close();
      const later = new Sqlite(config.file);
      later.exec(`insert into kysely_migration values ('999-later', '2027-01-01')`);
      later.close();
      for (const alongside of [false, true])
        await assert.rejects(
          openDatabase(config, createLog('silent'), { alongside }),
          /a newer version of Perigee has used this database \(999-later\)\. Nothing was changed/,
        );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('the list of deletions', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perigee-deletions-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('has a line on the disk before its transaction is committed, and none of one that failed', async () => {
    const file = join(folder, 'perigee.db');
    const list = join(folder, 'list');
    const db = await openDatabase({ engine: 'sqlite', file, deletionsFile: list }, createLog('silent'));
    // As the engine, which is loaded when it is needed.
    const { deleted } = await import('../../server/platform/db/deletions.ts');
    const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
    const results = await Promise.allSettled([
      db.write(async (tx) => deleted(tx, { what: 'conversation', id: id(1) })),
      db.write(async (tx) => {
        deleted(tx, { what: 'conversation', id: id(2) });
        throw new Error('refused');
      }),
      db.write(async (tx) => deleted(tx, { what: 'account', id: id(3) })),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    const read = await db.deletions.read();
    assert.deepEqual([[...read!.conversations.keys()], [...read!.accounts.keys()]], [[id(1)], [id(3)]]);
    assert.match(
      readFileSync(list, 'utf8'),
      /^[\dT:.Z-]+ list begins\n(\d{4}-\d\d-\d\dT[\d:.]+Z (conversation|account) [0-9a-f-]{36}\n){2}$/,
    );
    await rm(list);
    mkdirSync(list);
    const lost = db.write(async (tx) => {
      await tx.insertInto('gate').values({ name: 'test of a deletion' }).execute();
      deleted(tx, { what: 'account', id: id(4) });
    });
    const beside = db.write(async () => 'done');
    await assert.rejects(lost, (error: Error) => isUnavailable(error) && /can't be written/.test(error.message));
    assert.equal(await beside, 'done', 'what shares its commit does not fail with it');
    const rows = await db.read.selectFrom('gate').selectAll().where('name', 'like', 'test%').execute();
    assert.deepEqual(rows, [], 'what can not be listed is not deleted');
    await db.close();
  });

  it('is read whatever is in it: the newest word about an account counts, and a deletion for good', async () => {
    const list = new DeletionList(join(folder, 'list'));
    assert.equal(await list.read(), null);
    appendFileSync(list.file!, `2027-13-45T12:00:00.000Z conversation e\n`);
    const day = 86_400_000;
    list.append(
      [
        { what: 'kept', id: 'a' },
        { what: 'closing', id: 'b', goneAt: NOW + day },
      ],
      NOW,
    );
    list.append(
      [
        { what: 'closing', id: 'a', goneAt: NOW },
        { what: 'account', id: 'c' },
      ],
      NOW - day,
    );
    appendFileSync(list.file!, 'half of a li');
    list.append(
      [
        { what: 'kept', id: 'c' },
        { what: 'conversation', id: 'd' },
      ],
      NOW,
    );
    appendFileSync(
      list.file!,
      `\n${new Date(NOW).toISOString()} account ../../etc\n${new Date(NOW).toISOString()} closing x\n`,
    );
    const read = (await list.read())!;
    assert.deepEqual(Object.fromEntries(read.accounts), {
      a: { what: 'kept' },
      b: { what: 'closing', goneAt: NOW + day },
      c: { what: 'account' },
    });
    assert.deepEqual([[...read.conversations], read.since, read.unreadable], [[['d', NOW]], null, 4]);
  });

  it('says since when it is kept, once, and a line that is older counts', async () => {
    const list = new DeletionList(join(folder, 'list'));
    list.prepare();
    const { since, isEmpty } = (await list.read())!;
    assert(since !== null && Math.abs(Date.now() - since) < 60_000 && !isEmpty);
    const made = readFileSync(list.file!, 'utf8');
    list.prepare();
    assert.equal(readFileSync(list.file!, 'utf8'), made);
    list.append([{ what: 'conversation', id: 'a' }], 1_000);
    assert.equal((await list.read())!.since, 1_000);
    writeFileSync(list.file!, '');
    assert.equal((await list.read())!.isEmpty, true);
  });

  it('that can not be written stops a server at its start, by the name of the setting', async () => {
    const config = { engine: 'sqlite' as const, file: join(folder, 'perigee.db'), deletionsFile: folder };
    await assert.rejects(openDatabase(config, createLog('silent')), /DELETIONS_FILE: .* can't be written \(EISDIR\)/);
  });
});
