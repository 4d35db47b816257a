// What grows with the years: the audit of a large journal, and the first page of a long token log, on both engines.
import { join } from 'node:path';
import { auditLive } from '../../server/credits/audit/audit.ts';
import { listLog } from '../../server/credits/log/log.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import { createLog } from '../../server/platform/log.ts';
import { freshPostgres, stopPostgres } from '../support/postgres.ts';
import { accountId, BEGIN, fillJournal, type JournalSize, type Target } from './journal.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';
import { diskFolder } from './services.ts';

const ENGINES = ['sqlite', 'postgres'] as const;
const PAGES = 200;

/** Does something with a database that was filled so. */
async function withJournal<T>(
  engine: Target['engine'],
  size: JournalSize,
  act: (db: Database) => Promise<T>,
): Promise<T> {
  const disk = await diskFolder('books');
  try {
    const target: Target =
      engine === 'sqlite' ? { engine, file: join(disk.folder, 'perigee.db') } : { engine, url: await freshPostgres() };
    await fillJournal(target, size);
    const db = await openDatabase(target, createLog('silent'));
    try {
      return await act(db);
    } finally {
      await db.close();
    }
  } finally {
    await disk.remove();
    await stopPostgres();
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

export const auditing: Measure = {
  name: 'audit',
  about: 'the audit of a million answers, each with its hold, its transfer, its line in the token log, and its run',
  async run(say) {
    const findings: Finding[] = [];
    for (const engine of ENGINES) {
      const rounds = await withJournal(engine, { answers: 1_000_000, accounts: 1000 }, async (db) => {
        const rounds: { s: number; cpu: number }[] = [];
        for (let i = 0; i < 3; i++) {
          const cpu = process.cpuUsage();
          const ms = await timed(async () => {
            const broken = await auditLive(db, BEGIN, 0);
            if (broken.length > 0) throw new Error(`the books of the bench do not hold: ${broken[0]!.what}`);
          });
          const { user, system } = process.cpuUsage(cpu);
          rounds.push({ s: ms / 1000, cpu: (user + system) / 1e6 });
          say(`${engine}: ${(ms / 1000).toFixed(1)} s, ${rounds.at(-1)!.cpu.toFixed(1)} s of this processor`);
        }
        return rounds;
      });
      const what = `audit of 1,000,000 answers, ${engine}`;
      const seconds = rounds.map(({ s }) => s);
      // On SQLite the work is done here: what it takes by itself, whatever else the machine does.
      const own = engine === 'sqlite' ? `; ${median(rounds.map(({ cpu }) => cpu)).toFixed(1)} s of processor time` : '';
      const note = `middle of ${listed(seconds)}${own}`;
      findings.push({ id: `audit-${engine}`, what, value: median(seconds), unit: 's', goal: { atMost: 10 }, note });
    }
    return findings;
  },
};

export const tokenLog: Measure = {
  name: 'log',
  about: 'the first page of a token log of 10 thousand and of 1 million lines; with --large of 10 million, too',
  async run(say, { large }) {
    const findings: Finding[] = [];
    for (const engine of ENGINES) {
      let small = Number.NaN;
      for (const answers of [10_000, 1_000_000, ...(large ? [10_000_000] : [])]) {
        // Most lines are of one account with two ledgers, as after a guest was taken over.
        const ms = await withJournal(engine, { answers, accounts: 2, logOnly: true }, async (db) => {
          await db.write((tx) =>
            tx
              .updateTable('wallet')
              .set({ account_id: accountId(0), is_own: 0 })
              .where('account_id', '=', accountId(1))
              .execute(),
          );
          const page = async () => {
            const { entries } = await listLog(db.read, accountId(0), { limit: 50 });
            if (entries.length !== 50) throw new Error('the page is not full');
          };
          for (let i = 0; i < PAGES; i++) await page();
          const rounds: number[] = [];
          for (let i = 0; i < PAGES; i++) rounds.push(await timed(page));
          return median(rounds);
        });
        const lines = answers.toLocaleString('en');
        say(`${engine}, ${lines} lines: ${ms.toFixed(2)} ms`);
        if (answers === 10_000) small = ms;
        const goal = answers === 10_000 ? undefined : { atMost: small * 2 };
        const note = goal ? 'flat: less than twice the page of 10,000 lines' : undefined;
        const what = `first page of the token log, ${lines} lines, ${engine}`;
        findings.push({ id: `log-${engine}-${answers}`, what, value: ms, unit: 'ms', goal, note });
      }
    }
    return findings;
  },
};
