import * as vscode from 'vscode';
import { MAX_KEY_NAME } from '../../shared/constants.ts';
import type { NewKeyAnswer } from '../../shared/keys.ts';
import { type AccountPageDeps, requireMember, tell } from './page.ts';

/** Makes an API key for the user's other tools, and shows it once. */
export async function createKey(deps: AccountPageDeps): Promise<void> {
  if (!(await requireMember(deps.session, 'API keys are for members. Sign in first.'))) return;
  const name = await askName();
  if (name === undefined) return;
  try {
    await show(await deps.session.call((who) => deps.backend.createKey(who, { name })));
  } catch (error) {
    await tell(error, 'perigee.createKey');
  }
}

async function askName(): Promise<string | undefined> {
  const name = await vscode.window.showInputBox({
    title: 'Create API Key',
    prompt: 'Name the tool that will use the key. You find the key under this name on the account page.',
    placeHolder: 'OpenCode on this laptop',
    ignoreFocusOut: true,
    validateInput: (typed) =>
      typed.trim().length > MAX_KEY_NAME ? `A name has at most ${MAX_KEY_NAME} characters.` : undefined,
  });
  // Enter in an empty field is no name, and no decision either.
  return name?.trim() === '' ? askName() : name?.trim();
}

/** The secret is in this answer alone: a dialog that was closed too early can be opened again. */
async function show(made: NewKeyAnswer): Promise<void> {
  const { key, secret, baseUrl } = made;
  const [copy, copyUrl, again, page] = ['Copy Key', 'Copy Base URL', 'Show Again', 'Open Account Page'];
  const detail = `${secret}\n\nBase URL: ${baseUrl}\n\nPaste both into any tool that takes an OpenAI-compatible service. The key is shown only now. You can limit or revoke it on the account page.`;
  const choice = await vscode.window.showInformationMessage(`API key "${key.name}"`, { modal: true, detail }, copy);
  if (choice === copy) {
    await vscode.env.clipboard.writeText(secret);
    const text = `The API key is on the clipboard. The base URL for your tool is ${baseUrl}.`;
    if ((await vscode.window.showInformationMessage(text, copyUrl)) === copyUrl)
      await vscode.env.clipboard.writeText(baseUrl);
    return;
  }
  const text = `The API key "${key.name}" was not copied. If you don't need it, revoke it on the account page.`;
  const wayOn = await vscode.window.showWarningMessage(text, again, page);
  if (wayOn === again) await show(made);
  else if (wayOn === page) await vscode.commands.executeCommand('perigee.openAccount', 'keys');
}
