import * as vscode from 'vscode';
import { BackendError } from '../backendError.ts';
import type { Session } from './session.ts';

/** Starts as a guest, which is the one way in that this server offers, or says that one is in already. */
export async function signIn(session: Session): Promise<void> {
  if (session.account) {
    const left = session.balance?.guestMessagesLeft;
    const rest = left === undefined ? '' : ` ${left} ${left === 1 ? 'message is' : 'messages are'} left.`;
    void vscode.window.showInformationMessage(`You are a guest: this server offers guest access only.${rest}`);
    return;
  }
  try {
    await session.beginAnew();
    void vscode.window.showInformationMessage('You are in as a guest: this server offers guest access only.');
  } catch (error) {
    const { problem } = BackendError.from(error);
    void vscode.window.showErrorMessage(`${problem.title}. ${problem.detail}`);
  }
}

/** Forgets the account on this machine, after saying what that means for a guest. */
export async function signOut(session: Session): Promise<void> {
  if (session.state.kind === 'signedOut') {
    void vscode.window.showInformationMessage('You are not signed in.');
    return;
  }
  const leave = 'Sign Out';
  const choice = await vscode.window.showWarningMessage(
    'Sign out of Perigee?',
    {
      modal: true,
      detail:
        'You are a guest: there is no way back into this account. Its conversations and what is left of its messages ' +
        'can not be reached afterwards. What you have typed and not sent is kept.',
    },
    leave,
  );
  if (choice === leave) await session.leave();
}
