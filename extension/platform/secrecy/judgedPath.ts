import * as vscode from 'vscode';
import { fromFolder } from './guarded.ts';

/**
 * The path that decides whether a file holds secrets or runs commands. For a file in the workspace, it starts at its
 * workspace folder.
 */
export function judgedPath(uri: vscode.Uri): string {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  return folder ? fromFolder(folder.uri.path, uri.path) : uri.path;
}
