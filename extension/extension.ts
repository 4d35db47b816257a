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
import type { ChatController } from './chat/controller.ts';
import { registerParticipant } from './chat/participant/register.ts';
import { scopeOf } from './chat/scope.ts';
import { ChatView } from './chat/view.ts';
import { commandsOf } from './commands.ts';
import { QuickFixes } from './edit/actions/quickFixes.ts';
import type { Apply } from './edit/apply/apply.ts';
import { lazyEdits } from './edits.ts';
import type { WorkspaceIndex } from './index/workspaceIndex.ts';
import { ModelsInEditor } from './models/register.ts';
import { deviceName } from './platform/device.ts';
import { lazy } from './platform/lazy.ts';
import { Settings } from './platform/settings.ts';
import { whereThere } from './platform/whereThere.ts';
import { StatusBar } from './quota/statusBar.ts';
import { LOW_TOLD, mayBeLow } from './quota/words/format.ts';

/** What the editor tests can inspect. */
export interface TestApi {
  session: Session;
  account: AccountProvider;
  statusBar: vscode.StatusBarItem;
  chat(): Promise<ChatController>;
  apply(): Promise<Apply>;
  index(): Promise<WorkspaceIndex>;
}

const later = () => import('./later.ts');
/** Loaded apart from the rest: only who asks the workspace needs it. */
const found = () => import('./index/workspaceIndex.ts');

/**
 * Builds the extension in the order of its dependencies and registers its commands. Editor start makes only the status
 * bar; the chat, edits, details and the wire contracts are loaded at their first use.
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
  // The editor patches the global fetch with its proxy and certificate settings.
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

  const instructions = lazy(async () => own(new (await later()).Instructions()));
  const edit = lazyEdits({ context, session, backend, log, own, instructions });
  const hasFolders = !!vscode.workspace.workspaceFolders?.length;
  const windowMemory = hasFolders ? context.workspaceState : context.globalState;
  const view = own(new ChatView(context.extensionUri, scopeOf(context, hasFolders)));
  const index = lazy(async () => own(new (await found()).WorkspaceIndex({ storage: context.storageUri, log })));
  const chat = lazy(async () => {
    const { ChatController } = await later();
    const userPrompts = vscode.Uri.joinPath(context.globalStorageUri, '../../prompts');
    const deps = { view, session, offers, backend, windowMemory, memory, index, log };
    const pictures = vscode.Uri.joinPath(context.globalStorageUri, 'pictures');
    const more = { edits: edit.chatEdits, instructions: await instructions(), userPrompts, pictures };
    return own(new ChatController({ ...deps, ...more }));
  });
  own(view.onDidResolve(() => void chat()));
  const participant = lazy(async () => {
    const { AskedHere, Participant } = await later();
    const askedHere = new AskedHere(windowMemory);
    return new Participant({ session, backend, instructions: await instructions(), askedHere });
  });
  own(whereThere('@perigee in its chat', log, () => registerParticipant(context.extensionUri, participant)));
  const models = lazy(async () => new (await later()).LanguageModels(session, backend, log));
  own(whereThere('models of the account', log, () => new ModelsInEditor(session, models)));

  own(vscode.languages.registerCodeActionsProvider('*', new QuickFixes(), QuickFixes.metadata));
  for (const [name, run] of Object.entries(commandsOf({ chat, edit, index, session, signIn, page, backend }))) {
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
  return { session, account, statusBar: statusBar.item, chat, apply: edit.apply, index };
}
