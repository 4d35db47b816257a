import * as vscode from 'vscode';
import { inCredits } from '../../shared/money/amounts.ts';
import { LANGUAGE_MODELS, languageModels } from '../platform/settings.ts';

/** What the editor does by itself, such as a title for a chat. Nobody waits for it, so it asks for nothing. */
const EDITOR_ITSELF = 'core';

/** Whether others may use the account's models. VS Code itself does not ask, so this does, once in a window. */
export class Consent {
  private hasAsked = false;

  /** The refusal of a request while they may not. */
  refuse(extension: string): vscode.LanguageModelError {
    if (extension !== EDITOR_ITSELF && !this.hasAsked) {
      this.hasAsked = true;
      void this.ask(extension);
    }
    return vscode.LanguageModelError.NoPermissions(
      `Perigee's models are turned off for other extensions, by the setting ${LANGUAGE_MODELS}.enabled. Nothing was sent.`,
    );
  }

  /** Asks, and turns the setting on. `extension`: the one that wants it. */
  async ask(extension = ''): Promise<void> {
    const who = extension === '' ? 'VS Code’s own chat and other extensions' : `the extension ${extension}`;
    const [allow, settings] = ['Allow', 'Settings'];
    const choice = await vscode.window.showInformationMessage(
      `May ${who} use the models of your Perigee account? Allowed to one, it is allowed to all, up to ${inCredits(languageModels().dailyCapMicro)} a day together. The token log names each.`,
      allow,
      settings,
    );
    if (choice === settings) await vscode.commands.executeCommand('workbench.action.openSettings', LANGUAGE_MODELS);
    if (choice !== allow) return;
    const target = vscode.workspace.getConfiguration(LANGUAGE_MODELS);
    await target.update('enabled', true, vscode.ConfigurationTarget.Global);
  }
}
