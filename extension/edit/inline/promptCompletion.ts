import * as vscode from 'vscode';
import { isPromptInput } from './promptInputs.ts';

/** What `@` offers in a prompt. */
export interface PromptOffer {
  icon: string;
  label: string;
  detail?: string;
  /** The text that names it, with its `@`. */
  token: string;
}

/** Completes `@` in the prompt of an edit. */
export class PromptCompletion implements vscode.CompletionItemProvider {
  static readonly triggers = ['@', '#', '/'];

  constructor(private readonly offers: (query: string) => Promise<readonly PromptOffer[]>) {}

  async provideCompletionItems(
    document: vscode.TextDocument,
    at: vscode.Position,
  ): Promise<vscode.CompletionList | undefined> {
    if (!isPromptInput(document)) return undefined;
    const before = document.lineAt(at).text.slice(0, at.character);
    const typed = /(?<![\p{L}\p{N}_@])@("[^"]*|[^\s"@]*)$/u.exec(before);
    if (!typed) return undefined;
    const query = typed[1]!.replace(/^"/, '').replace(/^.*#/, '#');
    const range = new vscode.Range(at.translate(0, -typed[0].length), at);
    const items = (await this.offers(query)).map((offer, index) => {
      const item = new vscode.CompletionItem({ label: offer.label, description: offer.detail }, KINDS[offer.icon]);
      item.insertText = `${offer.token} `;
      item.range = range;
      // The offers are matched and sorted already.
      item.filterText = typed[0];
      item.sortText = String(index).padStart(4, '0');
      return item;
    });
    return new vscode.CompletionList(items, true);
  }
}

const KINDS: Record<string, vscode.CompletionItemKind> = {
  file: vscode.CompletionItemKind.File,
  folder: vscode.CompletionItemKind.Folder,
  'symbol-method': vscode.CompletionItemKind.Method,
  warning: vscode.CompletionItemKind.Issue,
  'list-selection': vscode.CompletionItemKind.Text,
  'git-commit': vscode.CompletionItemKind.Reference,
};
