import * as vscode from 'vscode';
import type { Backend } from '../backend.ts';
import { BackendError } from '../platform/server/backendError.ts';
import { openAddress } from '../platform/server/openAddress.ts';
import type { ServerUrl } from '../platform/server/serverUrl.ts';
import type { Offers } from './offers.ts';
import type { Session } from './session/session.ts';

export interface AccountPageDeps {
  session: Session;
  backend: Backend;
  offers: Offers;
  serverUrl: () => ServerUrl;
}

/** The sections of the account's page that the extension links to. */
const SECTION = /^(?:credits|usage|log|keys|decisions|requests\/[\da-f-]{36})$/;

/**
 * Opens the account's page on the server, already signed in: its code works once, within a minute. `section` is the
 * section to show. For an unknown one, such as the argument that a menu passes to its commands, the page opens at its
 * top.
 */
export async function openAccountPage(
  { session, backend, serverUrl }: AccountPageDeps,
  section?: unknown,
): Promise<void> {
  if (!(await requireMember(session, 'The account page is for members. Sign in first.'))) return;
  try {
    const server = serverUrl();
    const { code } = await session.call((who) => backend.pageCode(who));
    const to = typeof section === 'string' && SECTION.test(section) ? `&to=${section}` : '';
    if ('url' in server) await openAddress(`${server.url}/account#code=${code}${to}`);
  } catch (error) {
    await tell(error, 'perigee.openAccount');
  }
}

/** Whether the user is a member. If not, says `text` and offers to sign in. */
export async function requireMember(session: Session, text: string): Promise<boolean> {
  if (session.account?.kind === 'member') return true;
  const signIn = 'Sign In';
  if ((await vscode.window.showInformationMessage(text, signIn)) === signIn) await run('perigee.signIn');
  return false;
}

/** Asks the user to accept the terms that are due, and to confirm the age that they require. */
export async function acceptTerms({ session, backend, offers }: AccountPageDeps): Promise<void> {
  const version = session.account?.termsDue;
  if (version === undefined) {
    void vscode.window.showInformationMessage('There are no terms to accept.');
    return;
  }
  try {
    const { smallestAge, terms } = await offers.load();
    const [accept, read] = ['Accept', 'Read the Terms'];
    const detail =
      `By accepting you confirm that you are ${smallestAge} or older and agree to the terms of use, version ${version}` +
      `${terms.url ? `: ${terms.url}` : ''}. Until then you get no answers. You can still read, export and delete your data.`;
    for (;;) {
      const ways = terms.url ? [accept, read] : [accept];
      const choice = await vscode.window.showInformationMessage(
        'The terms have changed',
        { modal: true, detail },
        ...ways,
      );
      if (choice === read) await openAddress(terms.url!);
      else if (choice === accept) return await session.call((who) => backend.acceptTerms(who, version));
      else return;
    }
  } catch (error) {
    await tell(error, 'perigee.acceptTerms');
  }
}

/** Shows a failed call, and offers to run the command again. */
export async function tell(error: unknown, again: string): Promise<void> {
  const { problem } = BackendError.from(error);
  const tryAgain = 'Try Again';
  const choice = await vscode.window.showErrorMessage(`${problem.title}. ${problem.detail}`, tryAgain);
  if (choice === tryAgain) await run(again);
}

const run = (command: string) => vscode.commands.executeCommand(command);
