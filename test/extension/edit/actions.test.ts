import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { FileEdits } from '../../../extension/edit/actions/fileEdits.ts';
import { Fixes } from '../../../extension/edit/actions/fixes.ts';
import { QuickFixes } from '../../../extension/edit/actions/quickFixes.ts';
import { ReadyMade } from '../../../extension/edit/actions/readyMade.ts';
import { perigee, sampleFile, until } from '../window.ts';
import { block, filesOf, Messages, Scene } from './editModel.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const closeAll = () => vscode.commands.executeCommand('workbench.action.closeAllEditors');

/** What the editor is told to know, and what was made of it. */
class Problems {
  private readonly known = vscode.languages.createDiagnosticCollection('test');

  set(uri: vscode.Uri, ...found: [line: number, message: string, severity?: vscode.DiagnosticSeverity][]): void {
    this.known.set(
      uri,
      found.map(([line, message, severity = vscode.DiagnosticSeverity.Error]) => {
        const diagnostic = new vscode.Diagnostic(new vscode.Range(line, 0, line, 5), message, severity);
        diagnostic.source = 'test';
        diagnostic.code = { value: 42, target: uri };
        return diagnostic;
      }),
    );
  }

  dispose(): void {
    this.known.dispose();
  }
}

/** Keeps what is asked for instead of asking a model. */
class Asked implements FileEdits {
  readonly files: Parameters<FileEdits['editFile']>[0][] = [];
  readonly workspaces: Parameters<FileEdits['editWorkspace']>[0][] = [];
  async editFile(edit: Parameters<FileEdits['editFile']>[0]): Promise<void> {
    this.files.push(edit);
  }
  async editWorkspace(edit: Parameters<FileEdits['editWorkspace']>[0]): Promise<void> {
    this.workspaces.push(edit);
  }
}

async function show(path: string, line = 0): Promise<vscode.TextEditor> {
  const editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(sampleFile(path)));
  editor.selection = new vscode.Selection(line, 0, line, 0);
  return editor;
}

describe('quick fixes', () => {
  const uri = sampleFile('src/client.ts');
  let problems: Problems;
  beforeEach(async () => {
    await perigee();
    problems = new Problems();
    await show('src/client.ts');
  });
  afterEach(async () => {
    problems.dispose();
    await closeAll();
  });

  /** Perigee's in the menu at a line, by their titles, in order. */
  async function offered(at: vscode.Uri, line: number, kind?: string): Promise<vscode.CodeAction[]> {
    const command = 'vscode.executeCodeActionProvider';
    const range = new vscode.Range(line, 0, line, 1);
    const all = await vscode.commands.executeCommand<vscode.CodeAction[]>(command, at, range, kind);
    return all.filter(({ title }) => title.endsWith('with Perigee'));
  }
  const titles = (actions: vscode.CodeAction[]) => actions.map(({ title }) => title);

  it('are offered for the only problem of a file', async () => {
    problems.set(uri, [3, 'Wrong']);
    const actions = await offered(uri, 3);
    assert.deepEqual(titles(actions), ['Fix with Perigee', 'Explain with Perigee']);
    for (const { kind, isPreferred } of actions) {
      assert.deepEqual([kind?.value, isPreferred ?? false], ['quickfix', false]);
    }
  });

  it('belong to their problem, so that its hover offers them', async () => {
    problems.set(uri, [3, 'Wrong'], [9, 'Elsewhere']);
    const document = await vscode.workspace.openTextDocument(uri);
    const diagnostics = vscode.languages.getDiagnostics(uri).slice(0, 1);
    const context = { diagnostics, only: undefined, triggerKind: vscode.CodeActionTriggerKind.Invoke };
    const actions = new QuickFixes().provideCodeActions(document, diagnostics[0]!.range, context);
    assert.deepEqual(
      actions.map((action) => action.diagnostics),
      [diagnostics, diagnostics, diagnostics],
    );
  });

  it('say which problem they mean where there are several, and offer to fix all of the file', async () => {
    problems.set(uri, [3, 'Doubtful', vscode.DiagnosticSeverity.Warning], [3, 'Wrong'], [9, 'Elsewhere']);
    assert.deepEqual(titles(await offered(uri, 3)), [
      'Fix “Wrong” with Perigee',
      'Fix “Doubtful” with Perigee',
      'Fix all 3 problems in client.ts with Perigee',
      'Explain “Wrong” with Perigee',
      'Explain “Doubtful” with Perigee',
    ]);
  });

  it('are not offered where there is no problem, nor as another kind of action', async () => {
    problems.set(uri, [3, 'Wrong']);
    assert.deepEqual(titles(await offered(uri, 5)), []);
    assert.deepEqual(titles(await offered(uri, 3, 'refactor')), []);
  });

  it('explain only, in a document that can’t be edited', async () => {
    const scheme = 'perigee-test-readonly';
    const provider = vscode.workspace.registerTextDocumentContentProvider(scheme, {
      provideTextDocumentContent: () => 'one\ntwo\n',
    });
    try {
      const readOnly = vscode.Uri.parse(`${scheme}:/here.txt`);
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(readOnly));
      problems.set(readOnly, [1, 'Wrong']);
      assert.deepEqual(titles(await offered(readOnly, 1)), ['Explain with Perigee']);
    } finally {
      provider.dispose();
    }
  });
});

