// What an account costs and how soon its devices know of each other: the server as it is shipped, a process of its own.
import { join } from 'node:path';
import { startBackend } from '../editor/backend.ts';
import { freshPostgres, stopPostgres } from '../support/postgres.ts';
import { type Call, callByTurns } from './calls.ts';
import { renames } from './devices.ts';
import { exports, FEW, MANY } from './exports.ts';
import { memberAt, type SeededMember, seedMember } from './members.ts';
import { type Finding, listed, type Measure, median, quantile } from './numbers.ts';
import { firstPaint } from './page.ts';
import { searches } from './searches.ts';
import { diskFolder } from './services.ts';

const SECRET = 'a secret of the bench, 32 characters';
const ROUNDS = 5;

export const accounts: Measure = {
  name: 'accounts',
  about: 'who calls, what another device sees and when, searches, exports, the page',
  async run(say) {
    return [...(await onSqlite(say)), ...(await onPostgres(say))];
  },
};

async function onSqlite(say: (line: string) => void): Promise<Finding[]> {
  const disk = await diskFolder('accounts');
  try {
    const database = join(disk.folder, 'perigee.db');
    const few = await seedMember(`sqlite:${database}`, FEW);
    const many = await seedMember(`sqlite:${database}`, MANY);
    const backend = await startBackend({ database });
    try {
      const { url } = backend;
      return [
        ...(await authenticated(url, few, 'SQLite', say)),
        await renames('sqlite', 'SQLite', memberAt(url, few, 0), memberAt(url, few, 1), say),
        await searches(url, few, say),
        ...(await exports(url, { few, many }, say)),
        ...(await firstPaint(url, few, say)),
      ];
    } finally {
      await backend.stop();
    }
  } finally {
    await disk.remove();
  }
}

/** Two nodes on one database. */
async function onPostgres(say: (line: string) => void): Promise<Finding[]> {
  const stops: (() => Promise<void>)[] = [stopPostgres];
  try {
    const url = await freshPostgres();
    const seeded = await seedMember(url, 2);
    const nodes: string[] = [];
    for (let i = 0; i < 2; i++) {
      const backend = await startBackend({ env: { DATABASE_URL: url, SECRET } });
      stops.push(() => backend.stop());
      nodes.push(backend.url);
    }
    const [one, other] = nodes as [string, string];
    const where = 'two nodes on PostgreSQL';
    return [
      ...(await authenticated(one, seeded, 'PostgreSQL', say)),
      await renames('postgres', where, memberAt(one, seeded, 0), memberAt(other, seeded, 1), say),
    ];
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/**
 * `GET /api/account` beside `/readyz`, the leanest route: it asks nobody who they are, and its database once a second. So the
 * ratio has all that identity costs in it, and the one way to the database on which the account is read.
 */
async function authenticated(
  url: string,
  seeded: SeededMember,
  engine: string,
  say: (line: string) => void,
): Promise<Finding[]> {
  const calls = await callsOf(url, seeded);
  const { open, member } = calls;
  const rounds: { open: number; member: number }[] = [];
  // On a machine that is busy with other things p99 is mostly waiting, for both alike: the middle shows what they cost.
  const middles: typeof rounds = [];
  for (let i = 0; i <= ROUNDS; i++) {
    const times = await callByTurns(url, [open, member], { perSecond: 50, seconds: 10 });
    const at = (part: number) => ({
      open: quantile(times.get(open.name)!, part),
      member: quantile(times.get(member.name)!, part),
    });
    const p99 = at(0.99);
    say(`${engine}, p99: ${open.name} ${p99.open.toFixed(2)} ms, ${member.name} ${p99.member.toFixed(2)} ms`);
    // In the first round code is compiled.
    if (i === 0) continue;
    rounds.push(p99);
    middles.push(at(0.5));
  }
  const ratios = rounds.map((round) => round.member / round.open);
  const others = await callByTurns(url, Object.values(calls), { perSecond: 50, seconds: 10 });
  const id = engine.toLowerCase();
  const noteOf = (which: 'open' | 'member') =>
    `middle of ${listed(
      rounds.map((round) => round[which]),
      2,
    )}; p50 ${median(middles.map((round) => round[which])).toFixed(2)} ms`;
  return [
    {
      id: `account-ratio-${id}`,
      what: `GET /api/account of a member, p99, beside ${open.name}, ${engine}, 50/s of each`,
      value: median(ratios),
      unit: '×',
      goal: { atMost: 1.5 },
      note: `middle of ${listed(ratios, 2)}`,
    },
    ...(['open', 'member'] as const).map((which) => ({
      id: `account-${which}-${id}`,
      what: `  ${calls[which].name}, p99`,
      value: median(rounds.map((round) => round[which])),
      unit: 'ms',
      note: noteOf(which),
    })),
    ...Object.entries(calls).map(([key, { name }]) => ({
      id: `account-all-${key}-${id}`,
      what: `  ${name}, p99, all kinds at once, 50/s of each`,
      value: quantile(others.get(name)!, 0.99),
      unit: 'ms',
      note: `p50 ${median(others.get(name)!).toFixed(2)} ms`,
    })),
  ];
}

async function callsOf(url: string, seeded: SeededMember) {
  const guest = (await (await fetch(`${url}/api/guest`, { method: 'POST' })).json()) as { token: string };
  const member = memberAt(url, seeded, 0);
  const fixed = (headers: Record<string, string>) => async () => headers;
  const account = '/api/account';
  return {
    open: { name: '/readyz', path: '/readyz', headers: fixed({}) },
    options: { name: '/api/auth/options', path: '/api/auth/options', headers: fixed({}) },
    member: { name: 'a member by DPoP', path: account, headers: () => member.credentials('GET', account) },
    guest: { name: 'a guest', path: account, headers: fixed({ authorization: `Bearer ${guest.token}` }) },
    page: { name: 'a page', path: account, headers: fixed({ cookie: `perigee_session=${seeded.pageToken}` }) },
  } satisfies Record<string, Call>;
}
