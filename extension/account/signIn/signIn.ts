import * as vscode from 'vscode';
import type { Merged, SignInOptions, TokenAnswer } from '../../../shared/auth.ts';
import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';
import type { Backend } from '../../backend.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { BackendError } from '../../platform/server/backendError.ts';
import type { ServerUrl } from '../../platform/server/serverUrl.ts';
import { isOffered, type Offers } from '../offers.ts';
import type { InstallKey } from '../session/installKey.ts';
import { accountLabel } from '../session/label.ts';
import type { Session } from '../session/session.ts';
import { proven, type ServerClock } from '../session/signingKey.ts';
import { BrowserSignIn, SignInRefused } from './browserSignIn.ts';
import { pollDevice, showDeviceCode } from './deviceSignIn.ts';

export interface SignInDeps {
  session: Session;
  backend: Backend;
  offers: Offers;
  installKey: InstallKey;
  clock: ServerClock;
  serverUrl: () => ServerUrl;
  /** How the account's list of devices names this editor. */
  names: { device_name: string; tool: string };
  log: Log;
}

/** The user, or another sign-in, ended this one: show nothing. */
export class Cancelled extends Error {}

/** The sign-in of this window. There is one at a time; a new one replaces the pending one. */
export class SignIn extends Disposable {
  private waiting: AbortController | undefined;
  private browser: BrowserSignIn | undefined;
  private address: string | undefined;

  constructor(private readonly deps: SignInDeps) {
    super();
    this._register({ dispose: () => this.waiting?.abort(new Cancelled()) });
  }

  /** `perigee.signIn`: signs in by the best way that this server offers, and shows the result. */
  async signIn(): Promise<void> {
    const { account } = this.deps.session;
    if (account?.kind === 'member') return tellSignedIn(accountLabel(account));
    await this.told(() => this.enter('any'));
  }

  /** `perigee.useCode`: signs in with a code that the user types in another browser, and shows the result. */
  async useCode(): Promise<void> {
    const { account } = this.deps.session;
    if (account?.kind === 'member') return tellSignedIn(accountLabel(account));
    await this.told(() => this.enter('code'));
  }

  /** For the Accounts menu, which needs the result: like `signIn`, but rejects when no account was signed in. */
  async create(): Promise<void> {
    const failure = await this.told(() => this.enter('any'));
    if (failure) throw failure;
  }

  /** `perigee.continueAsGuest`. */
  async continueAsGuest(): Promise<void> {
    await this.told(async () => {
      await this.deps.session.beginAnew();
      return null;
    });
  }

  /** Cancels the pending sign-in: after a change of the server's address, its codes are for the wrong server. */
  cancel(): void {
    this.waiting?.abort(new Cancelled());
  }

  async copyAddress(): Promise<void> {
    if (this.address) await vscode.env.clipboard.writeText(this.address);
  }

  /** The browser's callback. Only the pending sign-in accepts it. */
  takeCallback(uri: vscode.Uri): void {
    if (uri.path !== '/signed-in') return;
    if (this.browser?.take(new URLSearchParams(uri.query))) return;
    this.deps.log.warn('A callback came that no sign-in of this window waits for.');
    void vscode.window
      .showWarningMessage('This window does not wait for that sign-in any more. Nobody was signed in.', 'Sign In')
      .then((again) => again && this.signIn());
  }

  /** Null if it ended with a guest, which needs no message. */
  private async enter(way: 'any' | 'code'): Promise<TokenAnswer | null> {
    const { offers, session } = this.deps;
    this.waiting?.abort(new Cancelled());
    const waiting = new AbortController();
    this.waiting = waiting;
    try {
      const options = await offers.load();
      if (options.local && (await session.enterLocally())) {
        void vscode.window.showInformationMessage(
          'You are signed in on your own server: everything is metered, nothing is limited.',
        );
        return null;
      }
      if (waiting.signal.aborted) throw waiting.signal.reason;
      if (!isOffered(options)) return await this.enterWithoutSignIn(options);
      return way === 'code' ? await this.byCode(waiting) : await this.byBrowser(waiting);
    } finally {
      waiting.abort(new Cancelled());
      if (this.waiting === waiting) this.waiting = undefined;
    }
  }

  /** The server offers no sign-in: a guest stays a guest, and a signed-out user becomes one if guests are allowed. */
  private async enterWithoutSignIn({ local, guests }: SignInOptions): Promise<null> {
    const { session } = this.deps;
    const why = local
      ? 'this server signs in only the user of its machine, in the editor that "npm start" opens'
      : 'this server offers guest access only';
    if (!session.account && guests) await session.beginAnew();
    if (!session.account && !guests) {
      void vscode.window.showWarningMessage(
        `Nobody can sign in: ${local ? why : 'this server offers no way to'}, and it admits no guests. Ask its operator.`,
      );
      return null;
    }
    const left = session.balance?.guestMessagesLeft;
    const rest = left === undefined ? '' : ` ${left} ${left === 1 ? 'message is' : 'messages are'} left.`;
    void vscode.window.showInformationMessage(`You are a guest: ${why}.${rest}`);
    return null;
  }

