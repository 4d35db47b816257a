import * as vscode from 'vscode';
import { ContextKeys } from './account/contextKeys.ts';
import { Offers } from './account/offers.ts';
import { AccountProvider } from './account/provider.ts';
import { InstallKey } from './account/session/installKey.ts';
import { handover, localGrant } from './account/session/local.ts';
import { Session } from './account/session/session.ts';
import { ServerClock } from './account/session/signingKey.ts';
import { Tokens } from './account/session/tokens.ts';
import { Backend } from './backend.ts';
import type { ChatEdits } from './chat/answers/answerChanges.ts';
import type { ChatController } from './chat/controller.ts';
import { ChatView } from './chat/view.ts';
import { QuickFixes } from './edit/actions/quickFixes.ts';
import type { Apply, ApplyDeps } from './edit/apply/apply.ts';
import type { Accepted } from './edit/changes/proposal.ts';
import type { ProposalsDeps } from './edit/proposals/proposals.ts';
import { deviceName } from './platform/device.ts';
import { lazy } from './platform/lazy.ts';
import { explainServer } from './platform/server/serverHelp.ts';
import { Settings } from './platform/settings.ts';
import { StatusBar } from './quota/statusBar.ts';
import { LOW_TOLD, mayBeLow } from './quota/words/format.ts';

/** What the tests in the editor look at. */
export interface TestApi {
  session: Session;
  account: AccountProvider;
  statusBar: vscode.StatusBarItem;
  chat(): Promise<ChatController>;
  apply(): Promise<Apply>;
}

const later = () => import('./later.ts');
/** A small file by itself: what is typed after a key is meant for the prompt, so it can't wait for all of the edits. */
const prompts = () => import('./edit/requests/prompt.ts');

/**
 * Builds the extension in the order of its dependencies and registers its commands. While the editor starts, only the
 * status bar is made; chat, edits, details and the contracts of the wire are loaded at their first use.
 */
