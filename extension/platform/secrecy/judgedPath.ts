import * as vscode from 'vscode';
import { fromFolder } from './guarded.ts';

/** The path that decides whether a file holds secrets or runs commands. In a workspace, from its folder's name on. */
export function judgedPath(uri: vscode.Uri): string {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  return folder ? fromFolder(folder.uri.path, uri.path) : uri.path;
}
