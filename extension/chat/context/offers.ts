import * as vscode from 'vscode';
import { type ListedCommit, mayHaveRepository, recentCommits } from '../../platform/git.ts';
import { holdsSecrets } from '../../platform/secrecy/guarded.ts';
import { judgedPath } from '../../platform/secrecy/judgedPath.ts';
import { within } from '../../platform/within.ts';
import { AttachmentRefused, baseName, fileChip, GIT_MS, type StoredChip, workspacePath } from './attachments.ts';
import { commitChip, commitName } from './commits.ts';
import { isMeant } from './editorContext.ts';
import { folderChip } from './folders.ts';
import { type Offer, type OfferSource, openFiles, score } from './mentions.ts';
import { activeFile } from './suggestions.ts';
import { findSymbols, symbolChip } from './symbols.ts';
import type { Terminals } from './terminals.ts';

/** So many of each kind, so that they leave room for each other. */
const MOST_OF_KIND = 6;
const MOST_COMMITS = 30;
/** So many when the list was asked for by its name. */
const MOST_ASKED_FOR = 20;
const MOST_EDITORS = 20;
/** A commit is rarely made while the user types a word. */
const COMMITS_AGE_MS = 10_000;
/** How long a list waits for one kind: alone, and among others. */
const [PATIENCE_MS, CALM_MS] = [2_000, 300];

/** Everything that `@` offers besides files and what the editor shows. */
export function offerSources(terminals: Terminals): OfferSource[] {
  return [folderOffers, editorOffers, symbolOffers, commitOffers(), terminalOffers(terminals)];
}

/** The offers that are places in the workspace. */
export const placeOffers = (): OfferSource[] => [folderOffers, symbolOffers];

/** By the name of their kind ("terminal") or by their own. */
const isOfKind = (kind: string, wanted: string) => wanted.length > 1 && kind.startsWith(wanted);

const folderOffers: OfferSource = async (wanted, files) => {
  if (wanted === '' || wanted.startsWith('#')) return [];
  const name = wanted.replace(/\/$/, '');
  return foldersOf(files)
    .map((uri) => ({ uri, path: workspacePath(uri) }))
    .map(({ uri, path }) => ({ uri, path, score: isOfKind('folder', wanted) ? 3 : score(path, name) }))
    .filter(({ score }) => score > 1)
    .sort((a, b) => b.score - a.score || a.path.length - b.path.length)
    .slice(0, wanted === 'folder' ? MOST_ASKED_FOR : MOST_OF_KIND)
    .map(({ uri, path, score }) => ({
      ...{ id: `folder ${uri}`, icon: 'folder', label: `${baseName(path)}/`, detail: parentOf(path) },
      // A file of the same name comes first.
      score: score - 0.5,
      chips: async () => [await folderChip(uri)],
    }));
};

