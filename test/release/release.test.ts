import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SECRET, ServerProcess } from '../support/server.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const { version, dependencies, engines } = json(join(ROOT, 'package.json'));
const locked: Record<string, { version: string; optional?: boolean }> = json(join(ROOT, 'package-lock.json')).packages;

describe('a release', function () {
  this.timeout(120_000);
  let folder: string;
  let server: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perigee-release-'));
    // As the suite has built it: other steps run it now.
    await run(process.execPath, ['.ci/release.mjs', '--if-changed', join(folder, 'release')], { cwd: ROOT });
    server = join(folder, 'server');
    await mkdir(server);
    const archive = join(folder, 'release', `perigee-server-${version}.tgz`);
    await run('tar', ['-xzf', archive, '--strip-components=1', '-C', server]);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it('is the extension, the server, what changed, and their checksums', () => {
    const files = readdirSync(join(folder, 'release')).sort();
    assert.deepEqual(files, ['CHANGES.md', 'SHA256SUMS', `perigee-${version}.vsix`, `perigee-server-${version}.tgz`]);
    const sums = files
      .filter((file) => file !== 'SHA256SUMS')
      .map((file) => [
        createHash('sha256')
          .update(readFileSync(join(folder, 'release', file)))
          .digest('hex'),
        file,
      ]);
    const told = readFileSync(join(folder, 'release/SHA256SUMS'), 'utf8');
    assert.deepEqual(told.trimEnd().split('\n').sort(), sums.map(([sum, file]) => `${sum}  ${file}`).sort());
  });

  it('leaves alone what is built already, as do the commands of the operator', async () => {
    const built = () => statSync(join(ROOT, 'dist/server/main.js')).mtimeMs;
    const before = built();
    assert.match(
      (await run('npm', ['run', '--silent', 'admin', '--', 'help'], { cwd: ROOT })).stdout,
      /^perigee-admin /,
    );
    assert.equal(built(), before);
  });

  it('has of the changelog the part of its version alone, and none without one', async () => {
    const { changesOf } = await import(join(ROOT, '.ci/release.mjs'));
    const changelog =
      '# Changelog\n\n## 1.1.0 (2027-01-31)\n\n- New.\n\n## 1.1.0-beta\n\n## 1.0.0\n\nFirst.\n\n### More\n\n- Old.\n';
    assert.equal(changesOf(changelog, '1.1.0'), '- New.\n');
    assert.equal(changesOf(changelog, '1.0.0'), 'First.\n\n### More\n\n- Old.\n');
    for (const none of ['1.1', '1.1.0-beta', '2.0.0']) assert.throws(() => changesOf(changelog, none), /"## /);
  });

  it('names as dependencies of the server what it imports, at the locked versions', () => {
    const manifest = json(join(server, 'package.json'));
    assert.deepEqual([manifest.version, manifest.engines.node], [version, engines.node]);
    // What only the build needs is a development dependency, so the two lists are the same.
    assert.deepEqual(Object.keys(manifest.dependencies).sort(), Object.keys(dependencies).sort());
    for (const [name, exact] of Object.entries(manifest.dependencies))
      assert.equal(exact, locked[`node_modules/${name}`]?.version, name);
    const { packages } = json(join(server, 'npm-shrinkwrap.json'));
    assert.deepEqual(packages[''].dependencies, manifest.dependencies);
    for (const [path, entry] of Object.entries<{ version: string; resolved?: string }>(packages)) {
      if (path !== '') assert.equal(entry.version, locked[path]?.version, path);
      // As in the lock file: who installs it says from where.
      assert.equal(entry.resolved, undefined, path);
    }
  });

  it('starts and obeys the operator, with the production dependencies alone and without a checkout', async () => {
    // Refuses a lock file that does not fit the manifest. Nothing is fetched: what `npm ci` would install is here already.
    await run('npm', ['ci', '--omit=dev', '--dry-run', '--offline', '--no-audit'], { cwd: server });
    // Nested packages come with those that they are nested in, and an optional one may not be for this machine.
    const paths = Object.keys(json(join(server, 'npm-shrinkwrap.json')).packages).filter(
      (path) => path.lastIndexOf('node_modules/') === 0 && (!locked[path]?.optional || existsSync(join(ROOT, path))),
    );
    const archive = join(folder, 'modules.tar');
    await run('tar', ['-cf', archive, '-C', ROOT, ...paths]);
    await run('tar', ['-xf', archive, '-C', server]);
    const { bin } = json(join(server, 'package.json'));
    const [serve, admin] = ['perigee-server', 'perigee-admin'].map((name) => join(folder, name)) as [string, string];
    // As npm and operators link them.
    await symlink(join(server, bin['perigee-server']), serve);
    await symlink(join(server, bin['perigee-admin']), admin);
    const database = `sqlite:${join(folder, 'data/perigee.db')}`;
    const running = await ServerProcess.start(database, '', {}, [serve]);
    try {
      assert.equal((await fetch(`${running.url}/readyz`)).status, 200);
      assert.equal((await fetch(`${running.url}/account`)).status, 200);
      const openapi = (await (await fetch(`${running.url}/openapi.json`)).json()) as { info: { version: string } };
      assert.equal(openapi.info.version, version);
      const env = { ...process.env, DATABASE_URL: database, SECRET };
      const commands = (...args: string[]) => run(admin, args, { cwd: folder, env });
      assert.match((await commands('help')).stdout, /^perigee-admin COMMAND/);
      assert.match((await commands('create', 'ada@example.org')).stdout, /ada@example\.org/);
      await commands('audit');
    } finally {
      assert.equal(await running.terminate(), 0);
    }
  });
});

describe('the place of a release', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perigee-place-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  /** `--if-changed`: a release that is made after all is made sooner. */
  const refused = (...args: string[]) =>
    run(process.execPath, ['.ci/release.mjs', '--if-changed', ...args], { cwd: ROOT }).then(
      () => assert.fail('it was made'),
      (error: { code: number; stderr: string }) => error,
    );

  const TAKEN: [what: string, make: (path: string) => Promise<unknown>, said: RegExp][] = [
    [
      'a folder with anything in it',
      (path) => put(path, 'thesis.txt'),
      /is not empty\. Name a new folder, or empty it/,
    ],
    ['a folder with a hidden file in it', (path) => put(path, '.env'), /is not empty/],
    ['a folder with an older release in it', (path) => put(path, 'SHA256SUMS'), /is not empty/],
    ['a link to such a folder', (path) => put(`${path}-2`, 'a').then(() => symlink(`${path}-2`, path)), /is not empty/],
    ['a file', (path) => writeFile(path, 'years of work'), /is no folder/],
  ];
  async function put(path: string, name: string): Promise<void> {
    await mkdir(path);
    await writeFile(join(path, name), 'years of work');
  }
  for (const [what, make, said] of TAKEN)
    it(`is not ${what}, which stays as it is`, async () => {
      await make(join(folder, 'it'));
      const before = readdirSync(folder, { recursive: true });
      const { code, stderr } = await refused(join(folder, 'it'));
      assert.deepEqual(readdirSync(folder, { recursive: true }), before);
      assert.equal(code, 2);
      assert.match(stderr, said);
      assert.equal(stderr.trim().split('\n').length, 1);
    });

  const MISUSED: [what: string, args: string[]][] = [
    ['an option that there is not', ['--folder', 'a']],
    ['two folders', ['a', 'b']],
    ['an empty name', ['']],
  ];
  for (const [what, args] of MISUSED)
    it(`is not ${what}`, async () => {
      const { code, stderr } = await refused(
        ...args.map((arg) => (arg === 'a' || arg === 'b' ? join(folder, arg) : arg)),
      );
      assert.equal(code, 2);
      assert.match(stderr, /^npm run release: .*\n$/);
      assert.deepEqual(readdirSync(folder), []);
    });
});
