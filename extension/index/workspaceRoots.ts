import * as vscode from 'vscode';
import { holdsSecrets } from '../platform/secrecy/guarded.ts';
import { judgedPath } from '../platform/secrecy/judgedPath.ts';
import { indexExcludes, indexesFolder } from '../platform/settings.ts';
import { excludesOf, rulesAbove, rulesIn } from '../platform/unasked.ts';
import type { EntryKind, Names, Root } from './roots.ts';

/** A root of the index with its workspace folder. */
export interface WorkspaceRoot extends Root {
  folder: vscode.WorkspaceFolder;
  uriOf(names: Names): vscode.Uri;
}

/** The workspace folders that may be indexed; none in a workspace that is not trusted. */
export function workspaceRoots(): WorkspaceRoot[] {
  if (!vscode.workspace.isTrusted) return [];
  const taken = new Set<string>();
  return (vscode.workspace.workspaceFolders ?? [])
    .filter((folder) => indexesFolder(folder.uri))
    .map((folder) => {
      const plain = folder.name.replace(/[\\/]/g, '_') || 'root';
      let name = plain;
      for (let copy = 2; taken.has(name); copy++) name = `${plain}~${copy}`;
      taken.add(name);
      return rootOf(folder, name);
    });
}

function rootOf(folder: vscode.WorkspaceFolder, name: string): WorkspaceRoot {
  const { fs } = vscode.workspace;
  const uriOf = (names: Names) => vscode.Uri.joinPath(folder.uri, ...names);
  const excludes = excludesOf(folder, indexExcludes(folder.uri));
  return {
    name,
    folder,
    uriOf,
    above: () => rulesAbove(folder.uri),
    entries: async (names) => (await fs.readDirectory(uriOf(names))).map(([entry, type]) => [entry, kindOf(type)]),
    ignoreFile: (names) => rulesIn(uriOf(names)),
    isExcluded: (names) => excludes(uriOf(names)),
    holdsSecrets: (names) => holdsSecrets(judgedPath(uriOf(names))),
    stat: async (names) => {
      const { type, mtime, size } = await fs.stat(uriOf(names));
      return kindOf(type) === 'file' ? { mtime, size } : undefined;
    },
    read: async (names) => fs.readFile(uriOf(names)),
  };
}

function kindOf(type: vscode.FileType): EntryKind {
  if (type & vscode.FileType.SymbolicLink) return 'link';
  if (type & vscode.FileType.Directory) return 'folder';
  return type & vscode.FileType.File ? 'file' : 'other';
}
