// `npm run rooms`: the floors of the house, the rooms on them, and how many files and lines stand in each.
import { CORES, FLOORS, ROOMS } from './support/house.ts';
import { sources } from './support/imports.ts';

const files = sources(['shared', 'server', 'extension']);

/** The files that stand in a folder itself, or also in those below it. */
function tell(path: string, withBelow: boolean): string {
  const inside = files.filter((file) => {
    if (file.path === path) return true;
    if (!file.path.startsWith(`${path}/`)) return false;
    return withBelow || !file.path.slice(path.length + 1).includes('/');
  });
  const lines = inside.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
  return `${String(inside.length).padStart(4)} files ${String(lines).padStart(6)} lines`;
}

const line = (depth: number, name: string, told: string, more = '') =>
  console.log(`${'  '.repeat(depth)}${name}`.padEnd(44), told, more);

for (const side of ['server', 'extension', 'shared']) {
  console.log(`\n${side}: imports go from a floor to those with a smaller number only`);
  const domains = Object.entries(FLOORS).filter(([domain]) => domain === side || domain.startsWith(`${side}/`));
  for (const [domain, floor] of domains.sort((a, b) => b[1] - a[1])) {
    if (tell(domain, true).startsWith('   0')) continue;
    line(0, `${String(floor).padStart(2)}  ${domain}`, tell(domain, true));
    tellRooms(domain, 2);
  }
}

/** From the top down, with the rooms within a room. */
function tellRooms(domain: string, depth: number): void {
  const floors = ROOMS[domain] ?? [];
  for (const [below, rooms] of [...floors.entries()].reverse())
    for (const room of rooms) {
      const path = `${domain}/${room}`;
      const isCore = CORES.includes(path);
      line(depth, `${below}  ${room}`, tell(path, true), isCore ? 'pure' : '');
      tellRooms(path, depth + 2);
    }
  if (floors.length > 0 && !tell(domain, false).startsWith('   0'))
    line(depth, '   beside the rooms', tell(domain, false));
}
