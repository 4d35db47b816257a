import * as vscode from 'vscode';
import { LOCAL_GRANT } from '../../shared/constants.ts';
import type { ServerUrl } from '../platform/serverUrl.ts';
import type { Grant } from './entry.ts';

/** What `npm start` leaves in the extension's folder: which server it started, and where that one's local token stands. */
interface Handover {
  server: string;
  tokenFile: string;
}

/**
 * What signs the single user of this machine in on the server that `npm start` has started here, read anew each time: the
 * token is another one after each use. Null where the extension was not started that way, or the server is another.
 */
export async function localGrant(
  extensionUri: vscode.Uri,
  server: ServerUrl,
  names: { device_name: string; tool: string },
): Promise<Grant | null> {
  const handover = await read(vscode.Uri.joinPath(extensionUri, 'dist/local.json'));
  if (!handover || !('url' in server)) return null;
  const { server: started, tokenFile } = JSON.parse(handover) as Partial<Handover>;
  if (started !== server.url || typeof tokenFile !== 'string') return null;
  const token = (await read(extensionUri.with({ path: tokenFile })))?.trim();
  return token ? { grant_type: LOCAL_GRANT, local_token: token, ...names } : null;
}

/** A file's text; undefined if it isn't there, or is where nothing can be read, as on the web. */
async function read(file: vscode.Uri): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  } catch {
    return undefined;
  }
}