export function activate(context: vscode.ExtensionContext): TestApi {
  const own = <T extends vscode.Disposable>(value: T): T => {
    context.subscriptions.push(value);
    return value;
  };
  const log = own(vscode.window.createOutputChannel('Perigee', { log: true }));
  const settings = own(new Settings());
  const serverUrl = () => settings.serverUrl();
  const { appName, uiKind, remoteName } = vscode.env;
  const device = deviceName({ appName, isBrowser: uiKind === vscode.UIKind.Web, remoteName });
  // The global fetch is the one that the editor has taught its proxy and certificate settings.
  const backend = new Backend({ baseUrl: serverUrl, fetch: (input, init) => fetch(input, init), device });
  const tokens = own(new Tokens(context.secrets, serverUrl));
  const [installKey, clock] = [new InstallKey(context.secrets), new ServerClock()];
  const names = { device_name: device.slice(0, 60), tool: appName.slice(0, 60) };
  const grantHere = () => localGrant(context.extensionUri, serverUrl(), names);
  const entry = { backend, tokens, installKey, clock, serverUrl, log, localGrant: grantHere };
  const session = own(new Session({ ...entry, memory: context.globalState }));
  const offers = own(new Offers(backend, serverUrl));
  const signIn = lazy(async () => {
    const { SignIn } = await later();
    const made = own(new SignIn({ session, backend, offers, installKey, clock, serverUrl, names, log }));
    own(settings.onDidChangeServerUrl(() => made.cancel()));
    return made;
  });
  own(settings.onDidChangeServerUrl(() => void session.changeServer()));
  own(vscode.window.registerUriHandler({ handleUri: async (uri) => (await signIn()).takeCallback(uri) }));
  const account = own(
    new AccountProvider(session, tokens, {
      signIn: async () => (await signIn()).create(),
      leave: async () => (await later()).leaveAndTell(session),
    }),
  );
  const page = { session, backend, offers, serverUrl };
  const notices = lazy(async () => new (await later()).Notices(context.globalState));
  own(session.onDidChange(async () => session.notices.length > 0 && (await notices()).tell(session.notices)));
  const statusBar = own(new StatusBar(session, backend, settings));
  own(new ContextKeys(session));
  const memory = context.globalState;
  const lowCredit = lazy(async () => new (await later()).LowCredit(session, backend, offers, memory));
  const isToLook = () => !!session.balance && (mayBeLow(session.balance) || memory.get(LOW_TOLD) !== undefined);
  own(session.onDidChange(async () => isToLook() && (await lowCredit()).look()));

  const view = own(new ChatView(context.extensionUri));
  const windowMemory = vscode.workspace.workspaceFolders?.length ? context.workspaceState : context.globalState;
  const chat = lazy(async () => {
    const { ChatController } = await later();
    return own(new ChatController({ view, session, offers, backend, windowMemory, memory, edits: chatEdits, log }));
  });
  own(view.onDidResolve(() => void chat()));

  const isGuest = () => session.account?.kind === 'guest';
  const files = lazy(async () => new (await later()).WorkspaceFiles());
  const storage = context.storageUri ?? context.globalStorageUri;
  const checkpoints = lazy(async () => own(new (await later()).Checkpoints(storage, log)));
  const record = async (accepted: Accepted) => (await checkpoints()).record(accepted);
  const takeBack = async (id: string) => (await checkpoints()).takeBack(id);
  const review: ProposalsDeps['review'] = async (...args) => (await edits()).review(...args);
  const reports = lazy(async () => own(new (await later()).Reports()));
  const proposals = lazy(async () => {
    const { Proposals } = await later();
    return own(new Proposals({ files: await files(), reports: await reports(), review, record, takeBack, log }));
  });
  const prompt = lazy(async () => new (await prompts()).EditPrompt(context.globalState));
  const edits = lazy(async () => {
    const { createEdits, runsOf } = await later();
    const runs = runsOf(session, backend);
    const open = await proposals();
    const deps = { files: await files(), reports: await reports(), proposals: () => open, prompt: await prompt() };
    return own(createEdits({ ...deps, runs, record, takeBack, isGuest, log }));
  });
  const apply = lazy(async () => {
    const { Apply } = await later();
    const [known, open] = [await files(), await proposals()];
    const editFile: ApplyDeps['editFile'] = async (request) => (await edits()).editFile(request);
    return new Apply({ files: known, propose: (source, plans) => open.open(source, plans), review, editFile });
  });
  const undecided = lazy(async () => {
    const { Undecided } = await later();
    return new Undecided((await edits()).reviews, (await proposals()).list);
  });
  const chatEdits: ChatEdits = {
    applyCode: async (code) => (await apply()).applyCode(code),
    applyAnswer: async (answer) => (await apply()).applyAnswer(answer),
    placeCode: async (code) => {
      await (await apply()).placeCode(code);
      return (await undecided()).waits(code.source);
    },
    undecided,
    show: async (waiting) => (await undecided()).show(waiting),
    checkpoints,
  };
  own(vscode.languages.registerCodeActionsProvider('*', new QuickFixes(), QuickFixes.metadata));
  const fixes = lazy(async () => new (await later()).Fixes(await edits()));
  const readyMade = lazy(async () => new (await later()).ReadyMade(await edits()));
  const commitMessages = lazy(async () => {
    const { CommitMessages, runsOf } = await later();
    return own(new CommitMessages({ runs: runsOf(session, backend), isGuest, log }));
  });

  const commands: Record<string, (...args: never[]) => unknown> = {
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
    acceptTerms: async () => (await later()).acceptTerms(page),
    reconnect: () => session.reconnect(),
    openSettings: () => vscode.commands.executeCommand('workbench.action.openSettings', 'perigee.serverUrl'),
    startServer: () => explainServer(),
  };
  for (const [name, run] of Object.entries(commands)) {
    own(vscode.commands.registerCommand(`perigee.${name}`, run));
  }

  void vscode.commands.executeCommand('setContext', 'perigee.isReady', true);
  void session.start().catch((error) => log.error(`The session could not start: ${error}`));
  const showAround = async () => {
    if (memory.get('welcomed')) return;
    const started = await handover(context.extensionUri, serverUrl());
    if (!started?.welcome) return;
    await memory.update('welcomed', true);
    await (await later()).welcome(started.welcome.file);
  };
  void showAround().catch((error) => log.warn(`The walkthrough could not be opened: ${error}`));
  return { session, account, statusBar: statusBar.item, chat, apply };
}
