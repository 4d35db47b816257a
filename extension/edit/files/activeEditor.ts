import * as vscode from 'vscode';

/** The active editor, also while the prompt at its lines has the keys: the API then names none, or the prompt's own. */
export function activeEditor(): vscode.TextEditor | undefined {
  const { activeTextEditor, visibleTextEditors, tabGroups } = vscode.window;
  if (activeTextEditor && activeTextEditor.document.uri.scheme !== 'comment') return activeTextEditor;
  const { viewColumn, activeTab } = tabGroups.activeTabGroup;
  const address = activeTab?.input instanceof vscode.TabInputText ? activeTab.input.uri.toString() : undefined;
  return visibleTextEditors.find(
    (editor) => editor.viewColumn === viewColumn && editor.document.uri.toString() === address,
  );
}

/** The editor that shows a document: of several, the active one. */
export function editorOf(document: vscode.TextDocument): vscode.TextEditor | undefined {
  const active = activeEditor();
  if (active?.document === document) return active;
  return vscode.window.visibleTextEditors.find((editor) => editor.document === document);
}
