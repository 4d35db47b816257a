import * as vscode from 'vscode';
import { LOCAL_GRANT } from '../../../shared/constants.ts';
import type { ServerUrl } from '../../platform/server/serverUrl.ts';
import type { Grant } from './entry.ts';

/**
 * What `npm start` leaves in the extension's folder: which server it started, where that one's local token stands, if it has
 * one, and that a newcomer is to be shown around, beginning with a file of the workspace.
 */
interface Handover {
  server: string;
  tokenFile?: string;
  welcome?: { file?: string };
}

/** Undefined if the extension was not started by `npm start`, or if `server` is another server. */
export async function handover(extensionUri: vscode.Uri, server: ServerUrl): Promise<Partial<Handover> | undefined> {
  const text = await read(vscode.Uri.joinPath(extensionUri, 'dist/local.json'));
  const told = text === undefined ? undefined : (JSON.parse(text) as Partial<Handover>);
  return told && 'url' in server && told.server === server.url ? told : undefined;
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
  const tokenFile = (await handover(extensionUri, server))?.tokenFile;
  if (typeof tokenFile !== 'string') return null;
  const token = (await read(extensionUri.with({ path: tokenFile })))?.trim();
  return token ? { grant_type: LOCAL_GRANT, local_token: token, ...names } : null;
}

/** A file's text; undefined if the file does not exist or can't be read, as on the web. */
async function read(file: vscode.Uri): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  } catch {
    return undefined;
  }
}
