import * as vscode from 'vscode';
import type { Account, Balance } from '../../shared/account.ts';
import { isOffered, type Offers } from '../account/offers.ts';
import { formatWindowFrees, formatWindowUsed, meter } from './format.ts';

/** Says that little is left, with the ways on: a guest signs in where that is offered, a member buys. */
export async function showCreditWarning(offers: Offers, account: Account, balance: Balance): Promise<void> {
  const ways: Record<string, string> = {};
  if (account.kind === 'member') ways['Buy Credits'] = 'perigee.buyCredits';
  else if (await offers.load().then(isOffered, () => false)) ways['Sign In'] = 'perigee.signIn';
  ways.Details = 'perigee.showQuota';
  const choice = await vscode.window.showWarningMessage(warningText(account, balance), ...Object.keys(ways));
  if (choice) await vscode.commands.executeCommand(ways[choice]!);
}

/** "Perigee: 8 of 100 credits left. 5 hours: 46 of 50 used; 19 free up at 14:20 (UTC+2)." */
export function warningText(account: Account, balance: Balance, now = new Date()): string {
  const left = `Perigee: ${meter(balance, account.kind).text} left.`;
  const tightest = balance.windows.toSorted((a, b) => share(b) - share(a))[0];
  if (!tightest || share(tightest) < 0.9) return left;
  return `${left} ${tightest.name}: ${formatWindowUsed(tightest)}; ${formatWindowFrees(tightest, now)}.`;
}

const share = ({ usedMicro, limitMicro }: Balance['windows'][number]) => (limitMicro > 0 ? usedMicro / limitMicro : 1);
