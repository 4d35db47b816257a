import * as vscode from 'vscode';

/**
 * Opens a web address in the browser exactly as it is written. A `Uri` would be encoded anew on its way, which spoils an
 * address inside of an address and a fragment; a string, which the editor takes as well, is passed on unaltered. False if
 * the user did not want it, or nothing could be opened.
 */
export function openAddress(address: string): Thenable<boolean> {
  return vscode.env.openExternal(address as unknown as vscode.Uri);
}
