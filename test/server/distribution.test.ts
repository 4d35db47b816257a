import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { HOT_TABLES } from '../../server/platform/db/tables.ts';
import type { RunRequest } from '../../shared/runs.ts';
import '../support/engines.ts';
import { freshDatabase, startServer, type TestServer } from '../support/server.ts';
import { openTool, type Tool } from '../support/tools.ts';
import { tapWire, type WireTap } from '../support/wireTap.ts';

// Whether the hot tables could be spread over several databases: docs/scaling.md says how.

type HotTable = keyof typeof HOT_TABLES;

/** Queries that don't name a table's key: the table, a part of the query, and what it does. */
const EXCEPTIONS: [table: HotTable, part: string, does: string][] = [
  ['api_key', 'where api_key.secret_hash = $1', 'finds a key by its hash'],
  ['run', 'select * from run where conversation_id = $1 and state =', 'finds the running answer of a conversation'],
  ['limit_use', 'update limit_use set tokens = $1 where run_id = $2', 'replaces the estimate of a run'],
  ['wallet', 'update wallet set of_micro = of_micro where ledger_id = (select', 'locks the wallet of a hold'],
  ['hold', "where run_id = $5 and state = 'pending' returning", 'ends the hold of a run'],
  ['conversation', 'from conversation c', 'finds the summary of a conversation'],
];

/** Jobs look through all accounts. They ask each database, one after the other. */
const JOBS = [
  /lease_until/,
  /from search_due/,
  /^ ?select account_id, substr/,
  /retention/,
  /order by .* limit \$\d+$/,
];

const HOT = Object.entries(HOT_TABLES) as [HotTable, string][];

/** The hot tables of a statement whose key it doesn't name. */
function unnamed(statement: string): HotTable[] {
  return HOT.filter(([table, key]) => {
    const insert = new RegExp(`^insert into ${table} \\(([^)]*)\\)`).exec(statement);
    if (insert) return !insert[1]!.split(', ').includes(key);
    const uses = [...statement.matchAll(new RegExp(`\\b(?:from|join|update) ${table}\\b(?: as (\\w+))?`, 'g'))];
    return uses.some(([, alias = table]) => {
      const column = `(?:\\b${alias}\\.|(?<![.\\w]))${key}`;
      return !new RegExp(`${column} (?:= |in \\()|= ${alias}\\.${key}\\b`).test(statement);
    });
  }).map(([table]) => table);
}

const plain = (statement: string) => statement.replaceAll('"', '').replace(/\s+/g, ' ');

describe('spreading the hot tables over databases', () => {
  let tap: WireTap;
  let server: TestServer;
  let tool: Tool;
  let remove: () => Promise<void>;

  before(async () => {
    const fresh = await freshDatabase('postgres');
    remove = fresh.remove;
    tap = await tapWire(fresh.url);
    server = await startServer('postgres', { databaseUrl: tap.url });
    tool = await openTool(server, { monthlyMicro: 500_000_000 });
  });
  after(async () => {
    await server.stop();
    await tap.stop();
    await remove();
  });

  it('every query of an answer, a call, a list and a meter names the key of its tables', async () => {
    const guest = await server.guest();
    const first = guest.chat('hello', {
      input: { text: 'hello', attachments: [{ kind: 'pasted', text: 'a' }] },
    } as never);
    tap.statements.length = 0;
    await guest.run(first);
    await guest.run({ ...guest.chat('and more'), conversationId: first.conversationId } as RunRequest);
    await guest.conversation(first.conversationId);
    await guest.conversations();
    await guest.account();
    await guest.log();
    await guest.request('GET', '/api/requests');
    await guest.request('GET', `/api/requests/${first.id}`);
    const { data } = (await (await fetch(`${server.url}/v1/models`, { headers: tool.headers })).json()) as {
      data: { id: string }[];
    };
    const call = await tool.send({ model: data[0]!.id, messages: [{ role: 'user', content: 'hi' }] });
    assert.equal(call.status, 200, call.text);

    const statements = new Set(tap.statements.map(plain));
    const seen = new Set<string>();
    const missing: string[] = [];
    for (const statement of statements)
      for (const table of unnamed(statement)) {
        const known = EXCEPTIONS.find(([of, part]) => of === table && statement.includes(part));
        if (known) seen.add(known[1]);
        else if (!JOBS.some((job) => job.test(statement))) missing.push(`${table}: ${statement}`);
      }
    assert.deepEqual(missing, [], 'queries that would be sent to every database');
    assert.deepEqual(
      EXCEPTIONS.map(([, part]) => part).filter((part) => !seen.has(part)),
      [],
      'exceptions that are none',
    );
    const touched = HOT.map(([table]) => table).filter((table) =>
      [...statements].some((statement) => new RegExp(`\\b(?:from|join|update|into) ${table}\\b`).test(statement)),
    );
    assert.deepEqual(
      touched,
      HOT.map(([table]) => table).filter((table) => table !== 'plan_use'),
    );
  });

  it('the page about scaling names the same keys, and the same queries without one', async () => {
    const page = await readFile(new URL('../../docs/scaling.md', import.meta.url), 'utf8');
    for (const [table, key] of HOT) assert.ok(page.includes(`\`${table}\` by \`${key}\``), table);
    for (const [table, , does] of EXCEPTIONS) assert.ok(page.includes(`\`${table}\` ${does}`), does);
  });
});
