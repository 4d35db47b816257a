import * as vscode from 'vscode';
import { languageIdOf } from '../platform/languages.ts';
import type { ToHost } from './protocol.ts';

/** An action that could not be done; the message is a sentence for the user. */
export class ActionRefused extends Error {}

type Action = Extract<ToHost, { type: 'copy' | 'insert' | 'newFile' | 'openLink' | 'openRequest' | 'command' }>;

/** Does in the editor what the view requests. Throws `ActionRefused`. */
export async function act(action: Action): Promise<void> {
  switch (action.type) {
    case 'copy':
      return vscode.env.clipboard.writeText(action.text);
    case 'insert':
      return insertAtCursor(action.text);
    case 'newFile':
      return openAsNewFile(action.text, action.languageId);
    case 'openLink':
      return openLink(action.href);
    case 'openRequest':
      await vscode.commands.executeCommand('perigee.openAccount', `requests/${action.id}`);
      return;
    case 'command':
      if (action.command === 'openDecisions') {
        await vscode.commands.executeCommand('perigee.openAccount', 'decisions');
        return;
      }
      if (action.command === 'openInstructions') {
        await vscode.commands.executeCommand('workbench.action.openSettings', 'perigee.instructions');
        return;
      }
      await vscode.commands.executeCommand(`perigee.${action.command}`);
      return;
    default:
      action satisfies never;
  }
}

/**
 * Inserts text at the cursor of the last active editor, replacing its selection, in one undo step. Before a line that
 * is not blank, the text gets lines of its own.
 */
export async function insertAtCursor(text: string): Promise<void> {
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
  if (!editor) throw new ActionRefused('No file is open in the editor. Open one, or use "New file".');
  const done = await editor.edit((edit) => {
    for (const selection of editor.selections) {
      const line = editor.document.lineAt(selection.active.line).text;
      const isBeforeLine = selection.isEmpty && selection.active.character === 0 && line.trim() !== '';
      edit.replace(selection, isBeforeLine && !text.endsWith('\n') ? `${text}\n` : text);
    }
  });
  if (!done) throw new ActionRefused(`${vscode.workspace.asRelativePath(editor.document.uri)} can't be changed.`);
  await vscode.window.showTextDocument(editor.document, { viewColumn: editor.viewColumn });
}

/** Opens text as a new unsaved file. `language` comes from a Markdown fence: an id, an alias or a file extension. */
export async function openAsNewFile(text: string, language: string | undefined): Promise<void> {
  const document = await vscode.workspace.openTextDocument({ content: text, language: await languageIdOf(language) });
  await vscode.window.showTextDocument(document);
}

/** Asks for a place and writes a Markdown file. Returns its name, or undefined if the user cancels. */
export async function saveMarkdown(title: string, markdown: string): Promise<string | undefined> {
  const name = `${
    title
      .replace(/[^\p{L}\p{N} ._-]+/gu, ' ')
      .trim()
      .slice(0, 80) || 'Conversation'
  }.md`;
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    title: 'Export Conversation',
    defaultUri: folder ? vscode.Uri.joinPath(folder, name) : vscode.Uri.file(name),
    filters: { Markdown: ['md'] },
  });
  if (!target) return undefined;
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(markdown));
  await vscode.window.showTextDocument(target, { preview: false });
  return vscode.workspace.asRelativePath(target);
}

/** Opens a link of an answer after the editor's own confirmation. Refuses all but web and mail addresses. */
export async function openLink(href: string): Promise<void> {
  let url: URL;
  try {
    url = new URL(href);
  } catch {
    throw new ActionRefused('That link has no address that can be opened.');
  }
  if (!['http:', 'https:', 'mailto:'].includes(url.protocol)) {
    throw new ActionRefused(`Perigee does not open links that begin with "${url.protocol}".`);
  }
  await vscode.env.openExternal(vscode.Uri.parse(url.href, true));
}
