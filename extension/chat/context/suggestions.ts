import * as vscode from 'vscode';
import { hasUncommittedChanges, mayHaveRepository } from '../../platform/git.ts';
import { holdsSecrets } from '../../platform/secrecy/guarded.ts';
import { judgedPath } from '../../platform/secrecy/judgedPath.ts';
import type { AttachNow, Suggestion } from '../protocol.ts';
import { baseName, countProblems } from './attachments.ts';

/** A suggestion with the message that it sends: a text and attachments. */
export interface SuggestedMessage extends Suggestion {
  text: string;
  attach: ('file' | 'problems' | 'diff')[];
}

/** The suggestions of an empty chat, made from the active file; at most three, and some also without any file. */
export function suggestMessages(active: vscode.Uri | undefined): SuggestedMessage[] {
  const found: SuggestedMessage[] = [];
  // A file that may hold secrets is attached only if the user chooses it.
  if (active && !holdsSecrets(judgedPath(active))) {
    const name = baseName(active.path);
    found.push({
      id: 'explainFile',
      icon: 'lightbulb',
      label: `Explain ${name}`,
      text: `Explain ${name}.`,
      attach: ['file'],
    });
    const problems = countProblems(active);
    if (problems > 0) {
      const what = problems === 1 ? 'the problem' : `the ${problems} problems`;
      found.push({
        id: 'fixProblems',
        icon: 'warning',
        label: `Fix ${what} in ${name}`,
        text: `Fix ${what} in ${name}.`,
        attach: ['file', 'problems'],
      });
    }
  }
  if (hasUncommittedChanges()) {
    const text = 'Review my uncommitted changes.';
    found.push({
      id: 'reviewChanges',
      icon: 'git-commit',
      label: 'Review my uncommitted changes',
      text,
      attach: ['diff'],
    });
  }
  return [...found, ...GENERAL].slice(0, 3);
}

/** The kinds that the editor shows now. */
export function attachableNow(active: vscode.Uri | undefined): Exclude<AttachNow, 'pick'>[] {
  const hasProblems = vscode.languages.getDiagnostics().some(([uri]) => countProblems(uri) > 0);
  return [
    // Also where the index is off, so that choosing it says why.
    ...(vscode.workspace.workspaceFolders?.length ? (['found'] as const) : []),
    ...(active ? (['file'] as const) : []),
    ...(vscode.window.activeTextEditor?.selection.isEmpty === false ? (['selection'] as const) : []),
    ...(hasProblems ? (['problems'] as const) : []),
    ...(mayHaveRepository() ? (['diff'] as const) : []),
  ];
}

const GENERAL: SuggestedMessage[] = [
  {
    id: 'whatCanYouDo',
    icon: 'comment-discussion',
    label: 'What can you help me with?',
    text: 'What can you help me with?',
    attach: [],
  },
  {
    id: 'regularExpression',
    icon: 'regex',
    label: 'Write a regular expression for ISO dates',
    text: 'Write a regular expression that matches ISO 8601 dates, and explain it.',
    attach: [],
  },
  {
    id: 'explainRebase',
    icon: 'git-merge',
    label: 'Explain rebase and merge in git',
    text: 'What is the difference between rebase and merge in git, and when is each the better choice?',
    attach: [],
  },
];

/** The active file: the active editor's, unless that editor has no file (output, a diff's other side). */
export function activeFile(): vscode.Uri | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri && !['output', 'git', 'debug', 'vscode-settings'].includes(uri.scheme) ? uri : undefined;
}