describe('Fix Problem', () => {
  const uri = sampleFile('src/client.ts');
  let problems: Problems;
  let messages: Messages;
  let asked: Asked;
  let fixes: Fixes;
  beforeEach(async () => {
    problems = new Problems();
    messages = new Messages();
    asked = new Asked();
    fixes = new Fixes(asked);
  });
  afterEach(async () => {
    problems.dispose();
    messages.dispose();
    await closeAll();
  });
  const range = (line: number) => new vscode.Range(line, 0, line, 5);

  it('asks for the problem of a quick fix, as it is now', async () => {
    problems.set(uri, [7, 'Wrong'], [9, 'Other']);
    await fixes.fixProblem(uri, range(3), 'Wrong');
    const [{ document, instruction, title }] = asked.files as [Asked['files'][0]];
    assert.equal(document.uri.toString(), uri.toString());
    assert.equal(title, 'Fix “Wrong”');
    const line = document.lineAt(7).text.trim();
    assert.ok(instruction.startsWith(`Fix the error in line 8: Wrong (test 42)\n    ${line}\n`), instruction);
  });

  it('says so when that problem is gone', async () => {
    problems.set(uri, [7, 'Other']);
    await fixes.fixProblem(uri, range(7), 'Wrong');
    await messages.next(/no longer in client\.ts/);
    assert.deepEqual(asked.files, []);
  });

  it('means the problem at the cursor', async () => {
    problems.set(uri, [2, 'Elsewhere'], [4, 'Here']);
    await show('src/client.ts', 4);
    await fixes.fixProblem(uri, 'as a context menu calls it');
    assert.deepEqual(
      asked.files.map(({ title }) => title),
      ['Fix “Here”'],
    );
  });

  it('asks which one, all of them first, when the cursor is at none', async () => {
    problems.set(
      uri,
      [6, 'Second', vscode.DiagnosticSeverity.Warning],
      [2, 'First'],
      [9, 'A hint', vscode.DiagnosticSeverity.Hint],
    );
    await show('src/client.ts', 0);
    const original = vscode.window.showQuickPick;
    const shown: string[] = [];
    const pick = async (items: readonly vscode.QuickPickItem[]) => {
      shown.push(...items.map(({ label, description }) => [label, description].filter(Boolean).join(' · ')));
      return items[0];
    };
    Object.defineProperty(vscode.window, 'showQuickPick', { value: pick, configurable: true, writable: true });
    try {
      await fixes.fixProblem();
    } finally {
      Object.defineProperty(vscode.window, 'showQuickPick', { value: original, configurable: true, writable: true });
    }
    assert.deepEqual(shown, ['All 2 problems', 'First · line 3', 'Second · line 7']);
    const [{ title, instruction }] = asked.files as [Asked['files'][0]];
    assert.equal(title, 'Fix all 2 problems in client.ts');
    assert.match(instruction, /1\. line 3, error: First(?:.|\n)*2\. line 7, warning: Second/);
  });

  it('says so when there is none', async () => {
    await show('src/client.ts');
    await fixes.fixProblem();
    await messages.next(/knows of no problems in client\.ts/);
    await fixes.fixAllProblems(uri);
    await messages.next(/knows of no problems in client\.ts/);
    await closeAll();
    await fixes.fixProblem();
    await messages.next(/Open a file first/);
  });

  it('takes as many of all as one request can hold, and says so', async () => {
    problems.set(uri, ...Array.from({ length: 60 }, (_, i): [number, string] => [i % 20, `Wrong ${i}`]));
    await fixes.fixAllProblems(uri);
    const [{ title, instruction }] = asked.files as [Asked['files'][0]];
    assert.equal(title, 'Fix 50 of the 60 problems in client.ts');
    assert.match(instruction, /^Fix these 50 problems\. These are 50 of 60; leave the others for later\.\n/);
  });
});

