import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Each domain's floor; imports go down only, and siblings never see each other. A longer path wins over a shorter. */
const FLOORS: Record<string, number> = {
  shared: -1,
  'server/platform': 0,
  'server/credits': 1,
  'server/conversations': 1,
  'server/risk': 1,
  'server/accounts': 2,
  'server/gateway': 3,
  'server/web': 3,
  'server/app.ts': 4,
  'server/main.ts': 5,
  'server/admin.ts': 5,
  'extension/platform': 0,
  'extension/backend.ts': 1,
  'extension/account': 2,
  'extension/chat': 3,
  'extension/edit': 3,
  'extension/quota': 3,
  'extension/later.ts': 4,
  'extension/extension.ts': 5,
};

/** What is started, and reads the environment. */
const DOORS = ['server/main.ts', 'server/admin.ts'];

/** Files that know no I/O, clock, randomness or async: what comes in decides what goes out. */
const CORES = [
  'shared/amounts.ts',
  'shared/answerHtml.ts',
  'shared/answerMarkdown.ts',
  'shared/answerPaths.ts',
  'shared/fences.ts',
  'shared/fileReferences.ts',
  'shared/flanking.ts',
  'shared/invisible.ts',
  'shared/knownPaths.ts',
  'shared/mathMarks.ts',
  'shared/mathTree.ts',
  'shared/pathWords.ts',
  'shared/money.ts',
  'shared/pricing.ts',
  'shared/thoughts.ts',
  'server/credits/ledger.ts',
  'server/credits/limitWindow.ts',
  'server/credits/paymentRules.ts',
  'server/credits/planWindows.ts',
  'server/credits/pricing.ts',
  'server/credits/refundRule.ts',
  'server/gateway/dialects/chatCompletions.ts',
  'server/gateway/dialects/content.ts',
  'server/gateway/dialects/finish.ts',
  'server/gateway/dialects/usage.ts',
  'server/gateway/editPrompt.ts',
  'server/gateway/prompt.ts',
  'server/gateway/rateLimitFields.ts',
  'server/gateway/received.ts',
  'server/gateway/tokens.ts',
  'server/platform/numbers.ts',
  'extension/edit/actions/around.ts',
  'extension/edit/actions/commitText.ts',
  'extension/edit/actions/problems.ts',
  'extension/edit/actions/requests.ts',
  'extension/edit/actions/testFiles.ts',
  'extension/edit/engine/anchors.ts',
  'extension/edit/engine/answerReader.ts',
  'extension/edit/engine/arrangement.ts',
  'extension/edit/engine/blockReader.ts',
  'extension/edit/engine/blocks.ts',
  'extension/edit/engine/changeLines.ts',
  'extension/edit/engine/declarations.ts',
  'extension/edit/engine/declared.ts',
  'extension/edit/engine/edits.ts',
  'extension/edit/engine/filePlanner.ts',
  'extension/edit/engine/fileText.ts',
  'extension/edit/engine/indentation.ts',
  'extension/edit/engine/indexedFile.ts',
  'extension/edit/engine/loose.ts',
  'extension/edit/engine/match.ts',
  'extension/edit/engine/newPlace.ts',
  'extension/edit/engine/patchReader.ts',
  'extension/edit/engine/paths.ts',
  'extension/edit/engine/piece.ts',
  'extension/edit/engine/place.ts',
  'extension/edit/engine/plan.ts',
  'extension/edit/engine/planner.ts',
  'extension/edit/engine/rebase.ts',
  'extension/edit/engine/refusals.ts',
  'extension/edit/engine/repair.ts',
  'extension/edit/engine/similarity.ts',
  'extension/edit/engine/snippet.ts',
  'extension/edit/engine/snippetLines.ts',
  'extension/edit/engine/sureLines.ts',
  'extension/edit/applyBlocks.ts',
  'extension/edit/filePaths.ts',
  'extension/edit/proposalState.ts',
  'extension/quota/lowLevel.ts',
  'extension/edit/refusalWords.ts',
  'extension/edit/requestTitle.ts',
  'extension/platform/guarded.ts',
  'extension/edit/align.ts',
  'extension/edit/checkpoint.ts',
  'extension/edit/hunks.ts',
  'extension/edit/lineMap.ts',
  'extension/edit/settle.ts',
  'extension/edit/stream.ts',
  'extension/edit/track.ts',
  'extension/edit/tracked.ts',
  'extension/edit/history.ts',
  'extension/quota/format.ts',
];

interface SourceFile {
  path: string;
  text: string;
}

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

function sources(): SourceFile[] {
  return ['shared', 'server', 'extension'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => {
        const path = join(top, name).replaceAll('\\', '/');
        return { path, text: readFileSync(join(ROOT, path), 'utf8') };
      }),
  );
}

function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = [];
  const statement = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?from\s*)?['"]([^'"]+)['"]/g;
  for (const [, type, to] of text.matchAll(statement)) found.push({ from: path, to: to!, typeOnly: Boolean(type) });
  for (const [, to] of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g))
    found.push({ from: path, to: to!, typeOnly: false });
  return found.map((i) => ({
    ...i,
    to: i.to.startsWith('.') ? relative(ROOT, join(ROOT, dirname(path), i.to)) : i.to,
  }));
}

function domainOf(path: string): string | undefined {
  return Object.keys(FLOORS)
    .filter((domain) => path === domain || path.startsWith(`${domain}/`))
    .sort((a, b) => b.length - a.length)[0];
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
    const inPages = file.path.startsWith('server/web/pages/');
    const inWebview = file.path.startsWith('extension/chat/webview/');
    for (const { to, typeOnly } of importsOf(file)) {
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
      if (inPages && (isBuiltin(to) || (isOurs && !to.startsWith('server/web/pages/') && !to.startsWith('shared/'))))
        broken.push(`${file.path} imports ${to}: a page in a browser knows shared and packages alone`);
      if (to.endsWith('routes.ts') && !['server/app.ts'].includes(file.path))
        broken.push(`${file.path} imports ${to}: only app.ts imports routes`);
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
    if (CORES.includes(file.path)) {
      const rule =
        /\basync\b|\bawait\b|Date\.now|new Date\(\)|Math\.random|randomUUID|setTimeout|performance\.now/.exec(
          code(file.text),
        );
      if (rule) broken.push(`${file.path} uses ${rule[0]}: cores know no I/O, clock, randomness or async`);
      for (const { to } of importsOf(file))
        if (to === 'vscode' || to.startsWith('node:')) broken.push(`${file.path} imports ${to}: cores know no I/O`);
    }
  }
  return broken;
}

/** Without comments: they may speak of what code may not do. */
const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*/g, '');

describe('the house', () => {
  it('has no import that goes up, across, or through a wall', () => assert.deepEqual(violations(sources()), []));

  it('has every core where this test looks for it', () => {
    const paths = sources().map((file) => file.path);
    assert.deepEqual(
      CORES.filter((core) => !paths.includes(core)),
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
    ['a core by a clock', 'server/credits/ledger.ts', 'const a = Date.now();', /no I\/O, clock/],
    ['a core by async', 'server/credits/pricing.ts', 'export async function a() {}', /no I\/O, clock/],
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
