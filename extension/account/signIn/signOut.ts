import * as vscode from 'vscode';
import type { Session } from '../session/session.ts';

/** Forgets the account on this machine after a confirmation. Resolves to whether it did. */
export async function signOut(session: Session): Promise<boolean> {
  if (session.state.kind === 'signedOut') {
    void vscode.window.showInformationMessage('You are not signed in.');
    return true;
  }
  const isGuest = session.account?.kind !== 'member';
  const detail = isGuest
    ? 'You are a guest: there is no way back into this account. Its conversations and what is left of its messages can ' +
      'not be reached afterwards, unless you sign in before. What you have typed and not sent is kept.'
    : 'All windows of this editor are signed out. Your conversations stay on the server and are here again when you sign ' +
      'in. What you have typed and not sent is kept.';
  const leave = 'Sign Out';
  const choice = await vscode.window.showWarningMessage('Sign out of Perigee?', { modal: true, detail }, leave);
  if (choice !== leave) return false;
  await leaveAndTell(session);
  return true;
}

/** Signs out without a question, for the Accounts menu, which has already asked. */
export async function leaveAndTell(session: Session): Promise<void> {
  if (await session.leave()) return;
  void vscode.window.showWarningMessage(
    'You are signed out here, but the server could not be told. It lists this editor among your devices until the end of ' +
      'its session, or until you end it on the account page.',
  );
}
