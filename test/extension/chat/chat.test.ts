import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { insertAtCursor, openAsNewFile, openLink } from '../../../extension/chat/actions.ts';
import { Comparison } from '../../../extension/chat/answers/comparison.ts';
import {
  chipInput,
  diffChip,
  fileChip,
  problemsChip,
  selectionChip,
} from '../../../extension/chat/context/attachments.ts';
import { droppedChip, pastedChip } from '../../../extension/chat/context/editorContext.ts';
import { Mentions } from '../../../extension/chat/context/mentions.ts';
import { attachableNow, suggestMessages } from '../../../extension/chat/context/suggestions.ts';
import { Client } from '../../support/client.ts';
import { itBesideNode, noGit, perigee, sampleFile, until } from '../window.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

async function show(path: string): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(sampleFile(path)));
}

/** The bill of the model service's double: what was really asked for. */
async function lastPrompt(): Promise<string> {
  const answer = await fetch(`${process.env.PERIGEE_UPSTREAM}/control/bill`);
  const { bill } = (await answer.json()) as { bill: { body: { messages: { content: string }[] } }[] };
  return bill.at(-1)?.body.messages.at(-1)?.content ?? '';
}

describe('attachments', () => {
  const scratch: vscode.Uri[] = [];
  async function write(name: string, content: Uint8Array): Promise<vscode.Uri> {
    const uri = sampleFile(name);
    await vscode.workspace.fs.writeFile(uri, content);
    scratch.push(uri);
    return uri;
  }
  afterEach(async () => {
    for (const uri of scratch.splice(0)) await vscode.workspace.fs.delete(uri).then(undefined, () => {});
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('take a file as it is in the editor, unsaved changes included', async () => {
    const editor = await show('src/client.ts');
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), '// unsaved\n'));
    const chip = await fileChip(editor.document.uri);
    assert.deepEqual([chip.label, chip.path, chip.kind], ['client.ts', 'src/client.ts', 'file']);
    const input = await chipInput(chip);
    assert.ok('text' in input && input.text.startsWith('// unsaved\n'));
    assert.ok('languageId' in input && input.languageId === 'typescript');
  });

  it('take whole lines of a selection, and not the line it only touches', async () => {
    const editor = await show('src/client.ts');
    editor.selection = new vscode.Selection(1, 4, 3, 0);
    const chip = selectionChip(editor);
    assert.equal(chip.label, 'client.ts:2–3');
    assert.deepEqual(chip.range, { start: 1, end: 2 });
    assert.equal(chip.text, editor.document.getText().split('\n').slice(1, 3).join('\n'));
  });

  it('read UTF-16 with its mark', async () => {
    const uri = await write('wide.txt', new Uint8Array([0xff, 0xfe, 0x68, 0, 0x69, 0]));
    const input = await chipInput(await fileChip(uri));
    assert.ok('text' in input && input.text === 'hi');
  });

  it('refuse a binary file, a folder, something too large and something gone, in words', async () => {
    const binary = await write('picture.bin', new Uint8Array([0x89, 0x50, 0, 0, 1]));
    await assert.rejects(fileChip(binary), /picture\.bin is a binary file/);
    await assert.rejects(fileChip(sampleFile('src')), /src is a folder/);
    const large = await write('large.txt', bytes('x'.repeat(1_200_000)));
    await assert.rejects(fileChip(large), /large\.txt is too large: 1\.2 MB, and at most 1 MB/);
    const gone = await write('gone.txt', bytes('soon gone'));
    const chip = await fileChip(gone);
    await vscode.workspace.fs.delete(gone);
    await assert.rejects(chipInput(chip), /gone\.txt is no longer there/);
  });

  it('list the problems of the active file, errors and warnings only', async () => {
    const { document } = await show('src/client.ts');
    const known = vscode.languages.createDiagnosticCollection('test');
    const problem = (line: number, message: string, severity: vscode.DiagnosticSeverity) =>
      new vscode.Diagnostic(new vscode.Range(line, 0, line, 3), message, severity);
    try {
      assert.throws(() => problemsChip(document.uri), /shows no problems/);
      known.set(document.uri, [
        problem(3, 'Wrong here', vscode.DiagnosticSeverity.Error),
        problem(5, 'Doubtful', vscode.DiagnosticSeverity.Warning),
        problem(6, 'Could be nicer', vscode.DiagnosticSeverity.Hint),
      ]);
      const chip = problemsChip(document.uri);
      assert.equal(chip.label, '2 problems');
      assert.equal(chip.text, 'src/client.ts:4:1: error: Wrong here\nsrc/client.ts:6:1: warning: Doubtful');
      const labels = suggestMessages(document.uri).map(({ label }) => label);
      assert.deepEqual(labels.slice(0, 2), ['Explain client.ts', 'Fix the 2 problems in client.ts']);
    } finally {
      known.dispose();
    }
  });

  itBesideNode('take the uncommitted changes, or say that there are none', noGit, async () => {
    const uri = sampleFile('README.md');
    // The first reading may have begun before other tests removed their files.
    await diffChip(uri).catch(() => {});
    await assert.rejects(diffChip(uri), /no uncommitted changes/);
    const before = await vscode.workspace.fs.readFile(uri);
    try {
      await vscode.workspace.fs.writeFile(uri, bytes(`A new first line\n${new TextDecoder().decode(before)}`));
      const chip = await diffChip(uri);
      assert.match(chip.text ?? '', /^\+A new first line$/m);
    } finally {
      await vscode.workspace.fs.writeFile(uri, before);
    }
  });

  it('take what was pasted or dropped: its text, or a file of the workspace', async () => {
    const pasted = await pastedChip('notes.md', '# Notes');
    assert.deepEqual([pasted?.kind, pasted?.label, pasted?.languageId], ['pasted', 'notes.md', 'markdown']);
    const input = await chipInput(pasted!);
    assert.ok('text' in input && input.text === '# Notes' && input.path === 'notes.md');
    const dropped = await droppedChip(sampleFile('src/client.ts').toString());
    assert.equal(dropped?.path, 'src/client.ts');
    const outside = vscode.Uri.joinPath(sampleFile('.'), '..', 'elsewhere.ts').toString();
    await assert.rejects(droppedChip(outside), /elsewhere\.ts is not in the workspace/);
    await assert.rejects(droppedChip('no address'), /no address that can be read/);
    const folder = await droppedChip(sampleFile('src').toString());
    assert.deepEqual([folder?.kind, folder?.label], ['folder', 'src/']);
    await assert.rejects(droppedChip(sampleFile('gone.ts').toString()), /gone\.ts is no longer there/);
  });

  it('are offered as far as the editor shows them', async () => {
    const editor = await show('src/client.ts');
    editor.selection = new vscode.Selection(0, 0, 0, 0);
    const without = attachableNow(editor.document.uri);
    assert.ok(without.includes('file') && !without.includes('selection') && !without.includes('problems'));
    editor.selection = new vscode.Selection(0, 0, 1, 0);
    assert.ok(attachableNow(editor.document.uri).includes('selection'));
    assert.ok(!attachableNow(undefined).includes('file'));
  });

  it('are found by name, and only what was offered can be chosen', async () => {
    const mentions = new Mentions();
    const ids = (await mentions.find('clie', [])).map(({ id }) => id);
    const client = `file ${sampleFile('src/client.ts')}`;
    assert.deepEqual(ids, [client]);
    assert.equal(mentions.resolve(client)?.toString(), sampleFile('src/client.ts').toString());
    assert.equal(mentions.resolve('file file:///etc/passwd'), undefined);
    assert.ok((await mentions.find('', ['problems'])).some(({ id }) => id === 'problems'));
    assert.equal((await mentions.find('prob', ['problems']))[0]?.id, 'problems');
    assert.deepEqual(await mentions.find('prob', []), [], 'nothing complains');
  });

  it('are found by what matches alone, also among open files', async () => {
    await show('src/client.ts');
    await show('src/totals.py');
    const mentions = new Mentions();
    const paths = async (query: string) => (await mentions.find(query, [])).map(({ label }) => label);
    assert.deepEqual(await paths('totals'), ['totals.py']);
    assert.deepEqual(await paths('nothinglikethis'), []);
    // Letters of a path in some order match nearly every file.
    assert.deepEqual(await paths('sct'), []);
  });
});

