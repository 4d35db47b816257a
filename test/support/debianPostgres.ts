import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, query } from './nodes.ts';

/** Where Debian puts PostgreSQL 15; `npm run soak` names it. */
export const BIN = process.env.PERIGEE_POSTGRES_BIN ?? '';
export const PGBOUNCER = process.env.PERIGEE_PGBOUNCER ?? '';

/** Skips a suite that needs a program that is not here, and says so. */
export function needs(this: Mocha.Context, program: string): void {
  if (program && existsSync(program)) return;
  if (program) console.log(`        skipped: there is no ${program}`);
  this.skip();
}

const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
/** Both refuse to run as root. */
const user = () => (process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {});

function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-cluster-'));
  const { uid, gid } = user();
  if (uid !== undefined) chownSync(folder, uid, gid!);
  chmodSync(folder, 0o755);
  return folder;
}

function run(program: string, args: string[], folder: string): void {
  const { status, stderr } = spawnSync(join(BIN, program), args, {
    ...user(),
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}

/** A PostgreSQL server of Debian's, with its own data. */
export class Cluster {
  #process!: ChildProcess;

  private constructor(
    readonly folder: string,
    readonly port: number,
  ) {}

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/perigee`;
  }

  static async primary(): Promise<Cluster> {
    const cluster = new Cluster(ownFolder(), await freePort());
    const data = join(cluster.folder, 'data');
    run('initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8'], cluster.folder);
    await cluster.#start();
    await query(cluster.#adminUrl, 'create database perigee');
    return cluster;
  }

  /** A synchronous standby of this primary. */
  async standby(): Promise<Cluster> {
    const standby = new Cluster(ownFolder(), await freePort());
    const from = `postgres://postgres@127.0.0.1:${this.port}/?application_name=standby`;
    run('pg_basebackup', ['-d', from, '-D', join(standby.folder, 'data'), '-R', '-c', 'fast'], standby.folder);
    await standby.#start();
    await query(this.#adminUrl, "alter system set synchronous_standby_names = 'standby'");
    await query(this.#adminUrl, 'select pg_reload_conf()');
    const sync = "select 1 from pg_stat_replication where sync_state = 'sync'";
    await eventually(async () => (await query(this.#adminUrl, sync)).length === 1);
    return standby;
  }

  get #adminUrl(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  async #start(): Promise<void> {
    const settings = ['listen_addresses=127.0.0.1', 'max_connections=200', `port=${this.port}`];
    const args = ['-D', join(this.folder, 'data'), '-k', this.folder, ...settings.flatMap((one) => ['-c', one])];
    this.#process = spawn(join(BIN, 'postgres'), args, { ...user(), cwd: this.folder, stdio: 'ignore' });
    await eventually(() => query(this.#adminUrl, 'select 1').catch(() => null));
  }

  /** kill -9 of the whole server, as a machine that loses its power. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    const { pid } = this.#process;
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    for (const one of [`${pid}`, ...children])
      try {
        process.kill(Number(one), 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    await ended;
  }

  promote(): Promise<unknown> {
    return query(this.#adminUrl, 'select pg_promote()');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** PgBouncer in transaction mode in front of one database. */
export class Pooler {
  #process!: ChildProcess;

  private constructor(
    readonly url: string,
    private readonly folder: string,
  ) {}

  static async of(databaseUrl: string): Promise<Pooler> {
    const { hostname, port, username, password, pathname } = new URL(databaseUrl);
    const own = await freePort();
    const pooler = new Pooler(`postgres://${username}@127.0.0.1:${own}/perigee`, ownFolder());
    const target = `host=${hostname} port=${port} dbname=${pathname.slice(1)} user=${username} password=${password}`;
    const lines = [
      '[databases]',
      `perigee = ${target}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${own}`,
    ];
    lines.push('auth_type = any', 'pool_mode = transaction', 'default_pool_size = 10', 'max_client_conn = 500');
    lines.push('unix_socket_dir =', 'server_login_retry = 1');
    writeFileSync(join(pooler.folder, 'pgbouncer.ini'), lines.join('\n'));
    await pooler.start();
    return pooler;
  }

  async start(): Promise<void> {
    const args = [join(this.folder, 'pgbouncer.ini')];
    this.#process = spawn(PGBOUNCER, args, { ...user(), cwd: this.folder, stdio: 'ignore' });
    await eventually(() => query(this.url, 'select 1').catch(() => null));
  }

  /** Drops all connections at once. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
