// `npm run test:relays [-- --only nginx --look]`: what a real server sees of real proxies, directly and behind the shipped
// Caddy, and what it makes of simulated people who work through them for three days. Proxies come from the PATH, npm and
// Debian; what can't be had is skipped and named. The exit code is 1 if anything is other than expected.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../editor/fetch.ts';
import { letWork, type Outcome } from './crowds.ts';
import { EXPECTED, WORKING } from './expected.ts';
import { look, type Sight } from './look.ts';
import { Absent } from './obtain.ts';
import { PROXIES } from './proxies.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, look: { type: 'boolean', default: false } } });
const caddyfile = readFileSync(join(root, 'docs/deploy/Caddyfile'), 'utf8');
const failures: string[] = [];
const skipped: string[] = [];

/** Tells one case in a line. */
async function tryOut(title: string, expected: string, seen: () => Promise<string>): Promise<void> {
  try {
    const was = await seen();
    console.log(`${title} | ${was}`, was.startsWith(expected) ? '' : `EXPECTED ${expected}`);
    if (!was.startsWith(expected)) failures.push(title);
  } catch (error) {
    const isAbsent = error instanceof Absent;
    (isAbsent ? skipped : failures).push(title);
    console.log(`${title} | ${isAbsent ? 'skipped' : 'FAILED'}: ${(error as Error).message}`);
  }
}

const isAsked = (name: string) => !values.only || name.includes(values.only);
const proxyOf = (name: string) => PROXIES.find((proxy) => proxy.name === name) ?? null;

const tellSight = ({ marks, leftovers, clients, foreign, requests }: Sight) =>
  `${marks} | ${leftovers} | ${clients} | ${foreign} of ${requests}`;

console.log('proxy | marks | leftovers | clients on one connection | foreign heads');
for (const [name, { direct, edge }] of Object.entries(EXPECTED).filter(([name]) => isAsked(name))) {
  await tryOut(name, direct, async () => tellSight(await look(proxyOf(name), null)));
  await tryOut(`${name}, behind Caddy`, edge, async () => tellSight(await look(proxyOf(name), caddyfile)));
}

function tellOutcome([first]: readonly Outcome[]): string {
  if (!first) return 'nothing was stored';
  const { isFlagged, judgement, hours, requests } = first;
  const { P, T, I, X } = judgement.families;
  const nats = `${judgement.lambda.toFixed(1)} nats (P ${P.toFixed(1)}, T ${T.toFixed(1)}, I ${I.toFixed(1)}, X ${X.toFixed(1)})`;
  return `${isFlagged ? 'flagged' : judgement.verdict} | ${nats} after ${hours} h | ${requests} requests`;
}

if (!values.look) console.log('\npeople | verdict | evidence | requests');
for (const { crowd, through, behindCaddy, expected, seed } of values.look ? [] : WORKING) {
  const title = `${crowd.name}, ${through ? `through ${through}` : 'directly'}${behindCaddy ? ', behind Caddy' : ''}`;
  if (!isAsked(through ?? 'none')) continue;
  const edge = behindCaddy ? caddyfile : null;
  await tryOut(title, expected, async () =>
    tellOutcome(await letWork(crowd, through === null ? null : proxyOf(through), edge, seed)),
  );
}

if (skipped.length > 0) console.log(`\nSkipped: ${skipped.join('; ')}`);
console.log(failures.length === 0 ? '\nAll else as expected.' : `\nNot as expected: ${failures.join('; ')}`);
process.exit(failures.length === 0 ? 0 : 1);
