import { isLoopback } from '../../platform/config/settings.ts';

/** The extension to which codes are handed; the same editor has others, which are not meant. */
const EXTENSION = 'perigee.perigee';

/** How the desktop editors that run it are called by the system. */
const SCHEMES = new Set(
  'vscode vscode-insiders vscodium vscodium-insiders code-oss cursor windsurf windsurf-next positron kiro trae antigravity'
    .split(' ')
    .map((name) => `${name}:`),
);

/** Web editors that everybody knows. */
const WEB_EDITORS = new Set(['https://vscode.dev', 'https://insiders.vscode.dev']);

/** What this server adds; an address that has one of these already could be read in two ways. */
const OURS = ['code', 'state', 'error', 'error_description'];

/**
 * Whether an editor may be called back there: its desktop scheme and this extension, or a web editor's address that passes it
 * on to this extension. A web editor is a known one, one on this person's machine, or one that the operator has named.
 */
export function isAllowedCallback(callback: string, configured: readonly string[]): boolean {
  // Characters that parsers leave out or take for others: what is checked must be what is opened.
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

/** The callback with more in its query. It is not written anew: what an editor put there must come back as it was. */
export function withQuery(callback: string, more: Record<string, string>): string {
  return `${callback}${callback.includes('?') ? '&' : '?'}${new URLSearchParams(more)}`;
}

/** What the editor is called, as far as its address says. */
export function editorName(callback: string): string {
  const { protocol, host } = new URL(callback);
  return protocol === 'http:' || protocol === 'https:' ? host : 'your editor';
}
