import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import type { Missed } from '../words/messages.ts';
import { describeRefusals } from '../words/refusalWords.ts';

/** URI scheme of the reports. */
const SCHEME = 'perigee-report';

/** Reports as read-only documents: what could not be applied and why, with the model's whole answer. */
export class Reports extends Disposable implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private lastId = 0;

  constructor() {
    super();
    this._register(vscode.workspace.registerTextDocumentContentProvider(SCHEME, this));
    this._register(
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (uri.scheme === SCHEME) this.texts.delete(uri.toString());
      }),
    );
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  /** `answer`: the model's whole answer, if known. */
  async show(title: string, missed: readonly Missed[], answer?: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${title}.md`, query: `${++this.lastId}` });
    this.texts.set(uri.toString(), tellReport(title, missed, answer));
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true });
  }
}

/** A report in Markdown: what could not be applied and why, and the whole answer if known. */
export function tellReport(title: string, missed: readonly Missed[], answer?: string): string {
  const parts = [`# ${title}\n`];
  const text = {
    appendText: (words: string) => parts.push(words),
    appendCodeblock: (code: string) => parts.push(fenced(code)),
  };
  for (const { path, refusal } of missed) {
    parts.push(`\n## ${path}\n`);
    describeRefusals(text, [refusal]);
  }
  if (answer !== undefined) parts.push('\n## The whole answer\n', fenced(answer));
  return parts.join('');
}

/** Uses a fence that is longer than any fence in the code. */
function fenced(code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([marks]) => marks.length));
  const fence = '`'.repeat(longest + 1);
  return `\n${fence}\n${code}\n${fence}\n`;
}