/** The folders that hold files, and those above them in the workspace. */
function foldersOf(files: readonly vscode.Uri[]): vscode.Uri[] {
  const found = new Map<string, vscode.Uri>();
  for (const file of files) {
    const root = vscode.workspace.getWorkspaceFolder(file)?.uri;
    if (!root) continue;
    for (let at = parentOf(file.path); at && at.length > root.path.length && !found.has(at); at = parentOf(at))
      found.set(at, file.with({ path: at }));
  }
  return [...found.values()];
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || undefined;

const editorOffers: OfferSource = async (wanted) => {
  const open = openFiles().filter(isOfWorkspace);
  const going = open.filter((uri) => !holdsSecrets(judgedPath(uri))).slice(0, MOST_EDITORS);
  if (going.length < 2 || !('open editors'.startsWith(wanted) || isOfKind('editors', wanted))) return [];
  return [
    {
      ...{ id: 'editors', icon: 'files', label: 'open editors', detail: `${going.length} files` },
      score: wanted === '' ? 3.5 : 9,
      chips: () => openEditors(open),
    },
  ];
};

/** The editor's own settings and the other sides of diffs are open as well, and nobody thinks of them. */
const isOfWorkspace = (uri: vscode.Uri) =>
  uri.scheme === 'untitled' || vscode.workspace.getWorkspaceFolder(uri)?.uri.scheme === uri.scheme;

/** All that can be attached, then a refusal that names the rest. */
async function* openEditors(open: readonly vscode.Uri[]): AsyncIterable<StoredChip> {
  const refusals: string[] = [];
  if (open.length > MOST_EDITORS) refusals.push(`The first ${MOST_EDITORS} of ${open.length} open files are attached.`);
  for (const uri of open.slice(0, MOST_EDITORS)) {
    try {
      if (holdsSecrets(judgedPath(uri)))
        throw new AttachmentRefused(
          `${baseName(uri.path)} may hold secrets. Attach it by itself if you want to send it.`,
        );
      yield await fileChip(uri);
    } catch (error) {
      if (!(error instanceof AttachmentRefused)) throw error;
      refusals.push(error.message);
    }
  }
  if (refusals.length > 0) throw new AttachmentRefused(refusals.join(' '));
}

/** `#name` asks for symbols alone. */
const symbolOffers: OfferSource = async (wanted) => {
  const isOnly = wanted.startsWith('#');
  const name = isOnly ? wanted.slice(1) : wanted;
  if (name.length < 2 && !isOnly) return [];
  const found = name === '' ? [] : await findSymbols(name, isOnly ? PATIENCE_MS : CALM_MS);
  return found.slice(0, isOnly ? undefined : MOST_OF_KIND).map((symbol): Offer => {
    const { uri, range } = symbol.location;
    const path = workspacePath(uri);
    return {
      ...{ id: `symbol ${uri}#${range.start.line}:${range.start.character}`, icon: 'symbol-method' },
      ...{ label: symbol.name, detail: `${path}:${range.start.line + 1}` },
      score: score(symbol.name, name) - 1,
      chips: async () => ((await isMeant(judgedPath(uri))) ? [await symbolChip(symbol)] : []),
    };
  });
};

function commitOffers(): OfferSource {
  let known: { at: number; near: vscode.Uri | undefined; commits: Promise<ListedCommit[]> } | undefined;
  return async (wanted) => {
    if (wanted.length < 3 && !isOfKind('commit', wanted)) return [];
    if (!mayHaveRepository()) return [];
    const isKind = isOfKind('commit', wanted);
    if (!known || Date.now() - known.at > COMMITS_AGE_MS) {
      const near = activeFile();
      known = { at: Date.now(), near, commits: commitsAround(near) };
    }
    const { near } = known;
    // The git extension may still be looking for repositories. The whole list waits, so only the whole word waits long.
    const commits = await within(known.commits, wanted === 'commit' ? PATIENCE_MS : CALM_MS);
    const found = (commits ?? [])
      .map((commit) => ({ commit, score: isKind ? 7 : scoreOf(commit, wanted) }))
      .filter(({ score }) => score > 0);
    // Room is left for files of such a name.
    return found.slice(0, wanted === 'commit' ? MOST_ASKED_FOR : MOST_OF_KIND).map(({ commit, score }) => ({
      ...{ id: `commit ${commit.hash}`, icon: 'git-commit', label: commitName(commit) },
      ...{ detail: ['commit', commit.commitDate?.toISOString().slice(0, 10)].filter(Boolean).join(', ') },
      score,
      chips: async () => [await commitChip(commit, near)],
    }));
  };
}

/** No list waits for it that long: then a next list may have them. */
async function commitsAround(near: vscode.Uri | undefined): Promise<ListedCommit[]> {
  const over = new vscode.CancellationTokenSource();
  const commits = await within(recentCommits(near, MOST_COMMITS, over.token), GIT_MS);
  over.cancel();
  over.dispose();
  return commits ?? [];
}

function scoreOf({ hash, message }: ListedCommit, wanted: string): number {
  if (wanted.length > 3 && hash.startsWith(wanted)) return 8;
  return message.split('\n', 1)[0]!.toLowerCase().includes(wanted) ? 2 : 0;
}

const terminalOffers =
  (terminals: Terminals): OfferSource =>
  async (wanted) =>
    terminals.last
      .filter(({ command }) => wanted === '' || isOfKind('terminal', wanted) || command.toLowerCase().includes(wanted))
      .slice(0, MOST_OF_KIND)
      .map(({ id, command, detail }) => ({
        ...{ id: `terminal ${id}`, icon: 'terminal', label: `terminal: ${command}`, detail },
        score: wanted === '' ? 2.5 : isOfKind('terminal', wanted) ? 9 : 5,
        chips: async () => [terminals.chip(id)],
      }));