describe('Fix Problem, with a model', () => {
  it('puts the fix into the file for review', async () => {
    const scene = new Scene();
    const problems = new Problems();
    try {
      await scene.open('one\ntwo\nthree\n');
      problems.set(scene.document.uri, [1, 'Not a number']);
      const over = new Fixes(scene.edits).fixProblem(scene.document.uri, new vscode.Range(1, 0, 1, 3), 'Not a number');
      await scene.until(() => scene.runs.requests.length === 1);
      const { instruction, files } = filesOf(scene.runs.requests[0]!);
      assert.match(instruction, /^Fix the error in line 2: Not a number/);
      assert.equal(files[0]!.text, 'one\ntwo\nthree\n');
      scene.runs.write(block('two', '2', files[0]!.path));
      scene.runs.done();
      await over;
      await scene.reviewed(1);
      assert.equal(scene.text, 'one\n2\nthree\n');
    } finally {
      problems.dispose();
      await scene.dispose();
    }
  });

  it('refuses what can’t be edited, in words', async () => {
    const scene = new Scene();
    const problems = new Problems();
    const provider = vscode.workspace.registerTextDocumentContentProvider('perigee-test-readonly', {
      provideTextDocumentContent: () => 'one\n',
    });
    try {
      const uri = vscode.Uri.parse('perigee-test-readonly:/here.txt');
      problems.set(uri, [0, 'Wrong']);
      await new Fixes(scene.edits).fixAllProblems(uri);
      await scene.messages.next(/read-only, so Perigee can’t edit it/);
      assert.deepEqual(scene.runs.requests, []);
    } finally {
      provider.dispose();
      problems.dispose();
      await scene.dispose();
    }
  });
});

