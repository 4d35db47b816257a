import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { USAGE } from '../server/accounts/operator/usage.ts';
import { setups } from '../shared/connect.ts';
import { startServer } from './support/server.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const PAGES = ['README.md', 'extension/README.md', ...markdownIn('docs')];

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

/** Without code: a bracket in an example is no link. */
const prose = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, 'code');

/** What a page can be linked at, as GitHub makes it of each heading. */
function anchorsOf(text: string): string[] {
  const headings = text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Every relative link of a page that leads nowhere. */
function brokenLinks(page: string, text = read(page)): string[] {
  return [...prose(text).matchAll(/\]\(<?([^)>\s]+)>?\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
      if (!existsSync(join(ROOT, target))) return true;
      if (anchor === undefined) return false;
      return !statSync(join(ROOT, target)).isFile() || !anchorsOf(path === '' ? text : read(target)).includes(anchor);
    });
}

/** The settings that the configuration reads from the environment. */
function settingsRead(): string[] {
  const folder = 'server/platform/config';
  const text = readdirSync(join(ROOT, folder))
    .map((name) => read(join(folder, name)))
    .join('\n');
  const direct = [...text.matchAll(/\benv\.([A-Z][A-Z_]+)/g)].map(([, name]) => name!);
  const named = [...text.matchAll(/\b(?:setting|pair)\(env, ([^)]*)\)/g)].flatMap(([, names]) =>
    [...names!.matchAll(/'([A-Z_]+)'/g)].map(([, name]) => name!),
  );
  const made = [...text.matchAll(/env\[`([A-Z]+)_\$\{[^`]*\}_([A-Z]+)`\]/g)].map(([, a, z]) => `${a}_<ID>_${z}`);
  return [...new Set([...direct, ...named, ...made])];
}

/** A table writes the stroke of a choice after a backslash. */
const missing = (names: readonly string[], text: string) =>
  names.filter((name) => !text.replaceAll('\\|', '|').includes(`\`${name}`));

describe('the pages that README leads to', () => {
  for (const page of PAGES)
    it(`${page} links to what is there, anchors included`, () => assert.deepEqual(brokenLinks(page), []));

  it('would tell of a link that leads nowhere', () => {
    const text =
      '# A b\n[x](docs/none.md) [y](#c) [z](#a-b) ![p](docs/none.png) `[code](none.md)` [w](https://a.example)';
    assert.deepEqual(brokenLinks('README.md', text), ['docs/none.md', '#c', 'docs/none.png']);
  });

  it('are all reached from README', () => {
    const reached = new Set<string>();
    const visit = (page: string) => {
      if (reached.has(page)) return;
      reached.add(page);
      for (const [, link] of prose(read(page)).matchAll(/\]\(([^)#\s]+\.md)(?:#[^)]*)?\)/g))
        visit(relative(ROOT, join(ROOT, dirname(page), link!)));
    };
    visit('README.md');
    assert.deepEqual(
      markdownIn('docs').filter((page) => !reached.has(page)),
      [],
    );
  });

  it('show every picture that stands beside them', () => {
    const text = PAGES.map(read).join('\n');
    const pictures = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.png'));
    assert.ok(pictures.length > 0);
    assert.deepEqual(
      pictures.filter((name) => !text.includes(`(${name})`) && !text.includes(`docs/${name}`)),
      [],
    );
  });

  it('name only npm scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = PAGES.flatMap((page) => [...read(page).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)]);
    assert.deepEqual(
      named.map(([, name]) => name!).filter((name) => !(name in scripts)),
      [],
    );
  });

  it('name only files of the code that there are', () => {
    const named = PAGES.flatMap((page) => [
      ...read(page).matchAll(/\b(?:server|extension|shared|test)\/[\w./-]+\.tsx?\b/g),
    ]);
    assert.deepEqual(
      named.map(([path]) => path).filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });

  it('stay out of the package of the extension', () => {
    const packed = read('.vscodeignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    assert.deepEqual(
      packed.filter((line) => /^!(docs|README)/.test(line)),
      [],
    );
  });
});

describe('docs/tools.md', () => {
  const given = { address: 'https://ai.example.org', key: 'pgk_…', model: 'kimi-k2', contextTokens: 128_000 };
  for (const { name, lines } of setups(given))
    it(`has the lines of the account page for ${name}`, () =>
      assert.ok(read('docs/tools.md').includes(`\n${lines.join('\n')}\n\`\`\``)));
});

describe('docs/operating.md', () => {
  const text = () => read('docs/operating.md');

  it('has every setting that the server reads', () => {
    const settings = settingsRead();
    for (const known of ['PORT', 'HTTPS_PROXY', 'GOOGLE_CLIENT_SECRET', 'OIDC_<ID>_SECRET'])
      assert.ok(settings.includes(known), known);
    assert.deepEqual(missing(settings, text()), []);
  });

  it("has every one of the operator's commands, as its help writes it", () => {
    const commands = [...USAGE.matchAll(/^ {2}([a-z][\w -]*?(?: [A-Z-[].*?)?)(?: {2,}.*)?$/gm)].map(
      ([, command]) => command!,
    );
    assert.ok(commands.length > 10);
    assert.deepEqual(missing(commands, text()), []);
  });
});

describe('docs/api.md', () => {
  it('has every route of the API, and no other', async () => {
    const server = await startServer('sqlite');
    try {
      const answer = await fetch(`${server.url}/openapi.json`);
      const { paths } = (await answer.json()) as { paths: Record<string, object> };
      const documented = Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
      const routed = server.app.routes
        .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/'))
        .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
      const table = read('docs/api.md').split('## All calls')[1]!;
      const listed = [...table.matchAll(/`([A-Z]+ \/[^`]*)`/g)].map(([, call]) => call!);
      const routes = [...new Set([...documented, ...routed, 'GET /openapi.json'])];
      const [notListed, notRouted] = [
        routes.filter((route) => !listed.includes(route)),
        listed.filter((call) => !routes.includes(call)),
      ];
      assert.deepEqual({ notListed, notRouted }, { notListed: [], notRouted: [] });
    } finally {
      await server.stop();
    }
  });
});

describe('docs/architecture.md', () => {
  it('has every room of the house on its map', () => {
    const map = read('docs/architecture.md').split('## The map')[1]!.split('## The floors')[0]!;
    const rooms = ['shared', 'server', 'extension'].flatMap((top) =>
      readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
        .filter((name) => statSync(join(ROOT, top, name)).isDirectory())
        .map((name) => name.split(/[\\/]/))
        .filter((names) => names.length <= (top === 'shared' ? 1 : 2))
        .map((names) => names.at(-1)!),
    );
    assert.ok(rooms.includes('engine'));
    assert.deepEqual(
      rooms.filter((room) => !new RegExp(`\\b${room}/`).test(map)),
      [],
    );
  });
});
