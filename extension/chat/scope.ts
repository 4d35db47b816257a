interface Storage {
  storageUri: { toString(): string } | undefined;
  globalStorageUri: { toString(): string };
}

/**
 * Names a window's workspace and the chat's memory there. The name survives reloads and differs between workspaces.
 * `hasFolders`: the memory belongs to the workspace, else to the editor.
 */
export function scopeOf({ storageUri, globalStorageUri }: Storage, hasFolders: boolean): string {
  const address = (storageUri ?? globalStorageUri).toString();
  // The editor appends a number to the workspace's folder while another process holds it, such as before a reload.
  return `${hasFolders ? 'workspace' : 'window'} ${address.replace(/-\d+(?=\/[^/]+$)/, '')}`;
}
