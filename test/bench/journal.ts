// Large journals for the benches, made inside of the database: millions of answers in the time of thousands.
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { openDatabase } from '../../server/platform/db/open.ts';
import { createLog } from '../../server/platform/log.ts';

export type Target = { engine: 'sqlite'; file: string } | { engine: 'postgres'; url: string };

/** When the first answer was; each is a second later. */
export const BEGIN = 1_700_000_000_000;
const CHARGED = 400;

export interface JournalSize {
  /** Answers of all accounts together. */
  answers: number;
  accounts: number;
  /** Only the token log: what its pages are read from. */
  logOnly?: boolean;
}

export const accountId = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** Fills a fresh database with answers that were charged. Their books balance. */
export async function fillJournal(target: Target, size: JournalSize): Promise<void> {
  const db = await openDatabase(target, createLog('silent'));
  await db.close();
  if (target.engine === 'sqlite') {
    const raw = new Sqlite(target.file);
    raw.pragma('synchronous = OFF');
    for (const statement of statements(size, target.engine)) raw.exec(statement);
    raw.exec('analyze');
    raw.close();
    return;
  }
  const client = new pg.Client({ connectionString: target.url });
  await client.connect();
  try {
    for (const statement of statements(size, target.engine)) await client.query(statement);
    await client.query('analyze');
  } finally {
    await client.end();
  }
}

/** The same statements on both engines but for how numbers are padded. */
function statements({ answers, accounts, logOnly }: JournalSize, engine: Target['engine']): string[] {
  const pad = (n: string) => (engine === 'sqlite' ? `printf('%012d', ${n})` : `lpad((${n})::text, 12, '0')`);
  const id = (kind: string, n: string) => `'0000000${kind}-0000-4000-8000-' || ${pad(n)}`;
  const ledger = id('1', `i % ${accounts}`);
  const [hold, run, message] = [id('2', 'i'), id('3', 'i'), id('4', 'i')];
  // Numbers of a line: SQLite makes them by recursion, which PostgreSQL can do as well.
  const each = (n: number) =>
    `with recursive n(i) as (select cast(0 as bigint) union all select i + 1 from n where i < ${n - 1}) `;
  const at = `${BEGIN} + i * 1000`;
  const of = `(${answers} / ${accounts} + case when i < ${answers % accounts} then 1 else 0 end)`;
  const granted = `${of} * ${CHARGED} + 1000`;
  const select = (columns: string, n: number) => `${each(n)}select ${columns} from n`;
  const log = `insert into log_entry (id, ledger_id, kind, amount, balance, reason, run_id, conversation_id, model,
    input_tokens, cached_input_tokens, output_tokens, estimated, tool, at)
    ${select(`'run:' || ${run}, ${ledger}, 'charge', -${CHARGED}, 1000, 'Answer by m', ${run}, ${run}, 'model ' || (i % 3), 1000, 800, 200, 0, 'tool ' || (i % 5), ${at}`, answers)}`;
  const wallets = [
    `insert into wallet (ledger_id, account_id, of_micro) ${select(`${ledger}, '00000000-0000-4000-8000-' || ${pad('i')}, 1000`, accounts)}`,
    `insert into balance (ledger_id, kind, posted, pending) ${select(`${ledger}, 'promotional', 1000, 0`, accounts)}`,
    `insert into balance (ledger_id, kind, posted, pending) ${select(`${ledger}, 'purchased', 0, 0`, accounts)}`,
  ];
  if (logOnly) return [...wallets, log];
  return [
    ...wallets,
    `insert into transfer (id, debit, credit, amount, kind, request_id, at)
      ${select(`'grant:' || i, 'house:grants', 'promotional:' || ${ledger}, ${granted}, 'grant', 'grant:' || i, ${BEGIN}`, accounts)}`,
    `insert into hold (id, ledger_id, run_id, state, amount, plan, promotional, purchased, posted_amount, created_at, resolved_at)
      ${select(`${hold}, ${ledger}, ${run}, 'posted', 1000, 0, 1000, 0, ${CHARGED}, ${at}, ${at}`, answers)}`,
    `insert into transfer (id, debit, credit, amount, kind, request_id, hold_id, at)
      ${select(`${hold} || ':promotional', 'promotional:' || ${ledger}, 'house:revenue', ${CHARGED}, 'charge', ${run}, ${hold}, ${at}`, answers)}`,
    `insert into run (id, conversation_id, account_id, message_id, kind, model, state, device, request_hash,
      max_output_tokens, owner_node, lease_until, checkpoint, price, created_at, ended_at)
      ${select(`${run}, ${run}, 'a', ${message}, 'chat', 'm', 'complete', 'tool', 'x', 1000, 'n', ${at}, '{}', '{}', ${at}, ${at}`, answers)}`,
    log,
  ];
}
