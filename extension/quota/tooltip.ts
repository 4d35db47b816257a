import * as vscode from 'vscode';
import type { Account, Balance } from '../../shared/account.ts';
import { LOW_SHARE } from '../../shared/constants.ts';
import { creditsLeft } from '../../shared/money/amounts.ts';
import type { Spending } from '../../shared/runs.ts';
import { accountLabel, standingLines } from '../account/session/label.ts';
import { formatSpentWithUnit, formatWindowLeft, formatWindowUse, meter, windowShareLeft } from './words/format.ts';

const BAR_CELLS = 70;

/** The meter's tooltip: the balance, each window, where the credits came from, what spent the most today. */
export function quotaTooltip(quota: {
  account: Account;
  balance: Balance;
  today?: Spending;
  now: Date;
}): vscode.MarkdownString {
  const { account, balance, today, now } = quota;
  const isGuest = account.kind === 'guest';
  const { text, share, severity, unlimited } = meter(balance, account.kind);
  const markdown = trusted();
  markdown.appendMarkdown(`**Perigee** · ${escaped(accountLabel(account))}\n\n`);
  for (const line of standingLines(account)) markdown.appendMarkdown(`${escaped(line)}\n\n`);
  if (account.suspended && account.kind === 'member')
    markdown.appendMarkdown(`${page('Why, and how to appeal', 'decisions')}\n\n`);
  markdown.appendMarkdown(
    unlimited
      ? 'Everything is metered, nothing is limited\n\n'
      : `${text} left\n\n${bar(share, severity === 'normal' ? 'progressBar-background' : 'editorWarning-foreground')}\n\n`,
  );
  for (const window of balance.windows) {
    const share = windowShareLeft(window);
    const colour = share < LOW_SHARE ? 'editorWarning-foreground' : undefined;
    markdown.appendMarkdown(`**${escaped(window.name)}** · ${formatWindowLeft(window)}\n\n${bar(share, colour)}\n\n`);
    markdown.appendMarkdown(`${capitalised(formatWindowUse(window, now))}\n\n`);
  }
  const rows: [string, string][] = [];
  if (balance.pendingMicro > 0)
    rows.push(['Set aside for running answers', formatSpentWithUnit(balance.pendingMicro, isGuest)]);
  if (!isGuest && !unlimited && balance.promotionalMicro > 0)
    rows.push(['Promotional', `${creditsLeft(balance.promotionalMicro)} credits`]);
  if (balance.purchasedMicro > 0)
    rows.push(['Purchased', `${creditsLeft(balance.purchasedMicro)} credits, never expire`]);
  const most = today?.conversations[0];
  if (today && most) {
    rows.push(['Most today', `${escaped(shortened(most.title))} ${formatSpentWithUnit(most.chargedMicro, isGuest)}`]);
    rows.push(['Spent today', formatSpentWithUnit(today.chargedMicro, isGuest)]);
  }
  if (rows.length > 0) {
    markdown.appendMarkdown(
      `| | |\n|:--|--:|\n${rows.map(([what, value]) => `| ${what} | ${value} |`).join('\n')}\n\n`,
    );
  }
  if (severity === 'empty' && isGuest) {
    markdown.appendMarkdown('The free messages are used up. Sign in, or ask the operator of this server for more.\n\n');
  }
  const ways = isGuest
    ? '[Sign in](command:perigee.signIn)'
    : `${page('Token log', 'log')}${unlimited ? '' : ` · ${page('Credits', 'credits')}`}`;
  markdown.appendMarkdown(`[Details](command:perigee.showQuota) · [Open chat](command:perigee.openChat) · ${ways}`);
  return markdown;
}

/** A tooltip that describes a problem and links to the next step. */
export function problemTooltip(title: string, detail: string, address?: string): vscode.MarkdownString {
  const markdown = trusted();
  markdown.appendMarkdown(`**${escaped(title)}**\n\n${escaped(detail)}\n\n`);
  if (address !== undefined) {
    if (address && !detail.includes(address)) markdown.appendMarkdown(`Server: ${escaped(address)}\n\n`);
    markdown.appendMarkdown(
      '[Try again](command:perigee.reconnect) · [Change the address](command:perigee.openSettings)',
    );
  }
  return markdown;
}

function trusted(): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString('', true);
  // The tooltip contains titles of conversations: allow only these commands, and no HTML except our own.
  markdown.isTrusted = {
    enabledCommands: ['showQuota', 'openChat', 'reconnect', 'openSettings', 'signIn', 'openAccount'].map(
      (name) => `perigee.${name}`,
    ),
  };
  markdown.supportHtml = true;
  return markdown;
}

/** A bar made of coloured spaces: in Markdown, the editor allows a span's background colour and no other drawing. */
function bar(share: number, colour = 'progressBar-background'): string {
  const filled = Math.round(Math.max(0, Math.min(1, share)) * BAR_CELLS);
  const cells = (count: number, of: string) =>
    count > 0 ? `<span style="background-color:var(--vscode-${of});">${'&nbsp;'.repeat(count)}</span>` : '';
  return cells(filled, colour) + cells(BAR_CELLS - filled, 'editorWidget-border');
}

/** A link to a section of the account's page. */
const page = (label: string, section: string) =>
  `[${label}](command:perigee.openAccount?${encodeURIComponent(JSON.stringify([section]))})`;
const shortened = (title: string) => (title.length > 32 ? `${title.slice(0, 31).trimEnd()}…` : title);
const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function escaped(text: string): string {
  return (
    text
      .replace(/\s+/g, ' ')
      // The editor draws icons even for escaped text.
      .replace(/\$\(/g, '$\u200b(')
      .replace(/[\\`*_{}[\]()#+\-.!|~$]/g, '\\$&')
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
  );
}
