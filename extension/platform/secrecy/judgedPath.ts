import * as vscode from 'vscode';
import { fromFolder } from './guarded.ts';

/** The path by which a file is judged to hold secrets or run commands: of one in the workspace, from its folder on. */
export function judgedPath(uri: vscode.Uri): string {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  return folder ? fromFolder(folder.uri.path, uri.path) : uri.path;
}
