const isMac = /Mac/.test(navigator.platform);

/**
 * Carries out "select all", "undo" and "redo" in the text field where they are pressed. The editor, to which a view's keys are
 * passed on, would carry them out in the file that was in front last while it does not know yet that the view has the focus:
 * then the next key would replace all of that file.
 */
export function keepEditKeys(event: KeyboardEvent): void {
  const field = event.target;
  if (!(field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement)) return;
  const isCommand = isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (!isCommand || event.altKey) return;
  // Where the keys have other letters, their places count, as in the editor.
  const key = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace('Key', '').toLowerCase();
  if (key === 'a' && !event.shiftKey) field.select();
  else if (key === 'z') document.execCommand(event.shiftKey ? 'redo' : 'undo');
  else if (key === 'y' && !event.shiftKey) document.execCommand('redo');
  else return;
  event.preventDefault();
  event.stopPropagation();
}
