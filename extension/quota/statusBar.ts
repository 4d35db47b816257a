import * as vscode from 'vscode';
import type { Session } from '../account/session/session.ts';
import type { SignedOut } from '../account/session/state.ts';
import type { Backend } from '../backend.ts';
import { Disposable } from '../platform/dispose.ts';
import type { Settings } from '../platform/settings.ts';
import { problemTooltip, quotaTooltip } from './tooltip.ts';
import { type DaySpending, meter, spentOn, startOfDay } from './words/format.ts';

/** How long the balance must be unchanged before today's spending is fetched. */
const SETTLED_MS = 1_500;
const DETAILS = 'perigee.showQuota';

type Colour = 'warning' | 'error' | undefined;

/** The meter in the editor's status bar: it always shows what is left out of how much. */
export class StatusBar extends Disposable {
  readonly item = this._register(vscode.window.createStatusBarItem('quota', vscode.StatusBarAlignment.Right, 90));
  private spent: DaySpending | undefined;
  private askedFor: string | undefined;
  private spendingTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    private readonly backend: Backend,
    private readonly settings: Settings,
  ) {
    super();
    this.item.name = 'Perigee: what is left';
    this._register(session.onDidChange(() => this.update()));
    this._register({ dispose: () => clearTimeout(this.spendingTimer) });
    this.update();
    this.item.show();
  }

  private update(): void {
    const { state, balance, account } = this.session;
    const server = this.settings.serverUrl();
    const address = 'url' in server ? server.url : '';
    switch (state.kind) {
      case 'signedOut':
        this.spent = undefined;
        this.showSignedOut(state);
        return;
      case 'offline': {
        const detail = `${state.detail} It is tried again by itself.`;
        this.show(
          '$(debug-disconnect) Perigee offline',
          problemTooltip('Perigee is offline', detail, address),
          DETAILS,
        );
        return;
      }
      case 'wrongServer': {
        const tooltip = problemTooltip('Wrong server address', state.detail, address);
        this.show('$(debug-disconnect) Perigee: wrong address', tooltip, DETAILS, 'warning');
        return;
      }
      case 'connecting':
      case 'ok': {
        if (!balance || !account) {
          const tooltip = problemTooltip('Perigee', `Connecting to ${address} …`);
          this.show('$(sync~spin) Perigee', tooltip, 'perigee.openChat');
          return;
        }
        const now = new Date();
        const today = spentOn(this.spent, now);
        const { text, severity, unlimited } = meter(balance, account.kind, today?.chargedMicro);
        const usual = account.kind === 'guest' ? 'account' : 'dashboard';
        const [icon, colour] = { normal: [usual], low: ['warning', 'warning'], empty: ['error', 'error'] }[
          severity
        ] as [string, Colour];
        const tooltip = quotaTooltip({ account, balance, today, now });
        if (account.suspended) this.show('$(circle-slash) Perigee: suspended', tooltip, DETAILS, 'warning');
        else
          this.show(
            `$(${icon}) ${text}`,
            tooltip,
            DETAILS,
            colour,
            unlimited ? `${text}, not limited` : `${text} left`,
          );
        this.askForSpending(balance.availableMicro + balance.pendingMicro);
      }
    }
  }

  private showSignedOut({ why, was, detail }: SignedOut): void {
    const isMember = was === 'member';
    const [text, command] = !isMember
      ? ['start', 'perigee.openChat']
      : [why === 'expired' ? 'sign in again' : 'sign in', 'perigee.signIn'];
    const icon = isMember ? 'account' : 'sparkle';
    const colour = isMember && why === 'expired' ? 'warning' : undefined;
    this.show(`$(${icon}) Perigee: ${text}`, problemTooltip('Not signed in', detail), command, colour);
  }

  /** `said`: what a screen reader says after "Perigee", if it differs from the text. */
  private show(text: string, tooltip: vscode.MarkdownString, command: string, colour?: Colour, said?: string): void {
    const plain = text.replace(/\$\([^)]*\) ?/g, '');
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.command = command;
    this.item.backgroundColor = colour && new vscode.ThemeColor(`statusBarItem.${colour}Background`);
    this.item.accessibilityInformation = {
      label: plain.startsWith('Perigee')
        ? plain
        : `Perigee: ${said ?? plain}${colour === 'warning' ? ', nearly used up' : ''}`,
      role: 'button',
    };
  }

  /** Fetches the spending once for each balance and day, when the balance has settled. Reads are free and unlimited. */
  private askForSpending(balanceMicro: number): void {
    const from = startOfDay(new Date());
    const asks = `${from} ${balanceMicro}`;
    if (this.askedFor === asks) return;
    this.askedFor = asks;
    clearTimeout(this.spendingTimer);
    this.spendingTimer = setTimeout(async () => {
      try {
        const spending = await this.session.call((who) => this.backend.spending(who, from));
        this.spent = { from, spending };
        this.update();
      } catch {
        // The tooltip omits this line; `call` has already reported a lost connection.
        this.askedFor = undefined;
      }
    }, SETTLED_MS);
  }
}
