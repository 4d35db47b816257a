/** What an editor or a service reads to run commands, or to become another. */
const SENSITIVE = [
  /(?:^|\/)\.vscode\/(?:settings|tasks|launch|extensions)\.json$/i,
  /\.code-workspace$/i,
  /(?:^|\/)\.husky\/./i,
  /(?:^|\/)\.github\/workflows\/./i,
  /(?:^|\/)\.devcontainer(?:\/.|\.json$)/i,
];

/** Whether a file can run commands or change the editor by being there. `path`: with slashes; folders before it don't matter. */
export const isSensitive = (path: string) => SENSITIVE.some((pattern) => pattern.test(path));
