import * as vscode from 'vscode';
import { within } from '../../platform/within.ts';
import { ActionRefused } from '../actions.ts';

/** The most names of one request that are looked up, and for how long: each asks every language server. */
const MOST_NAMES = 20;
const MOST_MS = 3_000;

/** One request after the other: language servers have more to do. */
let last: Promise<unknown> = Promise.resolve();

/** `asked`: the names that could be looked up. `found`: those that have exactly one definition in the workspace. */
export function findSymbols(names: readonly string[]): Promise<{ asked: string[]; found: string[] }> {
  const result = last.then(() => lookUp(names));
  last = result.catch(() => {});
  return result;
}

async function lookUp(names: readonly string[]): Promise<{ asked: string[]; found: string[] }> {
  const asked: string[] = [];
  const found: string[] = [];
  const end = Date.now() + MOST_MS;
  for (const name of names.slice(0, MOST_NAMES)) {
    const left = end - Date.now();
    if (left <= 0) break;
    const at = await within(definitionOf(name), left);
    if (at !== undefined) asked.push(name);
    if (at) found.push(name);
  }
  return { asked, found };
}

/** Goes to the one definition of a name. Throws `ActionRefused`. */
export async function openSymbol(name: string): Promise<void> {
  const at = await definitionOf(name);
  if (!at) throw new ActionRefused(`${name} has no single definition in the workspace any more.`);
  await vscode.commands.executeCommand('vscode.open', at.uri, {
    selection: new vscode.Range(at.range.start, at.range.start),
  });
}

/** `name` may be qualified: `Client.send`, `client::send`, `send()`. Null: there is not exactly one. */
async function definitionOf(name: string): Promise<vscode.Location | null> {
  const parts = name.replace(/\(\)$/, '').split(PARTS);
  const [container, own = ''] = [parts.at(-2), parts.at(-1)];
  const all = await vscode.commands.executeCommand<vscode.SymbolInformation[] | undefined>(
    'vscode.executeWorkspaceSymbolProvider',
    own,
  );
  const places = new Map<string, vscode.Location>();
  for (const { name: symbol, containerName, location } of all ?? []) {
    if (symbol.split('(', 1)[0] !== own || !location.range || !isOfWorkspace(location.uri)) continue;
    const owners = [containerName?.split(PARTS).at(-1), fileName(location.uri)];
    if (container && !['this', 'self', 'super'].includes(container) && !owners.includes(container)) continue;
    places.set(`${location.uri} ${location.range.start.line}`, location);
  }
  return places.size === 1 ? [...places.values()][0]! : null;
}

const PARTS = /\.|::|#/;
const fileName = ({ path }: vscode.Uri) => /[^/]*$/.exec(path)![0].replace(/\.\w+$/, '');

const isOfWorkspace = (uri: vscode.Uri) =>
  vscode.workspace.getWorkspaceFolder(uri) !== undefined && !uri.path.includes('/node_modules/');
