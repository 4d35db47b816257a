import * as vscode from 'vscode';
import { MAX_NAMED_PATHS } from '../../../shared/runs.ts';
import { plainMessage } from '../../platform/plainMessage.ts';
import type { FileEdits } from './fileEdits.ts';
import { symbolAround } from './texts/around.ts';
import { documentInstruction, type Part, testsInstruction } from './texts/requests.ts';
import { findSubject, findTests, isTestName } from './texts/testFiles.ts';

/** Generated files are not tested, and are no examples. */
const GENERATED =
  '**/{node_modules,bower_components,vendor,dist,out,build,target,coverage,.git,.venv,venv,__pycache__}/**';
const MAX_FILES = 20_000;

/** Requests without a prompt: comments and tests for the selection, or for the symbol at the cursor. */
export class ReadyMade {
  constructor(private readonly edits: FileEdits) {}

  /** Writes documentation comments. */
  async documentCode(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor) return inform('Open a file first.');
    const { document } = editor;
    const part = await partOf(editor);
    const title = `Document ${part?.name ?? nameOf(document.uri)}`;
    await this.edits.editFile({ document, instruction: documentInstruction(part), title });
  }

  /** Adds tests to the file's test file, or to a new one in the place that the workspace uses. */
  async writeTests(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor) return inform('Open a file first.');
    const { uri } = editor.document;
    if (uri.scheme === 'vscode-notebook-cell') return inform('Perigee does not write tests for notebooks yet.');
    if (!vscode.workspace.getWorkspaceFolder(uri)) {
      return inform(`Tests are written into the workspace, and ${nameOf(uri)} is not in it.`);
    }
    const found = await vscode.workspace.findFiles('**/*', GENERATED, MAX_FILES);
    const files = new Map(found.map((file) => [pathOf(file), file]));
    const own = pathOf(uri);
    files.set(own, uri);
    const paths = [...files.keys()];
    // If a test file is active, write tests for its subject and add them to that test file.
    const path = isTestName(own) ? (findSubject(own, paths) ?? own) : own;
    const { existing, example, place } = isTestName(own) ? { existing: own } : findTests(own, paths);
    const part = path === own ? await partOf(editor) : undefined;
    const given = [path, existing, example].filter((each) => each !== undefined);
    await this.edits.editWorkspace({
      files: [...new Set(given)].map((each) => files.get(each)!),
      instruction: testsInstruction({ path, part, existing, example, place }),
      title: `Write Tests for ${part?.name ?? nameOf(files.get(path)!)}`,
      paths: paths.filter((each) => isTestName(each) && !given.includes(each)).slice(0, MAX_NAMED_PATHS),
    });
  }
}

/** The selected lines, or else the symbol around the cursor; undefined for the whole file. */
async function partOf({ document, selection }: vscode.TextEditor): Promise<Part | undefined> {
  if (!selection.isEmpty) {
    const { start, end } = selection;
    const isBefore = end.character === 0 && end.line > start.line;
    return { first: start.line + 1, last: end.line + (isBefore ? 0 : 1) };
  }
  const command = 'vscode.executeDocumentSymbolProvider';
  type Found = (vscode.DocumentSymbol | vscode.SymbolInformation)[] | undefined;
  // A language without an outline has no symbols. If its extension fails, treat it the same.
  const found = await vscode.commands.executeCommand<Found>(command, document.uri).then(undefined, () => undefined);
  const symbols = (found ?? []).map((symbol) =>
    'children' in symbol
      ? symbol
      : { name: symbol.name, kind: symbol.kind, range: symbol.location.range, children: [] },
  );
  const symbol = symbolAround(symbols, selection.active);
  return symbol && { name: symbol.name, first: symbol.range.start.line + 1, last: symbol.range.end.line + 1 };
}

const pathOf = (uri: vscode.Uri) => vscode.workspace.asRelativePath(uri).replaceAll('\\', '/');
const nameOf = (uri: vscode.Uri) => uri.path.slice(uri.path.lastIndexOf('/') + 1);
const inform = (words: string) => void vscode.window.showInformationMessage(plainMessage(words));