describe('what answers are good for', () => {
  afterEach(() => vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor'));

  it('goes to the cursor, in one undo step', async () => {
    const editor = await show('src/totals.py');
    const before = editor.document.getText();
    editor.selection = new vscode.Selection(0, 0, 0, 0);
    await insertAtCursor('# inserted');
    assert.equal(editor.document.getText(), `# inserted\n${before}`);
    await vscode.commands.executeCommand('undo');
    assert.equal(editor.document.getText(), before);
  });

  it('is shown beside the file that has no place for it, which can be changed there', async () => {
    const comparison = new Comparison();
    const file = sampleFile('src/client.ts');
    await comparison.show(file.toString(), 'const a = 1;');
    const input = () => vscode.window.tabGroups.activeTabGroup.activeTab?.input as vscode.TabInputTextDiff;
    await until(vscode.window.tabGroups.onDidChangeTabs, () => input() instanceof vscode.TabInputTextDiff);
    assert.equal(input().modified.toString(), file.toString());
    const shown = await vscode.workspace.openTextDocument(input().original);
    assert.equal(shown.getText(), 'const a = 1;\n');
    await comparison.show(file.toString(), 'const a = 2;');
    await until(vscode.workspace.onDidChangeTextDocument, () => shown.getText() === 'const a = 2;\n');
    comparison.dispose();
  });

  it('opens as a new file in its language, by id, alias or ending', async () => {
    for (const [fence, id] of [
      ['ts', 'typescript'],
      ['python', 'python'],
      ['bash', 'shellscript'],
      ['no such language', 'plaintext'],
    ] as const) {
      await openAsNewFile('x', fence);
      assert.equal(vscode.window.activeTextEditor?.document.languageId, id);
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    }
  });

  it('follows no link but to the web and to mail', async () => {
    for (const href of ['javascript:alert(1)', 'file:///etc/passwd', 'command:perigee.signOut', 'nothing']) {
      await assert.rejects(openLink(href), /does not open|no address/);
    }
  });
});

describe('a conversation that another device has open', () => {
  it('shows what was asked there at once, says that it answers elsewhere, and follows', async () => {
    const { session, chat } = await perigee();
    const token = (await session.credential()).token!;
    await until(session.onDidChange, () => session.state.kind === 'ok');
    const controller = await chat();
    const url = vscode.workspace.getConfiguration('perigee').get<string>('serverUrl', '');
    const other = new Client(url, token, session.account!.id, 'the other device');
    const first = other.chat('From elsewhere');
    await other.run(first);
    await controller.openConversation(first.conversationId);
    const { open } = controller;
    await until(open.onDidChange, () => open.messages.length === 2);
    assert.deepEqual(open.elsewhere, []);

    const scripts = [{ when: 'And again', pieces: ['one ', 'two ', 'three'], gateAt: 2 }];
    await fetch(`${process.env.PERIGEE_UPSTREAM}/control`, { method: 'POST', body: JSON.stringify({ scripts }) });
    const second = other.chat('And again', { conversationId: first.conversationId });
    await other.start(second);
    await until(open.onDidChange, () => open.messages.length === 4);
    assert.deepEqual(open.elsewhere, [second.id]);
    assert.equal(open.messages[3]?.device, 'the other device');
    await fetch(`${process.env.PERIGEE_UPSTREAM}/control`, { method: 'POST', body: JSON.stringify({ open: true }) });
    await until(open.onDidChange, () => open.messages[3]?.state === 'complete');
    assert.equal(open.messages[3]?.text, 'one two three');
    assert.deepEqual(open.elsewhere, []);
    await controller.newChat();
  });

  it('is gone at once when it is deleted there', async () => {
    const { session, chat } = await perigee();
    const controller = await chat();
    const url = vscode.workspace.getConfiguration('perigee').get<string>('serverUrl', '');
    const other = new Client(url, (await session.credential()).token!, session.account!.id, 'the other device');
    const request = other.chat('Delete me');
    await other.run(request);
    await controller.openConversation(request.conversationId);
    const { open } = controller;
    await until(open.onDidChange, () => open.messages.length === 2);
    await other.request('DELETE', `/api/conversations/${request.conversationId}`);
    await until(open.onDidChange, () => open.messages.length === 0);
    assert.equal(open.exists, false);
    await controller.newChat();
  });
});

describe('asking from the editor', () => {
  it('explains what is selected, with the selection attached, in a chat of its own', async () => {
    const { session, chat } = await perigee();
    await session.credential();
    await until(session.onDidChange, () => session.state.kind === 'ok');
    const editor = await show('src/client.ts');
    editor.selection = new vscode.Selection(11, 0, 13, 0);
    const controller = await chat();
    await vscode.commands.executeCommand('perigee.explainSelection');
    assert.ok(controller.open.exists);
    assert.equal(controller.open.messages[0]?.text, 'Explain lines 12–13 of client.ts.');
    await until(controller.open.onDidChange, () => controller.open.messages.at(-1)?.state === 'complete');
    const prompt = await lastPrompt();
    assert.ok(prompt.includes(editor.document.lineAt(11).text) && prompt.includes('src/client.ts'), prompt);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('says that nothing is selected when no file is open, and starts nothing', async () => {
    const { chat } = await perigee();
    const controller = await chat();
    const { id } = controller.open;
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.commands.executeCommand('perigee.explainSelection');
    assert.equal(controller.open.id, id);
  });
});
