import * as vscode from 'vscode';
import { plainMessage } from '../../platform/plainMessage.ts';
import type { FileEdits } from './fileEdits.ts';
import {
  allTitle,
  chooseProblems,
  countable,
  type FoundProblem,
  findPresent,
  fixInstruction,
  problemsAt,
  shortMessage,
} from './texts/problems.ts';

/** The position of a problem when its quick fix was offered. */
interface Pointed {
  uri: vscode.Uri;
  range: vscode.Range;
  message: string;
}

/** Fixes problems that the editor reports. It always uses their current positions. */
export class Fixes {
  constructor(private readonly edits: Pick<FileEdits, 'editFile'>) {}

  /**
   * Fixes the problem that a quick fix's arguments (uri, range, message) name; without them, the problem at the cursor,
   * or else one that the user picks.
   */
  async fixProblem(...args: unknown[]): Promise<void> {
    const pointed = asPointed(args);
    if (!pointed) return this.fixHere();
    const document = await vscode.workspace.openTextDocument(pointed.uri);
    const present = findPresent(problemsOf(pointed.uri), pointed.message, pointed.range.start);
    if (!present) return inform(`That problem is no longer in ${nameOf(pointed.uri)}.`);
    await this.fix(document, [present]);
  }

  /** Fixes all problems of a file, or as many as fit into one request. */
  async fixAllProblems(uri?: unknown): Promise<void> {
    const meant = uri instanceof vscode.Uri ? uri : vscode.window.activeTextEditor?.document.uri;
    if (!meant) return inform('Open a file first.');
    const problems = countable(problemsOf(meant));
    if (problems.length === 0) return inform(noProblem(meant));
    await this.fix(await vscode.workspace.openTextDocument(meant), problems);
  }

  private async fixHere(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor) return inform('Open a file first.');
    const { document } = editor;
    const all = problemsOf(document.uri);
    const here = problemsAt(all, editor.selection.active);
    if (here.length > 0) return this.fix(document, here);
    const problems = countable(all);
    if (problems.length === 0) return inform(noProblem(document.uri));
    const picked = await pickProblems(problems, nameOf(document.uri));
    if (!picked || document.isClosed) return;
    // The problems may have changed while the list was open.
    const now = problemsOf(document.uri);
    const present = picked.flatMap((problem) => findPresent(now, problem.message, problem.start) ?? []);
    if (present.length === 0) return inform(noProblem(document.uri));
    await this.fix(document, [...new Set(present)]);
  }

  private async fix(document: vscode.TextDocument, problems: readonly FoundProblem[]): Promise<void> {
    const chosen = chooseProblems(problems);
    const lineAt = (line: number) => (line < document.lineCount ? document.lineAt(line).text : '');
    const instruction = fixInstruction(chosen, lineAt, problems.length);
    const name = nameOf(document.uri);
    const [only] = problems;
    const title =
      only && problems.length === 1 ? `Fix “${shortMessage(only.message)}”` : allTitle(problems.length, name);
    await this.edits.editFile({ document, instruction, title });
  }
}

interface ProblemItem extends vscode.QuickPickItem {
  problems: FoundProblem[];
}

const ICONS = ['error', 'warning', 'info', 'info'];

async function pickProblems(problems: FoundProblem[], name: string): Promise<FoundProblem[] | undefined> {
  const all: ProblemItem = {
    label: `All ${problems.length} problems`,
    iconPath: new vscode.ThemeIcon('checklist'),
    problems,
  };
  const items = problems
    .toSorted((a, b) => a.start.line - b.start.line)
    .map(
      (problem): ProblemItem => ({
        label: problem.message.split('\n', 1)[0]!,
        description: `line ${problem.start.line + 1}`,
        iconPath: new vscode.ThemeIcon(ICONS[problem.severity]!),
        problems: [problem],
      }),
    );
  const picked = await vscode.window.showQuickPick(problems.length > 1 ? [all, ...items] : items, {
    title: `Fix a Problem in ${name}`,
    placeHolder: 'Which one?',
  });
  return picked?.problems;
}

function problemsOf(uri: vscode.Uri): FoundProblem[] {
  return vscode.languages.getDiagnostics(uri).map(({ message, severity, source, code, range }) => {
    const name = typeof code === 'object' ? code.value : code;
    const { start, end } = range;
    return { message, severity, source, code: name === undefined ? undefined : String(name), start, end };
  });
}

/** Menus and keys pass other arguments, or none. */
function asPointed([uri, range, message]: unknown[]): Pointed | undefined {
  if (!(uri instanceof vscode.Uri && range instanceof vscode.Range && typeof message === 'string')) return undefined;
  return { uri, range, message };
}

const nameOf = (uri: vscode.Uri) => uri.path.slice(uri.path.lastIndexOf('/') + 1);
const noProblem = (uri: vscode.Uri) => `The editor knows of no problems in ${nameOf(uri)}.`;
const inform = (words: string) => void vscode.window.showInformationMessage(plainMessage(words));
