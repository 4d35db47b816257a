import * as vscode from 'vscode';
import { within } from '../../platform/within.ts';
import { AttachmentRefused, baseName, head, partChip, refuseTooLong, type StoredChip } from './attachments.ts';

const MOST = 10;
/** How long a symbol waits for its language server. The message waits for the symbol. */
const PATIENCE_MS = 2_000;

/** A name that language servers know in the workspace. */
export interface KnownSymbol {
  name: string;
  location: vscode.Location;
}

/** The names of the workspace that fit `query`: a language server that is just starting may take longer than `ms`. */
export async function findSymbols(query: string, ms: number): Promise<KnownSymbol[]> {
  const asked = vscode.commands.executeCommand<vscode.SymbolInformation[] | undefined>(
    'vscode.executeWorkspaceSymbolProvider',
    query,
  );
  const symbols = await within(asked, ms);
  return (
    (symbols ?? [])
      // A server also knows the names of libraries.
      .filter(({ location }) => location.range && vscode.workspace.getWorkspaceFolder(location.uri))
      .map(({ name, location }) => ({ name: name.split('(', 1)[0]!, location }))
      .filter(({ name }) => name.toLowerCase().includes(query.toLowerCase()))
      .slice(0, MOST)
  );
}

/** A chip for the lines that define a name. Throws `AttachmentRefused` if they are gone. */
export async function symbolChip({ name, location }: KnownSymbol): Promise<StoredChip> {
  const { uri } = location;
  let document: vscode.TextDocument;
  try {
    document = await vscode.workspace.openTextDocument(uri);
  } catch {
    throw new AttachmentRefused(`${name} can't be read: ${baseName(uri.path)} is gone or is no text.`);
  }
  const { start, end } = (await definitionOf(name, location)) ?? location.range;
  const range = { start: start.line, end: Math.min(end.line, document.lineCount - 1) };
  const text = document.getText(new vscode.Range(range.start, 0, range.end, Number.MAX_SAFE_INTEGER));
  if (text.trim() === '') throw new AttachmentRefused(`${name} is no longer there.`);
  refuseTooLong(text, name);
  const own = head('symbol', `${uri}#${range.start}-${range.end}`);
  return { ...partChip(document, range, text), ...own, label: name };
}

/** The whole definition: a search of the workspace may tell only where the name stands. */
async function definitionOf(name: string, { uri, range }: vscode.Location): Promise<vscode.Range | undefined> {
  const asked = vscode.commands.executeCommand<(vscode.DocumentSymbol | vscode.SymbolInformation)[] | undefined>(
    'vscode.executeDocumentSymbolProvider',
    uri,
  );
  const symbols = await within(asked, PATIENCE_MS);
  const all: vscode.DocumentSymbol[] = [];
  const collect = (list: vscode.DocumentSymbol[]) => {
    for (const symbol of list) {
      all.push(symbol);
      collect(symbol.children);
    }
  };
  collect((symbols ?? []).filter((symbol) => 'children' in symbol));
  const fits = all.filter((symbol) => symbol.name.split('(', 1)[0] === name);
  const holding = fits.filter((symbol) => symbol.range.contains(range.start));
  // The innermost.
  return (holding.length > 0 ? holding : fits).at(-1)?.range;
}
