/**
 * How this editor names itself to the server: "VS Code", "VS Code in the browser", "VS Code (ssh-remote)". Other
 * devices show it next to a running answer. It has no host or user name, and only printable ASCII, because it is sent
 * in a header.
 */
export function deviceName(env: { appName: string; isBrowser: boolean; remoteName: string | undefined }): string {
  const app = env.appName.replace(/^Visual Studio Code/, 'VS Code').trim() || 'VS Code';
  const where = env.isBrowser ? ' in the browser' : env.remoteName ? ` (${env.remoteName})` : '';
  return (app + where).replace(/[^\x20-\x7e]/g, '').slice(0, 80);
}
