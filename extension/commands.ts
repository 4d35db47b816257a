import * as vscode from 'vscode';
import type { AccountPageDeps } from './account/page.ts';
import type { Session } from './account/session/session.ts';
import type { SignIn } from './account/signIn/signIn.ts';
import type { Backend } from './backend.ts';
import type { ChatController } from './chat/controller.ts';
import type { LazyEdits } from './edits.ts';
import type { WorkspaceIndex } from './index/workspaceIndex.ts';
import { explainServer } from './platform/server/serverHelp.ts';

const later = () => import('./later.ts');
const finding = () => import('./index/findCommand.ts');

interface CommandDeps {
  chat(): Promise<ChatController>;
  edit: LazyEdits;
  index(): Promise<WorkspaceIndex>;
  session: Session;
  signIn(): Promise<SignIn>;
  page: AccountPageDeps;
  backend: Backend;
}

type Commands = Record<string, (...args: never[]) => unknown>;

/** Every command of the extension, by its name without `perigee.`. */
export function commandsOf({ chat, edit, index, session, signIn, page, backend }: CommandDeps): Commands {
  const { edits, prompt, proposals, checkpoints, fixes, readyMade, commitMessages } = edit;
  return {
    openChat: async () => (await chat()).reveal(),
    newChat: async () => (await chat()).newChat(),
    showHistory: async () => (await chat()).showHistory(),
    toggleImplicitContext: async () => (await chat()).toggleImplicitContext(),
    explainSelection: async () => (await chat()).explainSelection(),
    explainProblem: async (...args: Parameters<ChatController['explainProblem']>) =>
      (await chat()).explainProblem(...args),
    fixProblem: async (...args) => (await fixes()).fixProblem(...args),
    fixAllProblems: async (...args) => (await fixes()).fixAllProblems(...args),
    document: async () => (await readyMade()).documentCode(),
    writeTests: async () => (await readyMade()).writeTests(),
    commitMessage: async (...args) => (await commitMessages()).write(...args),
    stopCommitMessage: async () => (await commitMessages()).stop(),
    editSelection: async (how?: { isLate?: boolean }) => {
      const question = (await prompt()).openForSelection(how?.isLate === true);
      return (await edits()).editSelection(question);
    },
    editFile: async () => {
      const question = (await prompt()).openForFile();
      return (await edits()).editFile({ question, document: question?.editor.document });
    },
    editWorkspace: async () => (await edits()).editWorkspace(),
    nextHunk: async () => (await edits()).reviews.goToHunk(1),
    previousHunk: async () => (await edits()).reviews.goToHunk(-1),
    stopEdit: async (...args) => (await edits()).stopEdit(...args),
    acceptHunk: async (...args) => (await edits()).reviews.acceptHunk(...args),
    rejectHunk: async (...args) => (await edits()).reviews.rejectHunk(...args),
    acceptAllHunks: async (...args) => (await edits()).reviews.acceptAllHunks(...args),
    rejectAllHunks: async (...args) => (await edits()).reviews.rejectAllHunks(...args),
    showRemoved: async (...args) => (await edits()).reviews.showRemoved(...args),
    compareHunk: async (...args) => (await edits()).reviews.compareHunk(...args),
    openProposedFile: async (...args) => (await proposals()).show(...args),
    showAllProposed: async (...args) => (await proposals()).showAll(...args),
    acceptProposedFile: async (...args) => (await proposals()).accept(...args),
    rejectProposedFile: async (...args) => (await proposals()).reject(...args),
    acceptAllProposed: async (...args) => (await proposals()).acceptAll(...args),
    rejectAllProposed: async (...args) => (await proposals()).rejectAll(...args),
    reviewProposedFile: async (...args) => (await proposals()).review(...args),
    takeBack: async () => (await checkpoints()).choose(),
    findInWorkspace: async (question?: unknown) => (await finding()).findByQuestion(await index(), question),
    showQuota: async () => {
      const { showQuota } = await later();
      const openConversation = async (id: string) => (await chat()).openConversation(id);
      return showQuota({ session, backend, openConversation });
    },
    signIn: async () => (await signIn()).signIn(),
    useCode: async () => (await signIn()).useCode(),
    copySignInAddress: async () => (await signIn()).copyAddress(),
    continueAsGuest: async () => (await signIn()).continueAsGuest(),
    signOut: async () => (await later()).signOut(session),
    openAccount: async (section?: unknown) => (await later()).openAccountPage(page, section),
    createKey: async () => (await later()).createKey(page),
    acceptTerms: async () => (await later()).acceptTerms(page),
    reconnect: () => session.reconnect(),
    openSettings: () => vscode.commands.executeCommand('workbench.action.openSettings', 'perigee.serverUrl'),
    startServer: () => explainServer(),
  };
}
