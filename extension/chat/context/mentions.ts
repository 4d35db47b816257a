import * as vscode from 'vscode';
import type { Mention } from '../protocol.ts';
import { baseName, type StoredChip, workspacePath } from './attachments.ts';

const MOST_SHOWN = 30;
/** Files of which a part of the path fits: their folders are offered. */
const MOST_INSIDE = 300;
/** The page may choose from an answer that is not the last. */
const MOST_ANSWERS = 20;
const MOST_LISTED = 5_000;
const LIST_AGE_MS = 10_000;

const SPECIAL: Mention[] = [
  { id: 'selection', icon: 'list-selection', label: 'selection', detail: 'What is selected in the editor' },
  { id: 'problems', icon: 'warning', label: 'problems', detail: 'What the editor complains about' },
  { id: 'diff', icon: 'git-commit', label: 'diff', detail: 'Uncommitted changes' },
  { id: 'found', icon: 'search', label: 'workspace', detail: 'The pieces that fit your question' },
];

/** Something to attach that is neither a file nor what the editor shows. */
export interface Offer extends Mention {
  /** As `score`: places it among the files. */
  score: number;
  /** Its chips, those that can be attached. Throws `AttachmentRefused`, also after some of them. */
  chips(): AsyncIterable<StoredChip> | Promise<StoredChip[]>;
}

/** Finds offers for a query: `wanted` is it in lower case. `files` are those of the workspace that may fit. */
export type OfferSource = (wanted: string, files: readonly vscode.Uri[], query: string) => Promise<Offer[]>;

/** Finds what the user can attach with `@`. It remembers its offers: only an offered id may be chosen. */
export class Mentions {
  /** What was offered by id, the last answer first. What needs no more than its id has no offer. */
  private answers: ReadonlyMap<string, Offer | undefined>[] = [];
  private listed: { at: number; uris: Thenable<vscode.Uri[]> } | undefined;

  /** `mostListed`: a larger workspace is searched by name. */
  constructor(
    private readonly sources: readonly OfferSource[] = [],
    private readonly mostListed = MOST_LISTED,
  ) {}

  /** The matches, best first, and open editors before others. `attachable`: the attachable kinds besides files. */
  async find(query: string, attachable: readonly string[]): Promise<Mention[]> {
    const wanted = query.trim().toLowerCase();
    const special = SPECIAL.filter(({ id, label }) => attachable.includes(id) && label.startsWith(wanted));
    const open = openFiles();
    const isOpen = new Set(open.map(String));
    const files = [...open, ...(await this.workspaceFiles(wanted)).filter((uri) => !isOpen.has(uri.toString()))];
    const offers = (await Promise.all(this.sources.map((source) => source(wanted, files, query.trim())))).flat();
    const scored = files
      .map((uri) => ({ uri, score: score(workspacePath(uri), wanted), bonus: isOpen.has(uri.toString()) ? 2 : 0 }))
      .filter(({ score }) => score > 0)
      .map(({ uri, score, bonus }) => ({ item: fileMention(uri), score: score + bonus }));
    const others = offers.map(({ id, icon, label, detail, score }) => ({ item: { id, icon, label, detail }, score }));
    const best = [...scored, ...others].sort((a, b) => b.score - a.score).slice(0, MOST_SHOWN);
    const items = [...special, ...best.map(({ item }) => item)];
    const known = new Map(offers.map((offer) => [offer.id, offer]));
    const answer = new Map(items.map(({ id }) => [id, known.get(id)]));
    this.answers = [answer, ...this.answers].slice(0, MOST_ANSWERS);
    return items;
  }

  /** The target of an offered id; undefined if it was never offered. */
  resolve(id: string): vscode.Uri | Offer | 'selection' | 'problems' | 'diff' | 'found' | undefined {
    const answer = this.answers.find((one) => one.has(id));
    if (!answer) return undefined;
    if (id === 'selection' || id === 'problems' || id === 'diff' || id === 'found') return id;
    const offer = answer.get(id);
    if (offer) return offer;
    return vscode.Uri.parse(id.slice('file '.length), true);
  }

  private async workspaceFiles(wanted: string): Promise<vscode.Uri[]> {
    if (!this.listed || Date.now() - this.listed.at > LIST_AGE_MS) {
      this.listed = { at: Date.now(), uris: vscode.workspace.findFiles('**/*', undefined, this.mostListed) };
    }
    const listed = await this.listed.uris;
    // If the workspace is larger than the list, search again by name, ignoring case.
    const name = (wanted.split('/').findLast((part) => part !== '') ?? '').replace(/[^\p{L}\p{N}._-]/gu, '');
    if (listed.length < this.mostListed || name === '') return listed;
    const letters = [...name].map((letter) => {
      const upper = letter.toUpperCase();
      return upper === letter || upper.length > 1 ? letter : `[${letter}${upper}]`;
    });
    const pattern = `**/*${letters.join('')}*`;
    const found = await Promise.all([
      vscode.workspace.findFiles(pattern, undefined, MOST_SHOWN),
      vscode.workspace.findFiles(`${pattern}/**`, undefined, MOST_INSIDE),
    ]);
    return [...new Map(found.flat().map((uri) => [uri.toString(), uri])).values()];
  }
}

/** The files that are open in tabs, in the user's order; no settings pages, diffs or output. */
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

/**
 * 0: no match. Otherwise higher is better: the name begins with the query, the name contains it, the path contains it,
 * the query consists of beginnings of the name's words ("ctst" for client.test.ts). Scattered letters of a path don't
 * match: in a long path, they would match nearly everything.
 */
export function score(path: string, query: string): number {
  const wanted = query.toLowerCase();
  if (wanted === '') return 1;
  const name = baseName(path);
  if (name.toLowerCase().startsWith(wanted)) return 8;
  if (name.toLowerCase().includes(wanted)) return 6;
  if (path.toLowerCase().includes(wanted)) return 4;
  const words = name.match(/\p{Lu}*\p{Ll}+|\p{Lu}+|\p{Lo}+|\p{N}+/gu) ?? [];
  const lower = words.map((word) => word.toLowerCase());
  return isOfBeginnings(lower, wanted) ? 1 : 0;
}

/** Whether a query consists of the beginning of one word, then of a later word, and so on. */
function isOfBeginnings(words: readonly string[], wanted: string): boolean {
  const reached = new Set([0]);
  for (const word of words) {
    for (const at of [...reached]) {
      for (let to = at + 1; to <= wanted.length && word.startsWith(wanted.slice(at, to)); to++) reached.add(to);
    }
  }
  return reached.has(wanted.length);
}
