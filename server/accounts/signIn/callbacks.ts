import { isLoopback } from '../../platform/config/settings.ts';

/** Codes go only to this extension, not to the editor's others. */
const EXTENSION = 'perigee.perigee';

/** The URL schemes of desktop editors that run the extension. */
const SCHEMES = new Set(
  'vscode vscode-insiders vscodium vscodium-insiders code-oss cursor windsurf windsurf-next positron kiro trae antigravity'
    .split(' ')
    .map((name) => `${name}:`),
);

/** Well-known web editors. */
const WEB_EDITORS = new Set(['https://vscode.dev', 'https://insiders.vscode.dev']);

/** The parameters that this server adds; a callback that already has one would be ambiguous. */
const OURS = ['code', 'state', 'error', 'error_description'];

/**
 * Whether an editor may be called back at this address: its desktop scheme with this extension, or a web editor's
 * address that forwards to this extension. The web editor must be well known, on this machine, or named by the
 * operator.
 */
export function isAllowedCallback(callback: string, configured: readonly string[]): boolean {
  // Refuse characters that parsers drop or replace: the checked address must be the one that is opened.
  if (!/^[\x21-\x5b\x5d-\x7e]+$/.test(callback) || callback.includes('#') || !URL.canParse(callback)) return false;
  const url = new URL(callback);
  if (url.username || url.password || OURS.some((name) => url.searchParams.has(name))) return false;
  if (SCHEMES.has(url.protocol)) return url.host === EXTENSION;
  const authorities = url.searchParams.getAll('vscode-authority');
  if (authorities.length !== 1 || authorities[0] !== EXTENSION) return false;
  if (url.protocol === 'http:' && isLoopback(url.hostname)) return true;
  if (url.protocol !== 'https:') return false;
  if (WEB_EDITORS.has(url.origin)) return true;
  return configured.some((allowed) => {
    const { origin, pathname } = new URL(allowed);
    return (
      origin === url.origin && (url.pathname === pathname || url.pathname.startsWith(pathname.replace(/\/?$/, '/')))
    );
  });
}

/** Adds to the callback's query. Doesn't re-encode it: the editor must get its own part back unchanged. */
export function withQuery(callback: string, more: Record<string, string>): string {
  return `${callback}${callback.includes('?') ? '&' : '?'}${new URLSearchParams(more)}`;
}

/** The editor's name, as far as the address tells. */
export function editorName(callback: string): string {
  const { protocol, host } = new URL(callback);
  return protocol === 'http:' || protocol === 'https:' ? host : 'your editor';
}
