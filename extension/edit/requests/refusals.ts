import * as vscode from 'vscode';

/** Why Perigee can't edit this document; undefined if it can. */
export function refuseDocument({ uri }: vscode.TextDocument): string | undefined {
  if (uri.scheme === 'vscode-notebook-cell') return 'Perigee does not edit notebooks yet. Copy the cell into a file.';
  if (uri.scheme === 'untitled' || vscode.workspace.fs.isWritableFileSystem(uri.scheme)) return undefined;
  return 'This view is read-only, so Perigee can’t edit it. Open the file itself.';
}

/** Of lines. */
export const TOO_LONG = 'More than 1 MB is selected, which no model can rewrite at once. Select fewer lines.';
