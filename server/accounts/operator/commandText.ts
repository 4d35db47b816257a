import type { Balance } from '../../../shared/account.ts';
import { inCredits } from '../../../shared/money/amounts.ts';
import { cleanName } from '../../../shared/texts.ts';
import { iso } from '../../platform/clock.ts';
import { BackupRefused } from '../../platform/db/restoring.ts';
import type { FoundAccount } from '../people/accountSearch.ts';
import { usageOf } from './usage.ts';

// The output text of the operator's commands.

/** A command that was misused or can't be done, with one line that tells the operator what to do. */
export class Refused extends Error {
  constructor(
    readonly code: 1 | 2,
    message: string,
  ) {
    super(message);
  }
}

/** The refusal of a command that can't be parsed. The command's part of the help follows it. */
export const misused = (message: string) => new Refused(2, message);

/**
 * Checks a text that account owners read: one line of plain text without control or invisible characters, of 1 to
 * `most` UTF-16 units. Refuses any other text; the message calls it `what`.
 */
export function readText(typed: string, what: string, most: number): string {
  const text = cleanName(typed);
  if (text === '') throw misused(`${what} is empty.`);
  if (text.length > most) throw misused(`${what} has ${text.length} characters, and may have ${most} at most.`);
  return text;
}

/**
 * A command's output. `code` is 0, 1 if it could not be done, 2 if it could not be parsed, or 3 if it was done and
 * something remains to do: the last lines say what.
 */
export interface CommandResult {
  code: 0 | 1 | 2 | 3;
  lines: string[];
}

/** Runs a command and turns refusals into output. Throws errors that the operator can't fix. */
export async function tellCommand(
  args: readonly string[],
  run: () => Promise<string[] | CommandResult>,
): Promise<CommandResult> {
  try {
    const done = await run();
    return Array.isArray(done) ? { code: 0, lines: done } : done;
  } catch (error) {
    if (error instanceof Refused) return { code: error.code, lines: refusal(error, args) };
    if (error instanceof BackupRefused) return { code: 1, lines: [error.message] };
    const { code, message } = error as { code?: unknown; message: string };
    // An error of parseArgs about the arguments.
    if (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS'))
      return { code: 2, lines: refusal(misused(`${message.split('. ')[0]}.`), args) };
    throw error;
  }
}

function refusal({ code, message }: Refused, args: readonly string[]): string[] {
  if (code === 1) return [message];
  const usage = usageOf(args.find((arg) => !arg.startsWith('-')) ?? '');
  return usage.length > 0 ? [message, ...usage] : [`${message} The command "help" lists all of them.`];
}

/** Removes control characters from names, so that they can't move a terminal's cursor or change its colours. */
const plain = (text: string) => text.replace(/[\p{Cc}\p{Cf}]/gu, '');

/** The name of an account in an output line. */
export const named = (account: FoundAccount) => plain(account.email ?? account.name ?? account.id);

function stateOf(account: FoundAccount, now: number): string {
  if (account.goneAt !== null) return `closed, deleted on ${iso(account.goneAt)}`;
  if (account.suspended && (account.suspended.until === null || account.suspended.until > now))
    return account.suspended.until === null ? 'suspended' : `suspended until ${iso(account.suspended.until)}`;
  return 'open';
}

/** A table of accounts, one line each. */
export function accountTable(accounts: readonly FoundAccount[], now: number): string[] {
  if (accounts.length === 0) return ['There is none.'];
  const rows = accounts.map((account) => [
    account.id,
    account.kind === 'guest' ? 'guest' : `tier ${account.tier}`,
    stateOf(account, now),
    iso(account.lastActiveAt).slice(0, 10),
    [account.email, account.name].filter(Boolean).join(', '),
  ]);
  return columns([['account', 'kind', 'state', 'last seen', 'who'], ...rows]);
}

/** One account: a line for each known fact, and for each balance. */
export function accountLines(account: FoundAccount, balance: Balance, now: number): string[] {
  const rows = [
    ['account', account.id],
    ['kind', account.kind === 'guest' ? 'guest' : `member, tier ${account.tier}`],
    ['email', account.email ?? ''],
    ['name', account.name ?? ''],
    ['signs in by', account.providers.join(', ')],
    ['state', stateOf(account, now)],
    ['why', account.suspended?.why ?? ''],
    ['made', iso(account.createdAt)],
    ['last seen', iso(account.lastActiveAt)],
    ['can spend', inCredits(balance.availableMicro)],
    ['promotional', inCredits(balance.promotionalMicro)],
    ['purchased', inCredits(balance.purchasedMicro)],
    ['set aside', balance.pendingMicro > 0 ? inCredits(balance.pendingMicro) : ''],
    ...balance.windows.map((window) => [
      `plan, ${window.name}`,
      `${inCredits(window.usedMicro)} used of ${inCredits(window.limitMicro)}`,
    ]),
  ];
  return columns(rows.filter(([, value]) => value !== ''));
}

/** Aligns cells in columns as wide as their longest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(plain));
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => (row[i] ?? '').length)));
  return cells.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}
