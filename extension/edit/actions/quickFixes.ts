import * as vscode from 'vscode';
import { allTitle, countable, problemTitle } from './texts/problems.ts';

/** The most actions at one place. Two linters may report the same problem, and more actions would fill the menu. */
const MAX_AT_ONE_PLACE = 3;

/**
 * "Fix" and "Explain" for every problem that the editor reports. This class is loaded at the editor's start, so it only
 * stores the commands' arguments; the commands load the rest.
 */
export class QuickFixes implements vscode.CodeActionProvider {
  static readonly metadata = { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] };

  provideCodeActions(
    document: vscode.TextDocument,
    _range: vscode.Range,
    { diagnostics, only }: vscode.CodeActionContext,
  ): vscode.CodeAction[] {
    if (diagnostics.length === 0 || (only && !only.contains(vscode.CodeActionKind.QuickFix))) return [];
    const here = diagnostics.toSorted((a, b) => a.severity - b.severity).slice(0, MAX_AT_ONE_PLACE);
    const ofEach = (verb: 'Fix' | 'Explain', command: string) =>
      here.map((diagnostic) =>
        action(problemTitle(verb, here.length > 1 ? diagnostic.message : undefined), [diagnostic], command, [
          document.uri,
          diagnostic.range,
          diagnostic.message,
        ]),
      );
    const explain = ofEach('Explain', 'perigee.explainProblem');
    if (!canEdit(document)) return explain;
    const all = countable(vscode.languages.getDiagnostics(document.uri)).length;
    const name = document.uri.path.slice(document.uri.path.lastIndexOf('/') + 1);
    const fixAll = action(`${allTitle(all, name)} with Perigee`, here, 'perigee.fixAllProblems', [document.uri]);
    return [...ofEach('Fix', 'perigee.fixProblem'), ...(all > 1 ? [fixAll] : []), ...explain];
  }
}

function action(title: string, diagnostics: vscode.Diagnostic[], command: string, args: unknown[]): vscode.CodeAction {
  const made = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  made.diagnostics = diagnostics;
  made.command = { command, title, arguments: args };
  return made;
}

const canEdit = ({ uri: { scheme } }: vscode.TextDocument) =>
  scheme === 'untitled' ||
  (scheme !== 'vscode-notebook-cell' && vscode.workspace.fs.isWritableFileSystem(scheme) === true);
