import * as vscode from 'vscode';

/**
 * Opens a web address in the browser exactly as it is written. A `Uri` would be encoded again, which breaks a nested
 * address or a fragment. The editor also accepts a string, and passes it on unchanged. False if the user declined, or
 * nothing could be opened.
 */
export function openAddress(address: string): Thenable<boolean> {
  return vscode.env.openExternal(address as unknown as vscode.Uri);
}
