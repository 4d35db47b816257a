interface Storage {
  storageUri: { toString(): string } | undefined;
  globalStorageUri: { toString(): string };
}

/**
 * Names the workspace of a window, and the memory that the chat has there: the same after each reload, another one in each
 * other workspace. `hasFolders`: the memory is the workspace's, else the editor's.
 */
export function scopeOf({ storageUri, globalStorageUri }: Storage, hasFolders: boolean): string {
  const address = (storageUri ?? globalStorageUri).toString();
  // The editor appends a number to the workspace's folder while another process, such as the one before a reload, holds it.
  return `${hasFolders ? 'workspace' : 'window'} ${address.replace(/-\d+(?=\/[^/]+$)/, '')}`;
}
