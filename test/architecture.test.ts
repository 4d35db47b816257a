import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { root as ROOT } from './editor/fetch.ts';
import { CORES, FLOORS, ROOMS } from './support/house.ts';
import { type Import, importsOf, type SourceFile, sources } from './support/imports.ts';

const HOUSE = ['shared', 'server', 'extension'];

/** More names than one takes in at a glance. */
const MOST_FILES = 20;

/** The folders of `server/web` whose files run in a browser. */
const IN_BROWSER = /^server\/web\/(kit|pages|desk)\//;

/** What is started, and reads the environment. */
const DOORS = ['server/main.ts', 'server/admin.ts'];

function domainOf(path: string): string | undefined {
  return Object.keys(FLOORS)
    .filter((domain) => path === domain || path.startsWith(`${domain}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** The names of a domain's rooms in which two of its files stand; undefined for files that stand beside the rooms. */
function roomsOf(domain: string, ...paths: string[]): (string | undefined)[] {
  return paths.map(
    (path) =>
      path
        .slice(domain.length + 1)
        .split('/')
        .slice(0, -1)[0],
  );
}

/** Every import between rooms that doesn't go down, as sentences. */
function wrongRooms({ from, to }: Import): string[] {
  return Object.entries(ROOMS).flatMap(([domain, floors]) => {
    if (!from.startsWith(`${domain}/`) || !to.startsWith(`${domain}/`)) return [];
    const [room, other] = roomsOf(domain, from, to);
    if (room === other || room === undefined || other === undefined) return [];
    const [floor, below] = [room, other].map((name) => floors.findIndex((rooms) => rooms.includes(name)));
    const unknown = floor! < 0 ? room : below! < 0 ? other : undefined;
    if (unknown !== undefined) return [`${domain}/${unknown} is a room without a floor`];
    return below! >= floor! ? [`${from} imports ${to}: rooms of ${domain} import down only`] : [];
  });
}

/** The files, or the rooms and the files beside them, that import each other in a circle, as one sentence. */
function circles(imports: readonly Import[], nameOf: (path: string) => string): string[] {
  const to = new Map<string, Set<string>>();
  for (const one of imports) {
    const [a, b] = [nameOf(one.from), nameOf(one.to)];
    if (a !== b) to.set(a, (to.get(a) ?? new Set()).add(b));
  }
  const done = new Set<string>();
  const visit = (name: string, path: string[]): string[] => {
    if (path.includes(name)) return [`a circle: ${[...path.slice(path.indexOf(name)), name].join(' → ')}`];
    if (done.has(name)) return [];
    const found = [...(to.get(name) ?? [])].flatMap((next) => visit(next, [...path, name]));
    done.add(name);
    return found;
  };
  return [...to.keys()].flatMap((name) => visit(name, []));
}

/** Every broken rule of the house in these files, as sentences. */
function violations(files: readonly SourceFile[]): string[] {
  const broken: string[] = [];
  for (const file of files) {
    const domain = domainOf(file.path);
    if (domain === undefined) {
      broken.push(`${file.path} stands on no floor`);
      continue;
    }
    const inPages = IN_BROWSER.test(file.path);
    const inWebview = file.path.startsWith('extension/chat/webview/');
    for (const one of importsOf(file)) {
      const { to, typeOnly } = one;
      broken.push(...wrongRooms(one));
      const target = domainOf(to);
      const isOurs = /^(shared|server|extension|test)\//.test(to);
      const packageName = isOurs ? null : to;
      if (isOurs && target === undefined) broken.push(`${file.path} imports ${to}, which stands on no floor`);
      if (target !== undefined && target !== domain) {
        if (FLOORS[target]! >= FLOORS[domain]!) broken.push(`${file.path} imports ${to}: imports go down only`);
        const sides = new Set([domain, target].map((d) => d.split('/')[0]).filter((side) => side !== 'shared'));
        if (sides.size > 1) broken.push(`${file.path} imports ${to}: extension and server meet in shared alone`);
      }
      if (domain === 'shared' && packageName !== null && packageName !== 'zod')
        broken.push(`${file.path} imports ${to}: shared imports zod and nothing else`);
      if (domain.startsWith('extension') && isBuiltin(to))
        broken.push(`${file.path} imports ${to}: the extension uses no Node API`);
      if (inWebview && to === 'vscode') broken.push(`${file.path} imports vscode: the web view has no powers`);
      if (inWebview && target && !to.startsWith('extension/chat/webview/') && !typeOnly && !to.startsWith('shared/'))
        broken.push(`${file.path} imports ${to}: of the host the web view knows types alone`);
      if (inPages && (isBuiltin(to) || (isOurs && !IN_BROWSER.test(to) && !to.startsWith('shared/'))))
        broken.push(`${file.path} imports ${to}: a page in a browser knows shared and packages alone`);
      if (/[rR]outes\.ts$/.test(to) && !/^server\/(app|\w+\/api)\.ts$/.test(file.path))
        broken.push(`${file.path} imports ${to}: only app.ts and a domain’s api.ts import routes`);
      if (
        /server\/gateway\/(upstreams|dialects)\//.test(file.path) &&
        /server\/(credits|accounts|conversations)\//.test(to)
      )
        broken.push(`${file.path} imports ${to}: model services know nothing of credits`);
    }
    if (/\bprocess\.env\b/.test(file.text) && !DOORS.includes(file.path))
      broken.push(`${file.path} reads process.env: only doors do`);
    if (domain.startsWith('extension') && /\brequire\(|\bimport\.meta\b|\bBuffer\./.test(code(file.text)))
      broken.push(`${file.path} uses what only Node has: the host's code also runs in a web worker`);
    if (inWebview && /\bfetch\(|XMLHttpRequest|WebSocket\(|EventSource\(/.test(code(file.text)))
      broken.push(`${file.path} reaches for the network: the web view has no powers`);
    if (domain.startsWith('server') && !inPages && /\bvoid (?!out\.end\()[\w.#]+\(/.test(code(file.text)))
      broken.push(`${file.path} lets go of a promise by void: only detach() begins what nobody awaits`);
    if (CORES.some((core) => file.path.startsWith(`${core}/`))) {
      const rule =
        /\basync\b|\bawait\b|Date\.now|new Date(?:\(\)|(?!\s*\())|Math\.random|randomUUID|getRandomValues|set(?:Timeout|Interval|Immediate)|performance\.now|\bfetch\(/.exec(
          code(file.text),
        );
      if (rule) broken.push(`${file.path} uses ${rule[0]}: cores know no I/O, clock, randomness or async`);
      for (const { to } of importsOf(file))
        if (to === 'vscode' || isBuiltin(to)) broken.push(`${file.path} imports ${to}: cores know no I/O`);
    }
  }
  return broken;
}

/** Without comments: they may speak of what code may not do. */
const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*/g, '');

describe('the house', () => {
  it('has no import that goes up, across, or through a wall', () => assert.deepEqual(violations(sources(HOUSE)), []));

  it('has no circle of imports, types included, neither of files nor of rooms', () => {
    const imports = sources(HOUSE).flatMap(importsOf);
    const paths = new Set(imports.map(({ from }) => from));
    const ours = imports.filter(({ to }) => paths.has(to));
    assert.ok(ours.length > 1000);
    assert.deepEqual(
      circles(ours, (path) => path),
      [],
    );
    for (const domain of Object.keys(ROOMS)) {
      const inside = ours.filter(({ from, to }) => from.startsWith(`${domain}/`) && to.startsWith(`${domain}/`));
      const nameOf = (path: string) => [domain, path.slice(domain.length + 1).split('/')[0]].join('/');
      assert.deepEqual(circles(inside, nameOf), []);
    }
  });

  it('would tell of a circle', () => {
    const link = (from: string, to: string) => ({ from, to, typeOnly: true });
    const links = [link('a/x.ts', 'b/y.ts'), link('b/y.ts', 'c.ts'), link('b/z.ts', 'a/x.ts')];
    assert.deepEqual(
      circles(links, (path) => path),
      [],
    );
    assert.deepEqual(
      circles(links, (path) => path.split('/')[0]!),
      ['a circle: a → b → a'],
    );
  });

  it('has every room and every core where this test looks for it', () => {
    const paths = sources(HOUSE).map((file) => file.path);
    const rooms = Object.entries(ROOMS).flatMap(([domain, floors]) => floors.flat().map((room) => `${domain}/${room}`));
    const folders = Object.keys(ROOMS).flatMap((domain) =>
      paths.flatMap((path) => {
        const [room] = path.startsWith(`${domain}/`) ? roomsOf(domain, path) : [];
        return room === undefined ? [] : [`${domain}/${room}`];
      }),
    );
    const isUnknown = (place: string) => !rooms.includes(place) && !ROOMS[place];
    assert.deepEqual([...new Set(folders)].filter(isUnknown), []);
    assert.deepEqual(
      [...rooms, ...CORES].filter((place) => !paths.some((path) => path.startsWith(`${place}/`))),
      [],
    );
  });

  it('has at most some twenty files in a folder', () => {
    const counts = new Map<string, number>();
    for (const { path } of sources(HOUSE)) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    counts.delete('server/platform/migrations');
    assert.deepEqual(
      [...counts].filter(([, files]) => files > MOST_FILES),
      [],
    );
  });

  it('has every file that a measure, a runner or a guard of the tests names by its path', () => {
    // The suites themselves are about paths, too, but of projects that they invent.
    const tools = sources(['test']).filter(({ path }) =>
      /^test\/(?:(?:bench|doubles|editor|support)\/|[^/]+$)/.test(path),
    );
    const named = tools.flatMap(({ path, text }) =>
      [...text.matchAll(/\btest\/[\w./-]+\.(?:[cm]?ts|tsx|[cm]js)\b/g)].map(([name]) => ({ path, name })),
    );
    assert.ok(named.length > 10);
    assert.deepEqual(
      named.filter(({ name }) => !existsSync(join(ROOT, name))),
      [],
    );
  });

  const BROKEN: [title: string, path: string, text: string, told: RegExp][] = [
    ['a floor', 'server/credits/x.ts', "import { a } from '../accounts/store.ts';", /imports go down only/],
    ['a sibling', 'server/credits/x.ts', "import { a } from '../conversations/store.ts';", /imports go down only/],
    [
      'a sibling in the extension',
      'extension/quota/x.ts',
      "import type { a } from '../chat/protocol.ts';",
      /go down only/,
    ],
    ['a door', 'server/gateway/x.ts', "import { a } from '../main.ts';", /go down only/],
    ['the ground', 'shared/x.ts', "import fs from 'node:fs';", /zod and nothing else/],
    [
      'the house in two',
      'extension/chat/x.ts',
      "import { a } from '../../server/platform/clock.ts';",
      /meet in shared/,
    ],
    ['the wall to Node', 'extension/chat/x.ts', "import { a } from 'node:path';", /no Node API/],
    ['the same by its short name', 'extension/chat/x.ts', "import { join } from 'path/posix';", /no Node API/],
    ['the same by require', 'extension/chat/x.ts', "const fs = require('fs');", /only Node has/],
    ['the wall around the web view', 'extension/chat/webview/x.ts', "import * as vscode from 'vscode';", /no powers/],
    ['the same by the network', 'extension/chat/webview/x.ts', "void fetch('x');", /no powers/],
    ['the page in a browser', 'server/web/pages/x.ts', "import { a } from '../files.ts';", /shared and packages alone/],
    ['the same to Node', 'server/web/pages/x.ts', "import { a } from 'node:fs';", /shared and packages alone/],
    ['the routes', 'server/gateway/x.ts', "import { a } from '../credits/routes.ts';", /only app\.ts/],
    ['a promise that nobody awaits', 'server/gateway/x.ts', 'if (turn) void runTurn(deps, turn);', /only detach\(\)/],
    ['the same in a listener', 'server/accounts/x.ts', "on('x', () => void look());", /only detach\(\)/],
    ['the environment', 'server/platform/x.ts', 'const a = process.env.HOME;', /only doors/],
    ['a core by a clock', 'server/credits/rules/x.ts', 'const a = Date.now();', /no I\/O, clock/],
    ['a core by an interval', 'server/credits/rules/x.ts', 'setInterval(a, 1);', /no I\/O, clock/],
    ['a core by the date', 'server/credits/rules/x.ts', 'const a = new Date;', /no I\/O, clock/],
    ['a core by Node', 'server/credits/rules/x.ts', "import fs from 'fs';", /no I\/O/],
    ['a new room', 'server/credits/log/x.ts', "import { a } from '../new/x.ts';", /without a floor/],
    [
      'an import with a comment',
      'server/credits/x.ts',
      "import {\n  a, // it's new\n} from '../accounts/x.ts';",
      /go down/,
    ],
    ['an import in a template', 'server/credits/x.ts', 'const a = import(`../accounts/x.ts`);', /go down/],
    ['a core by async', 'server/credits/rules/x.ts', 'export async function a() {}', /no I\/O, clock/],
    ['a room', 'server/credits/journal/x.ts', "import { a } from '../holds/store.ts';", /import down only/],
    ['a sibling room', 'server/credits/limits/x.ts', "import { a } from '../log/log.ts';", /import down only/],
    ['a room without a floor', 'server/credits/new/x.ts', "import { a } from '../log/log.ts';", /without a floor/],
    [
      'a model service that knows credits',
      'server/gateway/upstreams/x.ts',
      "import { a } from '../../credits/store.ts';",
      /nothing of credits/,
    ],
    [
      'a floor by a late import',
      'server/platform/x.ts',
      "const a = await import('../gateway/turn.ts');",
      /go down only/,
    ],
  ];
  for (const [title, path, text, told] of BROKEN)
    it(`would tell of a break through ${title}`, () => assert.match(violations([{ path, text }]).join('\n'), told));
});
