import * as vscode from 'vscode';
import { baseName, workspacePath } from './attachments.ts';
import type { Mention } from './protocol.ts';

const MOST_SHOWN = 30;
const MOST_LISTED = 5_000;
const LIST_AGE_MS = 10_000;

const SPECIAL: Mention[] = [
  { id: 'selection', icon: 'list-selection', label: 'selection', detail: 'What is selected in the editor' },
  { id: 'problems', icon: 'warning', label: 'problems', detail: 'What the editor complains about' },
  { id: 'diff', icon: 'git-commit', label: 'diff', detail: 'Uncommitted changes' },
];

/** Finds what can be attached by `@`. It remembers what it offered: only that may be chosen. */
export class Mentions {
  private readonly offered = new Set<string>();
  private listed: { at: number; uris: vscode.Uri[] } | undefined;

  /** Open editors first, then files whose path has the query's letters in order, best first. */
  async find(query: string): Promise<Mention[]> {
    const wanted = query.trim().toLowerCase();
    const special = SPECIAL.filter(({ label }) => label.startsWith(wanted));
    const open = openFiles();
    const isOpen = new Set(open.map(String));
    const files = [...open, ...(await this.workspaceFiles(wanted)).filter((uri) => !isOpen.has(uri.toString()))];
    const scored = files
      .map((uri) => ({
        uri,
        score: score(workspacePath(uri).toLowerCase(), wanted) + (isOpen.has(uri.toString()) ? 2 : 0),
      }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, MOST_SHOWN);
    const items = [...special, ...scored.map(({ uri }) => fileMention(uri))];
    for (const { id } of items) this.offered.add(id);
    return items;
  }

  /** What an offered id stands for; undefined for one that was never offered. */
  resolve(id: string): vscode.Uri | 'selection' | 'problems' | 'diff' | undefined {
    if (!this.offered.has(id)) return undefined;
    if (id === 'selection' || id === 'problems' || id === 'diff') return id;
    return vscode.Uri.parse(id.slice('file '.length), true);
  }

  private async workspaceFiles(wanted: string): Promise<vscode.Uri[]> {
    if (!this.listed || Date.now() - this.listed.at > LIST_AGE_MS) {
      this.listed = { at: Date.now(), uris: await vscode.workspace.findFiles('**/*', undefined, MOST_LISTED) };
    }
    // A workspace larger than the list: the name decides, in either case of letters.
    const name = wanted.replace(/[^\p{L}\p{N}._-]/gu, '');
    if (this.listed.uris.length < MOST_LISTED || name === '') return this.listed.uris;
    const pattern = [...name].map((letter) => {
      const upper = letter.toUpperCase();
      return upper === letter || upper.length > 1 ? letter : `[${letter}${upper}]`;
    });
    return vscode.workspace.findFiles(`**/*${pattern.join('')}*`, undefined, MOST_SHOWN);
  }
}

/** Files that are open in tabs, as the user sees them; no settings pages, diffs or output. */
export function openFiles(): vscode.Uri[] {
  const uris = vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .map(({ input }) => (input instanceof vscode.TabInputText ? input.uri : undefined))
    .filter((uri): uri is vscode.Uri => uri !== undefined && uri.scheme !== 'output');
  return [...new Map(uris.map((uri) => [uri.toString(), uri])).values()];
}

function fileMention(uri: vscode.Uri): Mention {
  const path = workspacePath(uri);
  const name = baseName(path);
  const folder = path.slice(0, -name.length - 1);
  return { id: `file ${uri}`, icon: 'file', label: name, detail: folder || undefined };
}

/** 0: no match. Otherwise higher is better: name begins with it, name has it, path has it, its letters in order. */
function score(path: string, wanted: string): number {
  if (wanted === '') return 1;
  const name = baseName(path);
  if (name.startsWith(wanted)) return 8;
  if (name.includes(wanted)) return 6;
  if (path.includes(wanted)) return 4;
  let at = 0;
  for (const letter of wanted) {
    at = path.indexOf(letter, at) + 1;
    if (at === 0) return 0;
  }
  return 1;
}
