export type ServerUrl = { url: string } | { wrong: string };

const DEFAULT_URL = 'http://127.0.0.1:8787';

/** Parses the setting `perigee.serverUrl` to an address without a trailing slash, or says what is wrong with it. */
export function parseServerUrl(setting: string): ServerUrl {
  const text = setting.trim() || DEFAULT_URL;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { wrong: `The setting "Perigee: Server Url" is not an address: ${text}` };
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { wrong: 'The setting "Perigee: Server Url" must start with http:// or https://.' };
  }
  if (url.username || url.password) {
    return { wrong: 'The setting "Perigee: Server Url" must not contain a user name or password.' };
  }
  return { url: (url.origin + url.pathname).replace(/\/+$/, '') };
}
