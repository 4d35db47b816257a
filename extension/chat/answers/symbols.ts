import * as vscode from 'vscode';
import { ActionRefused } from '../actions.ts';

/** The most names of one request that are looked up, and for how long: each asks every language server. */
const MOST_NAMES = 20;
const MOST_MS = 3_000;

/** Returns the names that have exactly one definition in the workspace. */
export async function findSymbols(names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const end = Date.now() + MOST_MS;
  for (const name of names.slice(0, MOST_NAMES)) {
    const left = end - Date.now();
    if (left <= 0) break;
    if (await within(left, definitionOf(name))) found.push(name);
  }
  return found;
}

/** Goes to the one definition of a name. Throws `ActionRefused`. */
export async function openSymbol(name: string): Promise<void> {
  const at = await definitionOf(name);
  if (!at) throw new ActionRefused(`${name} has no single definition in the workspace any more.`);
  await vscode.commands.executeCommand('vscode.open', at.uri, {
    selection: new vscode.Range(at.range.start, at.range.start),
  });
}

/** `name` may be qualified: `Client.send`, `client::send`, `send()`. */
async function definitionOf(name: string): Promise<vscode.Location | undefined> {
  const parts = name.replace(/\(\)$/, '').split(/\.|::|#/);
  const [container, last = ''] = [parts.at(-2), parts.at(-1)];
  const all = await vscode.commands.executeCommand<vscode.SymbolInformation[] | undefined>(
    'vscode.executeWorkspaceSymbolProvider',
    last,
  );
  const places = new Map<string, vscode.Location>();
  for (const { name: symbol, containerName, location } of all ?? []) {
    if (symbol.split('(', 1)[0] !== last || !location.range || !isOfWorkspace(location.uri)) continue;
    if (container && container !== 'this' && containerName && !containerName.endsWith(container)) continue;
    places.set(`${location.uri} ${location.range.start.line}`, location);
  }
  return places.size === 1 ? [...places.values()][0] : undefined;
}

const isOfWorkspace = (uri: vscode.Uri) =>
  vscode.workspace.getWorkspaceFolder(uri) !== undefined && !uri.path.includes('/node_modules/');

/** The value, or undefined if it does not come in time or fails. A server that is just starting may take minutes. */
async function within<T>(ms: number, value: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([value.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
