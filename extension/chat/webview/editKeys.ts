const isMac = /Mac/.test(navigator.platform);

/**
 * Handles "select all", "undo" and "redo" in the text field that has the focus. VS Code also receives a view's keys.
 * While it has not yet noticed the view's focus, it would run them in the last active file: after "select all" there,
 * the next key would replace the whole file.
 */
export function keepEditKeys(event: KeyboardEvent): void {
  const field = event.target;
  if (!(field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement)) return;
  const isCommand = isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (!isCommand || event.altKey) return;
  // On a keyboard layout without Latin letters, the physical key counts, as in the editor.
  const key = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace('Key', '').toLowerCase();
  if (key === 'a' && !event.shiftKey) field.select();
  else if (key === 'z') document.execCommand(event.shiftKey ? 'redo' : 'undo');
  else if (key === 'y' && !event.shiftKey) document.execCommand('redo');
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Deletes what is selected in the field that has the focus. Its undo brings it back. */
export function deleteSelected(field: HTMLTextAreaElement): void {
  if (field.selectionStart !== field.selectionEnd) document.execCommand('delete');
}
