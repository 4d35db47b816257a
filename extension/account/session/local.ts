import * as vscode from 'vscode';
import { LOCAL_GRANT } from '../../../shared/constants.ts';
import type { ServerUrl } from '../../platform/server/serverUrl.ts';
import type { Grant } from './entry.ts';

/**
 * The file that `npm start` writes into the extension's folder: the server that it started, the path of that server's
 * local token (if it has one), and whether to show the welcome tour, with the workspace file to open first.
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
 * The grant for the single user of this machine on the server that `npm start` started. It is read each time, because
 * the token changes after each use. Null if the extension was not started that way, or if `server` is another server.
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
