import * as vscode from 'vscode';
import type { Account, Balance } from '../../shared/account.ts';
import type { LogEntry } from '../../shared/credits.ts';
import { creditsChanged, creditsLeft } from '../../shared/money/amounts.ts';
import type { Spending } from '../../shared/runs.ts';
import { accountLabel, standingLines } from '../account/session/label.ts';
import type { Session } from '../account/session/session.ts';
import type { Backend } from '../backend.ts';
import { BackendError } from '../platform/server/backendError.ts';
import {
  formatInstant,
  formatNumber,
  formatSpentWithUnit,
  formatWindowLeft,
  formatWindowUse,
  meter,
  startOfDay,
} from './words/format.ts';

const LOG_ENTRIES = 20;
const MOST_BESIDE = 44;

export interface DetailsItem extends vscode.QuickPickItem {
  run?: () => void;
}

/**
 * The details behind the meter as a searchable list: the balance, each window, what spent the most today, and the
 * newest lines of the token log with their reasons. Choosing a line opens its conversation, or the account's page.
 */
export async function showQuota(deps: {
  session: Session;
  backend: Backend;
  openConversation(id: string): void;
}): Promise<vscode.QuickPick<DetailsItem>> {
  const { session, backend } = deps;
  const pick = vscode.window.createQuickPick<DetailsItem>();
  const refresh = { iconPath: new vscode.ThemeIcon('refresh'), tooltip: 'Refresh' };
  pick.title = 'Perigee: what is left';
  pick.placeholder = 'Search what was spent';
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.buttons = [refresh];
  const load = async () => {
    pick.busy = true;
    try {
      const [{ account, balance }, spending, log, sold] = await session.call((who) =>
        Promise.all([
          backend.account(who),
          backend.spending(who, startOfDay(new Date())),
          backend.log(who, { limit: LOG_ENTRIES }),
          // The offers matter least: without them, the rest is still shown.
          backend.offers(who).then(
            (offers) => offers.sold,
            () => false,
          ),
        ]),
      );
      pick.items = detailsItems(
        { account, balance, spending, log: log.entries, sold, now: new Date() },
        deps.openConversation,
      );
    } catch (error) {
      pick.items = problemItems(BackendError.from(error));
    }
    pick.busy = false;
  };
  pick.onDidTriggerButton(load);
  pick.onDidAccept(() => {
    const run = pick.selectedItems[0]?.run;
    if (!run) return;
    pick.hide();
    run();
  });
  // What changes by time alone is updated while the list is open.
  const passing = session.onDidPass(load);
  pick.onDidHide(() => {
    passing.dispose();
    pick.dispose();
  });
  pick.show();
  await load();
  return pick;
}