describe('Document and Write Tests', () => {
  let asked: Asked;
  let readyMade: ReadyMade;
  let messages: Messages;
  const scratch: vscode.Uri[] = [];
  beforeEach(() => {
    asked = new Asked();
    messages = new Messages();
    readyMade = new ReadyMade(asked);
  });
  afterEach(async () => {
    messages.dispose();
    await closeAll();
    for (const uri of scratch.splice(0)) await vscode.workspace.fs.delete(uri).then(undefined, () => {});
  });

  /** An outline as a language's extension gives it. */
  function outline(name: string, first: number, last: number): vscode.Disposable {
    const range = new vscode.Range(first, 0, last, 1);
    return vscode.languages.registerDocumentSymbolProvider('*', {
      provideDocumentSymbols: () => [
        new vscode.DocumentSymbol(name, '', vscode.SymbolKind.Function, range, range.with({ end: range.start })),
      ],
    });
  }

  it('mean the selected lines', async () => {
    const editor = await show('src/client.ts');
    editor.selection = new vscode.Selection(3, 2, 6, 0);
    await readyMade.documentCode();
    const [{ instruction, title }] = asked.files as [Asked['files'][0]];
    assert.match(instruction, /^Document lines 4 to 6\.\n/);
    assert.equal(title, 'Document client.ts');
  });

  it('mean the symbol around the cursor', async () => {
    const symbols = outline('fetchOrder', 11, 20);
    try {
      await show('README.md', 12);
      await readyMade.documentCode();
      assert.match(asked.files[0]!.instruction, /^Document `fetchOrder` \(lines 12 to 21\)\.\n/);
      assert.equal(asked.files[0]!.title, 'Document fetchOrder');
    } finally {
      symbols.dispose();
    }
  });

  it('mean the whole file where there is neither', async () => {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content: 'one\n' }));
    await readyMade.documentCode();
    assert.match(asked.files[0]!.instruction, /^Document this file\.\n/);
  });

  it('give the model the tests there are, and the names of the others', async () => {
    for (const path of ['test/client.test.ts', 'test/other.test.ts']) {
      const uri = sampleFile(path);
      await vscode.workspace.fs.writeFile(uri, bytes('// a test\n'));
      scratch.push(uri);
    }
    const editor = await show('src/client.ts');
    editor.selection = new vscode.Selection(3, 0, 5, 3);
    await readyMade.writeTests();
    const [{ files, instruction, title, paths }] = asked.workspaces as [Asked['workspaces'][0]];
    assert.deepEqual(files.map(String), [sampleFile('src/client.ts'), sampleFile('test/client.test.ts')].map(String));
    assert.match(
      instruction,
      /^Write tests for lines 4 to 6 of src\/client\.ts\.\nAdd them to test\/client\.test\.ts,/,
    );
    assert.equal(title, 'Write Tests for client.ts');
    assert.deepEqual(paths, ['test/other.test.ts']);
  });

  it('go from the tests to what they test', async () => {
    const uri = sampleFile('test/client.test.ts');
    await vscode.workspace.fs.writeFile(uri, bytes('// a test\n'));
    scratch.push(uri);
    await show('test/client.test.ts');
    await readyMade.writeTests();
    const [{ files, instruction }] = asked.workspaces as [Asked['workspaces'][0]];
    assert.deepEqual(files.map(String), [sampleFile('src/client.ts'), uri].map(String));
    assert.match(instruction, /^Write tests for src\/client\.ts\.\nAdd them to test\/client\.test\.ts,/);
  });

  it('refuse, in words, a file outside of the workspace', async () => {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content: 'one\n' }));
    await readyMade.writeTests();
    await messages.next(/is not in it/);
    assert.deepEqual(asked.workspaces, []);
  });
});

describe('the commands of ready-made requests', () => {
  it('are there', async () => {
    await perigee();
    const known = await vscode.commands.getCommands(true);
    const ours = [
      'fixProblem',
      'fixAllProblems',
      'explainProblem',
      'document',
      'writeTests',
      'commitMessage',
      'stopCommitMessage',
    ];
    assert.deepEqual(
      ours.filter((name) => !known.includes(`perigee.${name}`)),
      [],
    );
  });

  it('explain a problem in the chat, with the lines around it', async () => {
    const { chat } = await perigee();
    const controller = await chat();
    const uri = sampleFile('src/client.ts');
    const problems = new Problems();
    try {
      problems.set(uri, [7, 'Wrong here']);
      await vscode.commands.executeCommand('perigee.explainProblem', uri, new vscode.Range(5, 0, 5, 1), 'Wrong here');
      const { open } = controller;
      // What was attached is told by the server.
      await until(open.onDidChange, () => open.messages.at(-2)?.attachments !== undefined);
      const question = open.messages.at(-2)!;
      assert.match(question.text, /^Explain this problem/);
      assert.deepEqual(
        question.attachments?.map(({ kind, path }) => [kind, path]),
        [
          ['problems', 'src/client.ts'],
          ['selection', 'src/client.ts'],
        ],
      );
    } finally {
      problems.dispose();
    }
  });
});