  private async byBrowser(waiting: AbortController): Promise<TokenAnswer> {
    const { session, names } = this.deps;
    const server = this.server();
    const browser = new BrowserSignIn();
    let address: string;
    try {
      address = await browser.address(server, names);
    } catch (error) {
      this.deps.log.warn(`This editor cannot be called back: ${error}`);
      return this.byCode(waiting);
    }
    this.browser = browser;
    this.address = address;
    const options = { location: vscode.ProgressLocation.Notification, title: 'Signing in', cancellable: true };
    try {
      const grant = await vscode.window.withProgress(options, async (progress, token) => {
        token.onCancellationRequested(() => waiting.abort(new Cancelled()));
        progress.report({
          message:
            'Go on in your browser. [Use a code instead](command:perigee.useCode) · ' +
            '[Copy address](command:perigee.copySignInAddress)',
        });
        const granted = browser.grant(waiting.signal);
        // Awaited below. A sign-in that fails while the browser opens must not be an unhandled rejection.
        granted.catch(() => {});
        if (!(await browser.open(address)) && !waiting.signal.aborted) this.tellNotOpened();
        return granted;
      });
      return await session.signIn(grant);
    } finally {
      if (this.browser === browser) {
        this.browser = undefined;
        this.address = undefined;
      }
    }
  }

  /** The user declined, or nothing could be opened. The sign-in still waits: its address may be opened by hand. */
  private tellNotOpened(): void {
    const [code, copy] = ['Use a Code', 'Copy Address'];
    void vscode.window
      .showInformationMessage('The browser was not opened. You can sign in by a code, in any browser.', code, copy)
      .then((choice) => {
        if (choice === code) return this.useCode();
        if (choice === copy) return this.copyAddress();
      });
  }

  private async byCode(waiting: AbortController): Promise<TokenAnswer> {
    const { session, backend, installKey, clock, names } = this.deps;
    const server = this.server();
    const device = await backend.startDevice(proven(server, await installKey.get(), null, clock), names);
    const shown = showDeviceCode(device, () => waiting.abort(new Cancelled()));
    try {
      return await pollDevice(device, (grant) => session.signIn(grant), waiting.signal);
    } finally {
      shown.dispose();
    }
  }

  private server(): string {
    const server = this.deps.serverUrl();
    if ('wrong' in server) throw BackendError.wrongServer(server.wrong);
    return server.url;
  }

  /** Runs `enter` and shows how it ended. Returns the error if it failed. */
  private async told(enter: () => Promise<TokenAnswer | null>): Promise<unknown> {
    try {
      const answer = await enter();
      if (answer) tellSignedIn(accountLabel(answer.account), answer.merged);
      return undefined;
    } catch (error) {
      if (!(error instanceof Cancelled)) void this.tellFailure(error);
      return error;
    }
  }

  private async tellFailure(error: unknown): Promise<void> {
    const failure = describe(error);
    this.deps.log.warn(`Not signed in: ${failure.code}`);
    const again = 'Try Again';
    const code = 'Use a Code';
    const ways = failure.isOver ? [again] : [again, code];
    const choice = await vscode.window.showErrorMessage(failure.text, ...ways);
    if (choice === again) await this.signIn();
    if (choice === code) await this.useCode();
  }
}

/** Describes the error that ended a sign-in. `isOver`: signing in with a code would not help either. */
function describe(error: unknown): { text: string; code: string; isOver: boolean } {
  if (error instanceof SignInRefused) {
    const text =
      error.code === 'access_denied'
        ? 'Nobody was signed in: the sign-in was cancelled in the browser.'
        : 'Nobody was signed in: the sign-in took too long, or the browser returned nothing usable.';
    return { text, code: error.code, isOver: false };
  }
  const { title, detail, code } = BackendError.from(error).problem;
  // A code that was not approved: a new code may be.
  const isOver = code !== 'expired_token' && code !== 'access_denied';
  return { text: `${title}. ${detail}`, code, isOver };
}

function tellSignedIn(label: string, merged?: Merged): void {
  const page = 'Open Account Page';
  void vscode.window
    .showInformationMessage(`You are signed in as ${label}.${merged ? ` ${tellMerged(merged)}` : ''}`, page)
    .then((choice) => choice === page && vscode.commands.executeCommand('perigee.openAccount'));
}

/** "3 conversations and 7 credits moved to your account." */
export function tellMerged({ conversations, allowanceMicro }: Merged): string {
  const credits = allowanceMicro / MICRO_PER_CREDIT;
  const parts = [
    conversations > 0 && `${conversations} ${conversations === 1 ? 'conversation' : 'conversations'}`,
    allowanceMicro > 0 && `${Number(credits.toFixed(2))} ${credits === 1 ? 'credit' : 'credits'}`,
  ].filter(Boolean);
  return parts.length > 0 ? `${parts.join(' and ')} moved to your account.` : '';
}
