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
  const { edits, prompt, inline, proposals, checkpoints, fixes, readyMade, commitMessages } = edit;
  // A prompt has stood at the lines, so a thread may stand there.
  let hasMoved = false;
  return {
    openChat: async () => (await chat()).reveal(),
    newChat: async () => (await chat()).newChat(),
    openConversation: async (id: unknown) => typeof id === 'string' && (await chat()).openConversation(id),
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
      const isLate = how?.isLate === true;
      const box = await prompt();
      // The box asks in a window that is still loading, and where the text has no place for a prompt.
      const editor = vscode.window.activeTextEditor;
      const wantsInPlace = vscode.workspace.getConfiguration('perigee.edit').get('promptInPlace', false);
      const isInPlace = !isLate && (wantsInPlace || (hasMoved && editor && (await inline()).isAt(editor)));
      let typed = isInPlace ? await box.catchingKeys(async (keys) => (await inline()).open(keys)) : '';
      while (typed !== undefined) {
        // At once: a key before the box would go into the text.
        const question = box.openForSelection(isLate, typed);
        await (await edits()).editSelection(question);
        const moved = question?.moved();
        if (moved === undefined) return;
        const caught = await box.catchingKeys(async (keys) => (await inline()).open(keys, moved));
        hasMoved = true;
        typed = caught && moved + caught;
      }
    },
    sendPrompt: async (...args) => (await inline()).send(...args),
    keepWritten: async (of) => (await inline()).choose('Keep what was written', of),
    showEditDetails: async (of) => (await inline()).choose('Show details', of),
    earlierPrompts: async (...args) => (await inline()).earlier(...args),
    choosePromptModel: async (...args) => (await inline()).chooseModel(...args),
    closePrompt: async (...args) => (await inline()).close(...args),
    regenerateEdit: async (...args) => (await inline()).regenerate(...args),
    editFile: async () => {
      const question = (await prompt()).openForFile();
      return (await edits()).editFile({ question, document: question?.editor.document });
    },
    editWorkspace: async () => (await edits()).editWorkspace(),
    nextHunk: async () => (await edits()).reviews.goToHunk(1),
    previousHunk: async () => (await edits()).reviews.goToHunk(-1),
    stopEdit: async (of) => (await edits()).stopEdit((await inline()).target(of)),
    acceptHunk: async (...args) => (await edits()).reviews.acceptHunk(...args),
    rejectHunk: async (...args) => (await edits()).reviews.rejectHunk(...args),
    acceptAllHunks: async (of) => (await edits()).reviews.acceptAllHunks((await inline()).target(of)),
    rejectAllHunks: async (of) => (await edits()).reviews.rejectAllHunks((await inline()).target(of)),
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
