import * as vscode from 'vscode';
import type { Spending } from '../../shared/runs.ts';
import type { Session } from '../account/session.ts';
import type { Backend } from '../backend.ts';
import { Disposable } from '../platform/dispose.ts';
import type { Settings } from '../platform/settings.ts';
import { meter, startOfDay } from './format.ts';
import { problemTooltip, quotaTooltip } from './tooltip.ts';

/** What was spent today is asked for when the balance has been still for so long. */
const SETTLED_MS = 1_500;
const DETAILS = 'perigee.showQuota';

type Colour = 'warning' | 'error' | undefined;

/** The meter at the bottom of the editor: what is left out of how much, always. */
export class StatusBar extends Disposable {
  readonly item = this._register(vscode.window.createStatusBarItem('quota', vscode.StatusBarAlignment.Right, 90));
  private today: Spending | undefined;
  private askedFor: number | undefined;
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
        this.today = undefined;
        this.show('$(sparkle) Perigee: start', problemTooltip('Not signed in', state.detail), 'perigee.openChat');
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
        const { text, severity } = meter(balance, account.kind);
        const usual = account.kind === 'guest' ? 'account' : 'dashboard';
        const [icon, colour] = { normal: [usual], low: ['warning', 'warning'], empty: ['error', 'error'] }[
          severity
        ] as [string, Colour];
        const tooltip = quotaTooltip({ account, balance, today: this.today, now: new Date() });
        this.show(`$(${icon}) ${text}`, tooltip, DETAILS, colour);
        this.askForSpending(balance.availableMicro + balance.pendingMicro);
      }
    }
  }

  private show(text: string, tooltip: vscode.MarkdownString, command: string, colour?: Colour): void {
    const plain = text.replace(/\$\([^)]*\) ?/g, '');
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.command = command;
    this.item.backgroundColor = colour && new vscode.ThemeColor(`statusBarItem.${colour}Background`);
    this.item.accessibilityInformation = {
      label: plain.startsWith('Perigee')
        ? plain
        : `Perigee: ${plain} left${colour === 'warning' ? ', nearly used up' : ''}`,
      role: 'button',
    };
  }

  /** Asks once for each balance, when it has settled. Reads are neither charged nor limited. */
  private askForSpending(balanceMicro: number): void {
    if (this.askedFor === balanceMicro) return;
    this.askedFor = balanceMicro;
    clearTimeout(this.spendingTimer);
    this.spendingTimer = setTimeout(async () => {
      try {
        this.today = await this.session.call((token) => this.backend.spending(token, startOfDay(new Date())));
        this.update();
      } catch {
        // The tooltip goes without this line; `call` has told of a lost connection.
        this.askedFor = undefined;
      }
    }, SETTLED_MS);
  }
}
