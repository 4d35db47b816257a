import * as vscode from 'vscode';
import { namesIn } from './ranking/merge.ts';

/** A language server that is just starting may take minutes. */
const MOST_MS = 150;

/** Where language servers define names that the question has; whatever they say within `MOST_MS`. */
export async function symbolsFor(question: string): Promise<vscode.Location[]> {
  const found: vscode.Location[] = [];
  const asked = namesIn(question).map(async (name) => {
    const symbols = await vscode.commands.executeCommand<vscode.SymbolInformation[] | undefined>(
      'vscode.executeWorkspaceSymbolProvider',
      name,
    );
    for (const { name: symbol, location } of symbols ?? [])
      if (symbol.split('(', 1)[0] === name && location.range) found.push(location);
  });
  if (asked.length === 0) return found;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, MOST_MS);
  });
  await Promise.race([Promise.allSettled(asked), late]);
  clearTimeout(timer);
  return [...found];
}
