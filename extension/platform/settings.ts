import * as vscode from 'vscode';
import { MICRO_PER_CREDIT } from '../../shared/constants.ts';
import { Disposable } from './dispose.ts';
import { parseServerUrl, type ServerUrl } from './server/serverUrl.ts';

/** The extension's settings. Each use reads them again, so that a change applies at once. */
export class Settings extends Disposable {
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  /** The server's address changed to another one. */
  readonly onDidChangeServerUrl = this.changed.event;

  constructor() {
    super();
    let before = this.raw();
    this._register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (!event.affectsConfiguration('perigee.serverUrl') || this.raw() === before) return;
        before = this.raw();
        this.changed.fire();
      }),
    );
  }

  /** The server's address, or what is wrong with the setting. */
  serverUrl(): ServerUrl {
    return parseServerUrl(this.raw());
  }

  private raw(): string {
    return vscode.workspace.getConfiguration('perigee').get<string>('serverUrl', '');
  }
}

export const IMPLICIT_CONTEXT = 'perigee.chat.implicitContext';

/**
 * Whether questions about a file may include what the editor shows of it. One "off" on any level, or for the file's
 * language, wins: a workspace can't turn on what its user turned off.
 */
export function sendsImplicitContext(file: { uri: vscode.Uri; languageId: string }): boolean {
  const set = vscode.workspace.getConfiguration(undefined, file).inspect<boolean>(IMPLICIT_CONTEXT);
  const general = [set?.globalValue, set?.workspaceValue, set?.workspaceFolderValue];
  const ofLanguage = [set?.globalLanguageValue, set?.workspaceLanguageValue, set?.workspaceFolderLanguageValue];
  return ![...general, ...ofLanguage].includes(false);
}

export const INSTRUCTIONS_ENABLED = 'perigee.instructions.enabled';

/** Whether instructions go along with a request about a file, or about none. One "off" on any level wins, as above. */
export function sendsInstructions(file?: vscode.Uri): boolean {
  const set = vscode.workspace.getConfiguration(undefined, file).inspect<boolean>(INSTRUCTIONS_ENABLED);
  return ![set?.globalValue, set?.workspaceValue, set?.workspaceFolderValue].includes(false);
}

/** The user's own instructions. A workspace has files of its own and can't change them. */
export function ownInstructions(): string {
  const own = vscode.workspace.getConfiguration().inspect<unknown>('perigee.instructions.text')?.globalValue;
  return typeof own === 'string' ? own.trim() : '';
}

export const INDEX_ENABLED = 'perigee.index.enabled';
export const INDEX_EXCLUDE = 'perigee.index.exclude';

/** Whether a folder of the workspace is indexed. One "off" on any level wins, as above. */
export function indexesFolder(folder: vscode.Uri): boolean {
  const set = vscode.workspace.getConfiguration(undefined, folder).inspect<boolean>(INDEX_ENABLED);
  return ![set?.globalValue, set?.workspaceValue, set?.workspaceFolderValue].includes(false);
}

/** The globs of what the index leaves out, of all levels: a workspace can't take in what its user left out. */
export function indexExcludes(folder: vscode.Uri): string[] {
  const set = vscode.workspace.getConfiguration(undefined, folder).inspect<unknown>(INDEX_EXCLUDE);
  const all = [set?.globalValue, set?.workspaceValue, set?.workspaceFolderValue].flatMap((value) => value ?? []);
  return all.filter((glob): glob is string => typeof glob === 'string' && glob !== '');
}

export const LANGUAGE_MODELS = 'perigee.languageModels';

/** More than anybody has; the server reads 15 digits. */
const MOST_CREDITS = 100_000_000;

/** Whether VS Code's own chat and other extensions may use the account's models, and for how much a day. */
export function languageModels(): { enabled: boolean; dailyCapMicro: number } {
  const settings = vscode.workspace.getConfiguration(LANGUAGE_MODELS);
  const credits = settings.get<unknown>('creditsPerDay');
  // What is no number buys nothing.
  const capped = typeof credits === 'number' && credits > 0 ? Math.min(credits, MOST_CREDITS) : 0;
  return { enabled: settings.get<unknown>('enabled') === true, dailyCapMicro: Math.round(capped * MICRO_PER_CREDIT) };
}
