import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { Diagrams } from '../../../extension/chat/answers/diagrams.ts';
import { findSymbols, openSymbol } from '../../../extension/chat/answers/symbols.ts';
import { TerminalInput } from '../../../extension/chat/answers/terminal.ts';
import { sampleFile, until } from '../window.ts';

/** A terminal that only listens. */
class Listening implements vscode.Pseudoterminal {
  private readonly writing = new vscode.EventEmitter<string>();
  readonly onDidWrite = this.writing.event;
  readonly heardSome = new vscode.EventEmitter<void>();
  heard = '';
  open() {}
  close() {}
  handleInput(text: string) {
    this.heard += text;
    this.heardSome.fire();
  }
}

describe('commands of an answer', () => {
  it('never go to a terminal in which a program may run', async () => {
    const terminals = new TerminalInput(0);
    const pty = new Listening();
    const terminal = vscode.window.createTerminal({ name: 'listening', pty });
    terminal.show();
    await until(vscode.window.onDidChangeActiveTerminal, () => vscode.window.activeTerminal === terminal);
    // A browser without a machine has no other terminal.
    await terminals
      .insert('# the tests\nnpm test\n', 'bash')
      .catch((error) => assert.match(error.message, /no terminal/));
    terminal.sendText('the end', false);
    await until(pty.heardSome.event, () => pty.heard !== '');
    assert.equal(pty.heard, 'the end');
    for (const one of vscode.window.terminals) one.dispose();
    terminals.dispose();
  });

  it('wait in the prompt of a shell, and are not run', async () => {
    const terminals = new TerminalInput(20_000);
    try {
      await terminals.insert('# greets\necho hello\n', 'bash');
    } catch (error) {
      assert.match(String(error), /no terminal/);
      return;
    }
    const own = vscode.window.terminals.find(({ name }) => name === 'Perigee')!;
    const started = new Promise<string>((resolve) => {
      vscode.window.onDidStartTerminalShellExecution(({ execution }) => resolve(execution.commandLine.value));
    });
    own.sendText('', true);
    assert.equal(await started, 'echo hello');
    own.dispose();
    terminals.dispose();
  });
});

describe('diagrams of an answer', () => {
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  it('open in the editor’s Markdown preview, in a fence that they can’t close', async () => {
    const diagrams = new Diagrams();
    await diagrams.show('graph TD\n```\nA --> B', 'mermaid');
    const isPreview = () =>
      vscode.window.tabGroups.all.some(({ tabs }) =>
        tabs.some(({ input, label }) => input instanceof vscode.TabInputWebview && /Diagram/.test(label)),
      );
    await until(vscode.window.tabGroups.onDidChangeTabs, isPreview);
    const source = await vscode.workspace.openTextDocument(vscode.Uri.parse('perigee-diagram:/Diagram.md'));
    assert.equal(source.getText(), '````mermaid\ngraph TD\n```\nA --> B\n````\n');
    diagrams.dispose();
  });

  it('open as text if their preview might load something from elsewhere', async () => {
    const diagrams = new Diagrams();
    const previewed = 'graph TD\nA["one<br/>two\\nthree"] --> B\nstyle A fill:#f9f';
    await diagrams.show(previewed, 'mermaid');
    const HOSTILE = [
      'graph TD\nA["<img src=x>"]',
      'graph TD\nA["<<img src=x>>"]',
      'graph TD\nA["&lt;img src=x"]',
      'graph TD\nA["#lt;img src=x"]',
      'graph TD\nA@{ img: "x" }',
      'graph TD\nstyle A fill:url(x)',
      'graph TD\nstyle A fill:u\\72l(x)',
      'graph TD\nclick A "//example.org"',
      '%%{init: {}}%%\ngraph TD',
      '---\nconfig: x\n---\ngraph TD',
      '@startuml\n!include x\n@enduml',
    ];
    for (const text of HOSTILE) {
      await diagrams.show(text, 'mermaid');
      const shown = vscode.window.activeTextEditor?.document;
      assert.equal(shown?.uri.path, '/Diagram.txt', text);
      if (shown.getText() !== text)
        await until(vscode.workspace.onDidChangeTextDocument, () => shown.getText() === text);
    }
    const source = await vscode.workspace.openTextDocument(vscode.Uri.parse('perigee-diagram:/Diagram.md'));
    assert.equal(source.getText(), `\`\`\`mermaid\n${previewed}\n\`\`\`\n`, 'the preview keeps its own text');
    diagrams.dispose();
  });
});

describe('symbols that an answer names', () => {
  let asked: string[] = [];
  let provider: vscode.Disposable;
  const at = (line: number, path = 'src/client.ts') =>
    new vscode.Location(sampleFile(path), new vscode.Range(line, 0, line, 3));
  const outside = new vscode.Location(vscode.Uri.file('/elsewhere/a.ts'), new vscode.Range(0, 0, 0, 1));
  const found = (name: string, container: string, location: vscode.Location) =>
    new vscode.SymbolInformation(name, vscode.SymbolKind.Function, container, location);

  before(() => {
    provider = vscode.languages.registerWorkspaceSymbolProvider({
      provideWorkspaceSymbols: (query) => {
        asked.push(query);
        return [
          found('playedOnce', '', at(2)),
          found('playedTwice', 'One', at(3)),
          found('playedTwice', 'Two', at(4)),
          found('playedOutside', '', outside),
          found('playedInstalled', '', at(1, 'node_modules/x/index.ts')),
          found('playedMethod()', 'Client', at(5)),
        ];
      },
    });
  });
  beforeEach(() => {
    asked = [];
  });
  after(() => provider.dispose());
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  it('are those with exactly one definition in the workspace, by its container where one is named', async () => {
    const names = ['playedOnce', 'playedTwice', 'Two.playedTwice', 'playedOutside', 'playedInstalled', 'playedGone'];
    const { found } = await findSymbols([...names, 'Client.playedMethod()', 'Other.playedMethod', 'wo.playedTwice']);
    assert.deepEqual(found, ['playedOnce', 'Two.playedTwice', 'Client.playedMethod()']);
    const others = await findSymbols(['path.playedOnce', 'client.playedOnce', 'this.playedOnce']);
    assert.deepEqual(others.found, ['client.playedOnce', 'this.playedOnce'], 'a file may be the container');
  });

  it('are looked up twenty at a time at most, and nothing is said of the others', async () => {
    const names = Array.from({ length: 50 }, (_, n) => `played${n}`);
    assert.deepEqual((await findSymbols(names)).asked, names.slice(0, asked.length));
    assert.ok(asked.length > 0 && asked.length <= 20);
  });

  it('open at their definition, or say that there is no single one any more', async () => {
    await openSymbol('Two.playedTwice');
    assert.equal(vscode.window.activeTextEditor?.selection.active.line, 4);
    await assert.rejects(openSymbol('playedTwice'), /playedTwice has no single definition/);
  });
});
