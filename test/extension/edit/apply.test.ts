import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { Apply, type ApplyDeps } from '../../../extension/edit/apply/apply.ts';
import { ProposalScene } from './proposalScene.ts';

// Of a language that no language service looks at: its problems would outlive the file.
const A = `import { b } from './b';

export function first() {
  return b(1);
}

export function second() {
  return b(2);
}
`;
const SECOND = 'export function second() {\n  return b(22);\n}\n';

const block = (old: string, put: string) => `<<<<<<< SEARCH\n${old}\n=======\n${put}\n>>>>>>> REPLACE\n`;

describe('applying code of the chat', () => {
  let scene: ProposalScene;
  let apply: Apply;
  let edited: Parameters<ApplyDeps['editFile']>[0][];
  let shown: Awaited<ReturnType<ApplyDeps['review']>>;
  const source = { title: 'Apply' };
  beforeEach(async () => {
    scene = new ProposalScene();
    edited = [];
    shown = { isShown: true };
    apply = new Apply({
      files: scene.files,
      propose: (from, plans) => scene.proposals.open(from, plans),
      review: async (...args) => {
        scene.reviewed.push(args);
        return shown;
      },
      editFile: async (request) => {
        edited.push(request);
      },
    });
    await scene.write('a.lua', A);
  });
  afterEach(() => scene.dispose());

  /** Answers the quick pick by the first item whose label has this, and an input box by a text. */
  async function choosing<T>(label: string, typed: string, body: () => Promise<T>): Promise<T> {
    const { showQuickPick, showInputBox } = vscode.window;
    const pick = async (items: readonly vscode.QuickPickItem[]) => items.find((item) => item.label.includes(label));
    const type = async ({ validateInput }: vscode.InputBoxOptions) => {
      const why = await validateInput?.(typed);
      return why ? undefined : typed;
    };
    Object.defineProperty(vscode.window, 'showQuickPick', { value: pick, configurable: true, writable: true });
    Object.defineProperty(vscode.window, 'showInputBox', { value: type, configurable: true, writable: true });
    try {
      return await body();
    } finally {
      Object.defineProperty(vscode.window, 'showQuickPick', {
        value: showQuickPick,
        configurable: true,
        writable: true,
      });
      Object.defineProperty(vscode.window, 'showInputBox', { value: showInputBox, configurable: true, writable: true });
    }
  }

  it('puts a piece of a named file into its editor for review', async () => {
    const applied = await apply.applyCode({ text: SECOND, language: 'lua', path: scene.path('a.lua'), source });
    const uri = scene.uri('a.lua').toString();
    assert.deepEqual(applied, { kind: 'review', path: scene.path('a.lua'), uri, hunks: 1, skipped: [] });
    const [document, plan, from] = scene.reviewed[0]!;
    assert.equal(document.uri.toString(), scene.uri('a.lua').toString());
    assert.equal(plan.after, A.replace('b(2)', 'b(22)'));
    assert.equal(from, source);
    assert.equal(await scene.disk('a.lua'), A);
  });

  it('takes all of a file, a block with marks, a patch and a diff alike', async () => {
    const path = scene.path('a.lua');
    const texts = [
      A.replace('b(2)', 'b(22)'),
      '<<<<<<< SEARCH\n  return b(2);\n=======\n  return b(22);\n>>>>>>> REPLACE\n',
      `*** Begin Patch\n*** Update File: ${path}\n@@\n-  return b(2);\n+  return b(22);\n*** End Patch\n`,
      `--- a/${path}\n+++ b/${path}\n@@ -7,3 +7,3 @@\n export function second() {\n-  return b(2);\n+  return b(22);\n }\n`,
    ];
    for (const text of texts) {
      const applied = await apply.applyCode({ text, language: 'lua', path, source });
      assert.equal(applied.kind, 'review', JSON.stringify(applied));
      assert.equal(scene.reviewed.at(-1)![1].after, A.replace('b(2)', 'b(22)'));
    }
  });

  it('offers of several files of one name first the one in front', async () => {
    for (const name of ['one/same.lua', 'two/same.lua']) await scene.write(name, A);
    for (const front of ['two/same.lua', 'one/same.lua']) {
      await scene.show(front);
      const found = await choosing('same.lua', '', () => scene.files.find('same.lua'));
      assert.equal(found.path, scene.path(front));
    }
  });

  it('takes the file in front for code that names none, if it is in that language', async () => {
    await scene.show('a.lua');
    const applied = await apply.applyCode({ text: SECOND, language: 'Lua', source });
    assert.equal(applied.kind === 'review' && applied.path, scene.path('a.lua'));
    await scene.write('b.py', 'def second():\n    return 2\n');
    await scene.show('b.py');
    const chosen = await choosing('a.lua', '', () => apply.applyCode({ text: SECOND, language: 'lua', source }));
    assert.equal(chosen.kind === 'review' && chosen.path, scene.path('a.lua'));
    const none = await choosing('nothing like this', '', () =>
      apply.applyCode({ text: SECOND, language: 'lua', source }),
    );
    assert.deepEqual(none, { kind: 'nothing' });
  });

  it('asks for the file where the answer leaves open which it means, also with one in front', async () => {
    await scene.show('a.lua');
    const code = { text: SECOND, language: 'lua', isUnclear: true, source };
    const none = await choosing('nothing like this', '', () => apply.applyCode(code));
    assert.deepEqual(none, { kind: 'nothing' });
    const chosen = await choosing('a.lua', '', () => apply.applyCode(code));
    assert.equal(chosen.kind === 'review' && chosen.path, scene.path('a.lua'));
  });

  it('takes a path of the workspace for what it is, whatever characters it has, and asks where none is meant surely', async () => {
    await scene.write('app/(auth) x/{id}, it=1.lua', A);
    await scene.show('a.lua');
    const path = scene.path('app/(auth) x/{id}, it=1.lua');
    const changes = '<<<<<<< SEARCH\n  return b(1);\n=======\n  return b(11);\n>>>>>>> REPLACE\n';
    const known = await apply.applyAnswer({ text: `### ${path}\n\n\`\`\`lua\n${changes}\`\`\`\n`, source });
    assert.equal(known.kind === 'review' && known.path, path);
    const spoken = { info: 'lua', prose: `Change ${path}:` };
    const block = { text: changes, language: 'lua', isUnclear: true, spoken, source };
    const read = await apply.applyCode(block);
    assert.equal(read.kind === 'review' && read.path, path);
    const unknown = { ...block, spoken: { info: 'lua', prose: '### src/no such (file).lua' } };
    assert.deepEqual(await choosing('nothing like this', '', () => apply.applyCode(unknown)), { kind: 'nothing' });
  });

  it('offers a new file in the list, and writes nothing before it is accepted', async () => {
    const named = await apply.applyCode({ text: 'export const x = 1;\n', path: scene.path('new.lua'), source });
    assert.deepEqual(named, { kind: 'proposal', files: 1, refused: 0, skipped: [] });
    const path = scene.path('typed.lua');
    const typed = await choosing('New file', path, () =>
      apply.applyCode({ text: 'export const y = 1;\n', language: 'rust', source }),
    );
    assert.equal(typed.kind, 'proposal');
    assert.equal(await scene.disk('new.lua'), undefined);
    assert.equal(await scene.disk('typed.lua'), undefined);
    for (const proposal of [...scene.proposals.list.proposals]) await scene.proposals.acceptAll(proposal);
    assert.equal(await scene.disk('new.lua'), 'export const x = 1;\n');
    assert.equal(await scene.disk('typed.lua'), 'export const y = 1;\n');
  });

  it('leads on where it has no place, and has it placed when that is asked for', async () => {
    const text = block('  return c(2);\n  // and more', '  return b(22);');
    const applied = await apply.applyCode({ text, language: 'lua', path: scene.path('a.lua'), source });
    assert.equal(applied.kind, 'refused');
    assert.match(applied.kind === 'refused' ? applied.message : '', /a\.lua: These lines are not in the file/);
    assert.deepEqual(scene.messages.told, [], 'the ways on stand in the chat, where they stay');
    const uri = applied.kind === 'refused' ? applied.uri : undefined;
    assert.equal(uri, scene.uri('a.lua').toString());
    await apply.placeCode({ text, language: 'lua', uri: uri!, source });
    assert.equal(edited[0]!.source, source, 'its review is the block’s');
    assert.equal(edited[0]!.document.uri.toString(), scene.uri('a.lua').toString());
    assert.match(edited[0]!.instruction, /where it belongs[\s\S]*return b\(22\)/);
    assert.equal(scene.reviewed.length, 0);
  });

  it('says why the editor takes no changes for a file, and nothing if the user declined', async () => {
    const why = 'VS Code takes no changes for a.lua: the file is read-only. Nothing changed.';
    const code = { text: SECOND, language: 'lua', path: scene.path('a.lua'), source };
    shown = { isShown: false, why };
    assert.deepEqual(await apply.applyCode(code), { kind: 'refused', message: why, isOfEditor: true });
    shown = { isShown: false };
    assert.deepEqual(await apply.applyCode(code), { kind: 'nothing' });
    assert.deepEqual(scene.messages.told, []);
  });

  it('asks whether lines are to go that a block lacks, and reviews either answer', async () => {
    const code = { text: A.slice(A.indexOf('export')).replace('b(2)', 'b(22)'), language: 'lua', source };
    const named = { ...code, path: scene.path('a.lua') };
    const applied = await apply.applyCode(named);
    assert.ok(applied.kind === 'refused', JSON.stringify(applied));
    assert.match(applied.message, /a\.lua: The code lacks the file’s first line\. Perigee can’t tell/);
    assert.deepEqual(applied.readings, ['file', 'part']);
    assert.equal(scene.reviewed.length, 0);
    for (const [reading, after] of [
      ['file', code.text],
      ['part', A.replace('b(2)', 'b(22)')],
    ] as const) {
      assert.equal((await apply.applyCode({ ...named, reading })).kind, 'review');
      assert.equal(scene.reviewed.at(-1)![1].after, after);
    }
  });

  it('tells the line that is nearest to what has no place', async () => {
    const text = block('export function second(many) {\n  return c(2);\n}', 'export function third() {}');
    const applied = await apply.applyCode({ text, language: 'lua', path: scene.path('a.lua'), source });
    assert.match(
      applied.kind === 'refused' ? applied.message : '',
      /a\.lua: .*Looked for “export function second\(many\) \{”; nearest is line 7/s,
    );
  });

  it('says that a file reads so already', async () => {
    const applied = await apply.applyCode({ text: A, path: scene.path('a.lua'), source });
    assert.deepEqual(applied, { kind: 'nothing', message: `${scene.path('a.lua')} reads so already.` });
  });

  it('writes to no place outside the workspace', async () => {
    const applied = await apply.applyCode({ text: 'evil\n', path: '../evil.lua', source });
    assert.equal(applied.kind, 'refused');
    assert.match(applied.kind === 'refused' ? applied.message : '', /leads out/);
    assert.deepEqual(scene.messages.told, [], 'the chat says it');
  });

  it('puts all files of an answer into the list, and names what it left out', async () => {
    await scene.write('b.lua', 'export const b = (n: number) => n;\n');
    const text = [
      `First \`${scene.path('a.lua')}\`:`,
      '',
      `**${scene.path('a.lua')}**`,
      '```lua',
      SECOND.trimEnd(),
      '```',
      '',
      scene.path('b.lua'),
      '```lua',
      '<<<<<<< SEARCH',
      'export const b = (n: number) => n;',
      '=======',
      'export const b = (n: number) => n + 1;',
      '>>>>>>> REPLACE',
      '```',
      '',
      `\`${scene.path('c.lua')}\``,
      '```lua',
      'export const c = 3;',
      '```',
      '',
      '```bash',
      'npm test',
      '```',
    ].join('\n');
    const applied = await apply.applyAnswer({ text, source });
    assert.deepEqual(applied, { kind: 'proposal', files: 3, refused: 0, skipped: ['commands (bash)'] });
    const [proposal] = scene.proposals.list.proposals;
    await scene.proposals.acceptAll(proposal);
    assert.equal(await scene.disk('a.lua'), A.replace('b(2)', 'b(22)'));
    assert.equal(await scene.disk('b.lua'), 'export const b = (n: number) => n + 1;\n');
    assert.equal(await scene.disk('c.lua'), 'export const c = 3;\n');
  });

  it('leaves out of an answer what is done already, and says nothing of it', async () => {
    await scene.write('b.lua', 'export const b = 1;\n');
    const blocks = [
      {
        name: 'one',
        path: scene.path('a.lua'),
        text: block('  return b(1);', '  return b(11);'),
        done: [scene.path('a.lua')],
      },
      {
        name: 'two',
        path: scene.path('a.lua'),
        text: block('  return b(2);', '  return b(22);'),
        done: [] as string[],
      },
      { name: 'three', path: scene.path('b.lua'), text: 'export const b = 1;\n', done: [] as string[] },
    ];
    const text = blocks.map(({ path, text }) => `${path}\n\`\`\`lua\n${text}\`\`\`\n`).join('\n');
    const applied = await apply.applyAnswer({ text, blocks, source });
    assert.equal(applied.kind, 'review', JSON.stringify(applied));
    assert.deepEqual(applied.kind === 'review' && applied.skipped, [`${scene.path('b.lua')}, which reads so already`]);
    const [, plan] = scene.reviewed[0]!;
    assert.equal(plan.after, A.replace('b(2)', 'b(22)'), 'the first block is not made, though it would fit');
    assert.deepEqual(
      plan.hunks.map((hunk) => hunk.blocks),
      [['two']],
    );
    const none = await apply.applyAnswer({ text, blocks: blocks.map((one) => ({ ...one, done: [one.path] })), source });
    assert.deepEqual(none, { kind: 'nothing', message: 'All of it is applied already, or in review.' });
  });

  it('leaves out what stands in a list and was applied by itself, and what is in no block that is shown', async () => {
    const path = scene.path('a.lua');
    const adding = block('  return b(1);', '  c(1);\n  return b(1);');
    const named = block('  return b(2);', '  return b(22);');
    const unseen = block('  return b(3);', '  return b(33);');
    const fenced = (text: string, indent = '') => `\`\`\`lua\n${text}\`\`\`\n`.replaceAll(/^(?=.)/gm, indent);
    const text = `${path}\n${fenced(named)}\n1. In ${path}:\n\n${fenced(adding, '   ')}\n\n${path}\n${fenced(unseen)}`;
    await scene.write('a.lua', A.replace('  return b(1);', '  c(1);\n  return b(1);'));
    const blocks = [
      { name: 'named', path, text: named, done: [] },
      { name: 'in a list', text: adding, done: [path] },
    ];
    const applied = await apply.applyAnswer({ text, blocks, source });
    assert.equal(applied.kind, 'review', JSON.stringify(applied));
    const [, plan] = scene.reviewed[0]!;
    assert.equal(plan.after.split('c(1)').length, 2, 'it comes once');
    assert.deepEqual(plan.blocks, ['named']);
    const skipped = applied.kind === 'review' ? applied.skipped : [];
    assert.equal(skipped.length, 1);
    assert.match(skipped[0]!, /^a change of .*a\.lua at line \d+ of the answer/);
  });

  it('makes a new file once that the answer writes twice, and tells what stands already', async () => {
    const fenced = (path: string, text: string) => `${path}\n\`\`\`lua\n${text}\`\`\`\n\n`;
    const added = fenced(scene.path('new.lua'), 'local new = 1\n');
    const twice = await apply.applyAnswer({ text: added + added, source });
    assert.deepEqual(twice, { kind: 'proposal', files: 1, refused: 0, skipped: [] });
    const path = scene.path('a.lua');
    await scene.write('a.lua', A.replace('  return b(1);', '  check(1);\n  return b(1);'));
    const adding = block('  return b(1);', '  check(1);\n  return b(1);');
    const text = fenced(path, adding) + fenced(path, block('  return b(2);', '  return b(22);'));
    const applied = await apply.applyAnswer({ text, source });
    assert.equal(applied.kind, 'review', JSON.stringify(applied));
    assert.deepEqual(applied.kind === 'review' && applied.skipped.map((one) => one.replace(/line \d+/, 'line N')), [
      `a change of ${path} that may be made already (line N)`,
    ]);
  });

  it('shows what has no place beside what has, and writes only that', async () => {
    const text = [
      scene.path('a.lua'),
      '```lua',
      '<<<<<<< SEARCH',
      '  return nowhere(2);',
      '=======',
      '  return 3;',
      '>>>>>>> REPLACE',
      '```',
      scene.path('n.lua'),
      '```lua',
      'export const n = 3;',
      '```',
    ].join('\n');
    assert.deepEqual(await apply.applyAnswer({ text, source }), {
      kind: 'proposal',
      files: 1,
      refused: 1,
      skipped: [],
    });
    const [proposal] = scene.proposals.list.proposals;
    assert.deepEqual(proposal?.files.map(({ state }) => state).sort(), ['open', 'refused']);
    await scene.proposals.acceptAll(proposal);
    assert.equal(await scene.disk('a.lua'), A);
    assert.equal(await scene.disk('n.lua'), 'export const n = 3;\n');
  });

  it('has nothing to do for an answer of words and commands', async () => {
    const applied = await apply.applyAnswer({ text: 'Run this:\n```bash\nnpm test\n```\n', source });
    assert.equal(applied.kind, 'nothing');
  });
});
