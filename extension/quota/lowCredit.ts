import * as vscode from 'vscode';
import type { Account, Balance } from '../../shared/account.ts';
import { isOffered, type Offers } from '../account/offers.ts';
import type { Session } from '../account/session/session.ts';
import type { Backend } from '../backend.ts';
import { LOW_TOLD } from './words/format.ts';
import { decide, levelOf, lowWords } from './words/lowLevel.ts';

/** How many accounts are remembered: far more than one person has. */
const MOST = 100;

type Way = vscode.MessageItem & { command: [string, ...string[]] };
const BUY: Way = { title: 'Buy Credits', command: ['perigee.openAccount', 'credits'] };
const SIGN_IN: Way = { title: 'Sign In', command: ['perigee.signIn'] };
const DETAILS: Way = { title: 'Details', command: ['perigee.showQuota'] };

/** Warns once when credit is low, with buttons for what to do. Remembered on this machine, for each account. */
export class LowCredit {
  constructor(
    private readonly session: Session,
    private readonly backend: Backend,
    private readonly offers: Offers,
    private readonly memory: vscode.Memento,
  ) {}

  /** Call it whenever the balance may have changed. */
  async look(): Promise<void> {
    const { account, balance, state } = this.session;
    if (!account || !balance || state.kind !== 'ok') return;
    const told = this.memory.get<string[]>(LOW_TOLD, []);
    const wasTold = told.includes(account.id);
    const { warns, isTold } = decide(wasTold, levelOf(balance, account.kind));
    if (isTold === wasTold) return;
    const others = told.filter((id) => id !== account.id);
    // An empty list is stored as nothing, so that the next start loads nothing.
    const next = isTold ? [...others, account.id].slice(-MOST) : others;
    // `update` changes the memory at once, before it is stored, so that the next change does not warn again.
    const stored = this.memory.update(LOW_TOLD, next.length > 0 ? next : undefined);
    if (warns) await this.warn(account, balance);
    await stored;
  }

  private async warn(account: Account, balance: Balance): Promise<void> {
    const more = account.kind === 'guest' ? SIGN_IN : BUY;
    const words = lowWords(account, balance, new Date());
    const isMore = await (more === BUY ? this.isSold() : this.canSignIn()).catch(() => false);
    const choice = await vscode.window.showWarningMessage(words, ...(isMore ? [more, DETAILS] : [DETAILS]));
    if (choice) await vscode.commands.executeCommand(...choice.command);
  }

  private async isSold(): Promise<boolean> {
    return (await this.session.call((who) => this.backend.offers(who))).sold;
  }

  private async canSignIn(): Promise<boolean> {
    return isOffered(await this.offers.load());
  }
}
