import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { PromptFiles } from '../../../extension/chat/commands/promptFiles.ts';
import { whyNotUnasked } from '../../../extension/platform/unasked.ts';
import { perigee, sampleFile, until } from '../window.ts';
import { Scene } from './chatScene.ts';

const PROMPTS = '.github/prompts';
const OF_USER = '../prompts-of-the-user';
async function write(path: string, text: string): Promise<void> {
  await vscode.workspace.fs.writeFile(sampleFile(path), new TextEncoder().encode(text));
}

describe('commands after a slash', () => {
  let scene: Scene;
  before(async () => {
    await perigee();
  });
  beforeEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    scene = new Scene();
    scene.say({ type: 'ready' });
    await scene.until('conversation');
  });
  afterEach(async () => {
    scene.dispose();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    for (const path of ['.github', OF_USER])
      await vscode.workspace.fs.delete(sampleFile(path), { recursive: true }).then(undefined, () => {});
  });

  // Where the cursor was when the file was open before is forgotten.
  const show = (path: string) =>
    vscode.window.showTextDocument(sampleFile(path), { preview: false, selection: new vscode.Range(0, 0, 0, 0) });
  async function asked(text: string) {
    const { request, told } = await scene.send(text);
    assert.equal(told.type, 'sent', JSON.stringify(told));
    assert.ok(request?.kind === 'chat');
    const attached = (request.input.attachments ?? []).map((one) =>
      'text' in one ? [one.kind, one.path, one.range?.start] : [],
    );
    return { text: request.input.text, attached };
  }
  async function refused(text: string): Promise<string> {
    scene.say({ type: 'draft', text });
    const { request, told } = await scene.send(text);
    assert.equal(request, undefined);
    assert.ok(told.type === 'notSent');
    assert.equal(scene.draft(), text, 'what was typed is kept');
    return `${told.problem.title}: ${told.problem.detail}`;
  }

  it('ask in plain words about the selection, else about the file in front, and take along what was typed', async () => {
    const editor = await show('src/client.ts');
    assert.deepEqual(await asked('/explain'), {
      text: 'Explain client.ts.',
      attached: [['file', 'src/client.ts', undefined]],
    });
    editor.selection = new vscode.Selection(1, 0, 4, 0);
    assert.deepEqual(await asked('/fix only the loop'), {
      text: 'Fix what is wrong in lines 2–4 of client.ts: only the loop',
      attached: [['selection', 'src/client.ts', 1]],
    });
    assert.equal((await asked('/tests for\nboth')).text, 'Write tests for lines 2–4 of client.ts.\n\nfor\nboth');
    assert.equal((await asked('/document')).text, 'Write documentation comments for lines 2–4 of client.ts.');
  });

  it('compact the chat by a request of its own, which takes nothing along and leaves what is attached', async () => {
    await show('src/client.ts');
    scene.say({ type: 'attach', kind: 'file' });
    await scene.until('surroundings');
    scene.say({ type: 'draft', text: '/compact' });
    const { request, told } = await scene.send('/compact');
    assert.equal(told.type, 'sent', JSON.stringify(told));
    assert.deepEqual([request?.kind, request?.compacts], ['chat', true]);
    assert.deepEqual(JSON.parse(JSON.stringify(request?.input)), { text: '' });
    assert.equal(scene.draft(), '');
    assert.match(await refused('/compact the first half'), /stands alone/);
  });

  it('do not compact a chat so short that it would cost more than it saves', async () => {
    scene.messages = [];
    const answered = async (inputTokens: number) => {
      const { request } = await scene.send('Hello');
      const usage = { inputTokens, cachedInputTokens: 0, outputTokens: 80, estimated: false };
      scene.end(request!.id, { usage });
      await scene.surroundings(({ contextTokens }) => contextTokens === inputTokens + 80);
    };
    await answered(420);
    assert.match(await refused('/compact'), /only 500 tokens so far: a summary would cost more than it saves/);
    await answered(920);
    assert.equal((await scene.send('/compact')).told.type, 'sent');
  });

  it('are shown in the chat as they were sent, and leave nothing in the draft', async () => {
    await show('src/client.ts');
    scene.say({ type: 'draft', text: '/explain' });
    await asked('/explain');
    const shown = scene.told.flatMap((message) => (message.type === 'conversation' ? message.messages : []));
    const said = shown.filter(({ role }) => role === 'user').map(({ text }) => text);
    assert.deepEqual(new Set(said), new Set(['Explain client.ts.']));
    assert.equal(scene.draft(), '');
  });

  it('attach what they need when they are chosen, and then ask about what is attached', async () => {
    await show('src/client.ts');
    scene.say({ type: 'slash', name: 'explain' });
    await scene.surroundings(({ chips }) =>
      chips.some(({ kind, path }) => kind === 'file' && path === 'src/client.ts'),
    );
    await show('src/totals.py');
    assert.equal((await asked('/explain')).text, 'Explain client.ts.');
  });

  it('attach the problems that the editor shows to what should be fixed', async () => {
    await show('src/client.ts');
    const problems = vscode.languages.createDiagnosticCollection('test');
    try {
      const range = new vscode.Range(0, 0, 0, 1);
      problems.set(sampleFile('src/client.ts'), [
        new vscode.Diagnostic(range, 'Wrong', vscode.DiagnosticSeverity.Error),
      ]);
      const { text, attached } = await asked('/fix');
      assert.equal(text, 'Fix the problems in client.ts.');
      assert.deepEqual(
        attached.map(([kind]) => kind),
        ['file', 'problems'],
      );
    } finally {
      problems.dispose();
    }
  });

  it('that can not run are refused by their name, and what was typed is kept', async () => {
    assert.match(
      await refused('/explain this please'),
      /^The command could not run: \/explain needs a selection or an open file\. .* Nothing was sent\.$/,
    );
    // Beside Node the sample is in a clean repository.
    const nothing =
      /: (?:No git repository is open in the editor|There are no uncommitted changes)\. Nothing was sent\.$/;
    assert.match(await refused('/review'), nothing);
    assert.match(await refused('/commit in German'), nothing);
    assert.match(await refused('/explian'), /There is no command \/explian\. \/help shows all of them\./);
  });

  it('attach nothing unseen that is sent only if it is chosen, or that stays out of this chat', async () => {
    await write('.env', 'KEY=1');
    try {
      await show('.env');
      assert.match(await refused('/explain'), /\/explain attaches nothing unseen: \.env may hold secrets\./);
      await show('src/client.ts');
      const { chips } = await scene.surroundings((value) => value.chips.some(({ implicit }) => implicit));
      scene.say({ type: 'detach', id: chips.find(({ implicit }) => implicit)!.id });
      await scene.surroundings((value) => !value.chips.some(({ implicit }) => implicit));
      assert.match(await refused('/explain'), /: client\.ts stays out of this chat\. Attach it with @ first\./);
    } finally {
      await vscode.workspace.fs.delete(sampleFile('.env'));
    }
  });

  it('are none: a path, or words that begin with a slash', async () => {
    for (const text of ['/usr/bin/env is missing', '/etc is full', '// a comment'])
      assert.deepEqual(await asked(text), { text, attached: [] });
  });

  it('"/new" begins another chat, with the text after it as its first question', async () => {
    await asked('Something');
    const first = scene.chatId;
    scene.say({ type: 'draft', text: '/new Why is the sky blue?' });
    await scene.send('/new Why is the sky blue?');
    while (scene.requests.length === 1) await new Promise((done) => setTimeout(done));
    const { conversationId, input } = scene.requests[1]!;
    assert.ok('text' in input && input.text === 'Why is the sky blue?');
    assert.deepEqual([conversationId === first, conversationId === scene.chatId], [false, true]);
    assert.equal(scene.draft(first), '');
    assert.equal((await scene.send('/new')).request, undefined);
    assert.notEqual(scene.chatId, conversationId);
  });

  it('are also prompt files: their text is the question, without the powers that they ask for', async () => {
    await write(
      `${PROMPTS}/release notes.prompt.md`,
      '---\ndescription: Notes\nmode: agent\ntools: [run]\n---\nWrite notes.\n',
    );
    await write(`${PROMPTS}/fix.prompt.md`, 'Fix it my way.\n\nMore.');
    await write(`${OF_USER}/greet.prompt.md`, '---\ntools:\n  - run\n---\nGreet me.');
    scene.dispose();
    scene = new Scene();
    scene.say({ type: 'ready' });
    const { commands } = await scene.surroundings((value) => value.commands.some(({ name }) => name === 'greet'));
    assert.deepEqual(
      commands.filter(({ icon }) => icon === 'book').map(({ name, detail, note }) => [name, detail, note]),
      [
        ['fix.prompt', 'Fix it my way.', undefined],
        ['release-notes', 'Notes', 'No effect here: its tools, mode'],
        ['greet', 'Greet me.', 'No effect here: its tools'],
      ],
    );
    assert.deepEqual(await asked('/release-notes of 2.0'), { text: 'Write notes.\n\nof 2.0', attached: [] });
    assert.equal((await asked('/Greet')).text, 'Greet me.', 'in any case');
    await write(`${PROMPTS}/release notes.prompt.md`, 'x'.repeat(33_000));
    assert.match(await refused('/release-notes'), /release notes\.prompt\.md is longer than the 32 KB of a prompt/);
    await vscode.workspace.fs.delete(sampleFile(`${PROMPTS}/release notes.prompt.md`));
    await scene.surroundings((value) => !value.commands.some(({ name }) => name === 'release-notes'));
  });

  it('are prompt files that no watcher told of, once the list is opened or their name is sent', async () => {
    const { workspace } = vscode;
    await workspace.getConfiguration('files').update('watcherExclude', { '**/.github/**': true }, true);
    try {
      await scene.surroundings(() => true);
      await write(`${PROMPTS}/unseen.prompt.md`, 'Was I seen?');
      assert.equal((await asked('/unseen')).text, 'Was I seen?');
      await write(`${PROMPTS}/other.prompt.md`, 'And I?');
      scene.say({ type: 'listCommands' });
      await scene.surroundings((value) => value.commands.some(({ name }) => name === 'other'));
    } finally {
      await workspace.getConfiguration('files').update('watcherExclude', undefined, true);
    }
  });

  it('are no prompt files of a workspace that is not trusted', async () => {
    await write(`${PROMPTS}/a.prompt.md`, 'Ask.');
    const untrusted = (uri: vscode.Uri) => whyNotUnasked(uri, { isTrusted: false });
    for (const [whyNot, count] of [
      [untrusted, 0],
      [whyNotUnasked, 1],
    ] as const) {
      const prompts = new PromptFiles(sampleFile(OF_USER), new Set(), (uri) => whyNot(uri));
      let looked = false;
      prompts.onDidChange(() => {
        looked = true;
      });
      await until(prompts.onDidChange as never, () => looked);
      assert.equal(prompts.commands.length, count);
      prompts.dispose();
    }
  });
});