/** The lines of the details, in reading order. */
export function detailsItems(
  quota: { account: Account; balance: Balance; spending: Spending; log: LogEntry[]; sold: boolean; now: Date },
  openConversation: (id: string) => void,
): DetailsItem[] {
  const { account, balance, spending, log, sold, now } = quota;
  const isGuest = account.kind === 'guest';
  const { text, severity, unlimited } = meter(balance, account.kind);
  const command =
    (name: string, ...given: string[]) =>
    () =>
      void vscode.commands.executeCommand(`perigee.${name}`, ...given);
  const canBuy = sold && !isGuest && !unlimited;
  const wayOn = isGuest ? command('signIn') : canBuy ? command('openAccount', 'credits') : undefined;
  const items: DetailsItem[] = [separator('Left')];
  for (const line of standingLines(account)) items.push({ label: `$(warning) ${line}` });
  if (account.suspended && !isGuest)
    items.push({ label: '$(law) Why, and how to appeal', run: command('openAccount', 'decisions') });
  items.push({
    label: `$(${severity === 'normal' ? 'dashboard' : severity === 'low' ? 'warning' : 'error'}) ${unlimited ? 'Metered, not limited' : `${text} left`}`,
    description: accountLabel(account),
    detail:
      severity === 'empty' ? usedUp({ isGuest, canBuy, frees: balance.windows.some((w) => w.nextFreeAt) }) : undefined,
    run: severity === 'empty' ? wayOn : undefined,
  });
  if (balance.pendingMicro > 0) {
    const pending = formatSpentWithUnit(balance.pendingMicro, isGuest);
    items.push({
      label: `$(clock) ${pending} set aside for running answers`,
      description: 'what they do not use returns',
    });
  }
  if (balance.purchasedMicro > 0) {
    items.push({
      label: `$(credit-card) ${creditsLeft(balance.purchasedMicro)} credits purchased`,
      description: 'never expire',
    });
  }
  if (!isGuest && !unlimited && balance.promotionalMicro > 0) {
    items.push({
      label: `$(gift) ${creditsLeft(balance.promotionalMicro)} promotional credits`,
      description: 'spent first',
    });
  }
  if (balance.windows.length > 0) items.push(separator('Windows'));
  for (const window of balance.windows) {
    items.push({
      label: `$(history) ${window.name}: ${formatWindowLeft(window)}`,
      // On a line of its own: both times don't fit beside the name.
      detail: capitalised(formatWindowUse(window, now)),
    });
  }
  items.push(separator(`Spent today: ${formatSpentWithUnit(spending.chargedMicro, isGuest)}`));
  if (spending.runs === 0) items.push({ label: '$(check) Nothing yet' });
  for (const { id, title, chargedMicro, runs } of spending.conversations) {
    items.push({
      label: `$(comment) ${plain(title)}`,
      ...inSight(title, `${formatSpentWithUnit(chargedMicro, isGuest)} · ${runs} ${runs === 1 ? 'answer' : 'answers'}`),
      run: () => openConversation(id),
    });
  }
  for (const { name, chargedMicro, runs } of spending.keys) {
    items.push({
      label: `$(key) ${plain(name)}`,
      ...inSight(name, `${formatSpentWithUnit(chargedMicro, isGuest)} · ${runs} ${runs === 1 ? 'call' : 'calls'}`),
      run: command('openAccount', 'usage'),
    });
  }
  const listed = [...spending.conversations, ...spending.keys];
  const rest = listed.reduce((left, row) => left - row.runs, spending.runs);
  if (rest > 0) {
    const restMicro = listed.reduce((left, row) => left - row.chargedMicro, spending.chargedMicro);
    items.push({
      label: '$(ellipsis) Everything else',
      description: `${formatSpentWithUnit(restMicro, isGuest)} · such as in deleted conversations`,
    });
  }
  items.push(separator('Account'));
  if (isGuest) items.push({ label: '$(account) Sign in', detail: 'What is here moves along', run: command('signIn') });
  else {
    if (canBuy) items.push({ label: '$(add) Buy credits', run: command('openAccount', 'credits') });
    items.push(
      { label: '$(list-unordered) Token log', description: 'all of it', run: command('openAccount', 'log') },
      { label: '$(graph) Usage', description: 'by day, model, tool and API key', run: command('openAccount', 'usage') },
      { label: '$(account) Open the account page', run: command('openAccount') },
    );
  }
  items.push(separator('Latest'));
  for (const entry of log) {
    const tokens =
      entry.usage && ` · ${formatNumber(entry.usage.inputTokens)} in, ${formatNumber(entry.usage.outputTokens)} out`;
    const conversationId = entry.conversationId;
    const by = entry.key && ` · key ${entry.key.name}`;
    items.push({
      label: `$(${LOG_ICONS[entry.kind]}) ${creditsChanged(entry.amountMicro)} · ${entry.reason}`,
      ...inSight(entry.reason, formatInstant(entry.at, now), entry.model && `${entry.model}${tokens ?? ''}${by ?? ''}`),
      run: conversationId ? () => openConversation(conversationId) : undefined,
    });
  }
  return items;
}

function usedUp({ isGuest, canBuy, frees }: { isGuest: boolean; canBuy: boolean; frees: boolean }): string {
  if (isGuest) return 'Used up. Sign in, or ask the operator of this server for more.';
  const more = canBuy ? 'More can be bought on the account page.' : 'The operator of this server can give more.';
  return frees ? `Used up for now: see below when more is free. ${more}` : `Used up. ${more}`;
}

const LOG_ICONS: Record<LogEntry['kind'], string> = {
  grant: 'gift',
  charge: 'arrow-small-down',
  not_charged: 'circle-slash',
  refund: 'discard',
  move: 'arrow-swap',
  purchase: 'credit-card',
  plan: 'calendar',
  reversal: 'reply',
  reset: 'circle-slash',
};

function problemItems({ problem }: BackendError): DetailsItem[] {
  const run = (command: string) => () => void vscode.commands.executeCommand(command);
  return [
    { label: `$(error) ${problem.title}`, detail: problem.detail },
    { label: '$(refresh) Try again', run: run('perigee.reconnect'), alwaysShow: true },
    { label: '$(gear) Change the server address', run: run('perigee.openSettings'), alwaysShow: true },
  ];
}

/** Shows `what` beside a short label, else on the line below: a long label would push it out of the list. */
function inSight(words: string, what: string, below?: string): Pick<DetailsItem, 'description' | 'detail'> {
  if (words.length <= MOST_BESIDE) return { description: what, detail: below };
  return { detail: [what, below].filter(Boolean).join(' · ') };
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const separator = (label: string): DetailsItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
/** A title must not draw icons. */
const plain = (title: string) => title.replace(/\$\(/g, '$\u200b(');
