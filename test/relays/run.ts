// `npm run test:relays [-- --only nginx]`: what a real server sees of real proxies, directly and behind the shipped Caddy.
// Proxies come from the PATH, npm and Debian; what can't be had is skipped and named. The exit code is 1 if one looks other
// than expected.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../editor/fetch.ts';
import { EXPECTED } from './expected.ts';
import { look, type Sight } from './look.ts';
import { PROXIES } from './proxies.ts';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const shipped = readFileSync(join(root, 'docs/deploy/Caddyfile'), 'utf8');
const failures: string[] = [];
let skipped = 0;

const tell = ({ marks, leftovers, clients, foreign, requests }: Sight) =>
  `${marks} | ${leftovers} | ${clients} | ${foreign} of ${requests}`;

console.log('proxy | seen | marks | leftovers | clients on one connection | foreign heads');
for (const proxy of [null, ...PROXIES]) {
  const name = proxy?.name ?? 'none';
  if (values.only && !name.includes(values.only)) continue;
  for (const edge of [null, shipped]) {
    const way = edge ? 'behind Caddy' : 'directly';
    try {
      const sight = await look(proxy, edge);
      const expected = EXPECTED[name]?.[edge ? 'edge' : 'direct'];
      const isRight = expected !== undefined && tell(sight) === expected;
      console.log(`${name} | ${way} | ${tell(sight)}`, isRight ? '' : `EXPECTED ${expected}`);
      if (!isRight) failures.push(`${name}, ${way}`);
    } catch (error) {
      skipped++;
      console.log(`${name} | ${way} | skipped: ${(error as Error).message.split('\n')[0]}`);
    }
  }
}
console.log(
  failures.length === 0 ? `\nAll as expected, ${skipped} skipped.` : `\nNot as expected: ${failures.join('; ')}`,
);
process.exit(failures.length === 0 ? 0 : 1);
