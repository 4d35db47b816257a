import type { Account, Balance } from '../../../shared/account.ts';
import { MICRO_PER_CREDIT, REASONS } from '../../../shared/constants.ts';
import type { Attachment, Message } from '../../../shared/conversations.ts';
import { creditsSpent, withUnit } from '../../../shared/money/amounts.ts';
import { guestMessages, meter } from '../../../shared/money/meter.ts';

// Formats words and numbers for the view. Pure: time and locale are arguments.

export function count(n: number, locale?: string): string {
  return numbers(locale).format(n);
}

/** Creating a formatter takes a hundred times as long as using it, and each message needs several. */
function kept<T>(make: (locale: string | undefined) => T): (locale: string | undefined) => T {
  const made = new Map<string | undefined, T>();
  return (locale) => {
    const known = made.get(locale) ?? make(locale);
    made.set(locale, known);
    return known;
  };
}

const numbers = kept((locale) => new Intl.NumberFormat(locale));
const dates = (options: Intl.DateTimeFormatOptions) => kept((locale) => new Intl.DateTimeFormat(locale, options));
const HOUR_AND_MINUTE = { hour: '2-digit', minute: '2-digit' } as const;
const hours = dates(HOUR_AND_MINUTE);
const weekdays = dates({ weekday: 'short' });
const days = dates({ day: 'numeric', month: 'short' });
const daysOfYears = dates({ day: 'numeric', month: 'short', year: 'numeric' });
const wholeTimes = dates({ weekday: 'short', day: 'numeric', month: 'short', ...HOUR_AND_MINUTE });

/** "1 attachment", "2 attachments". */
export const counted = (n: number, one: string, locale?: string) => `${count(n, locale)} ${one}${n === 1 ? '' : 's'}`;

/** "87.4 of 100 credits left", for a guest "7 of 10 free messages left", or that the balance is unlimited. */
export function whatIsLeft(balance: Balance, account: Account | null, locale?: string): string {
  if (account?.kind === 'guest' && balance.guestMessagesLeft !== undefined) {
    const { left, of } = guestMessages(balance);
    return `${count(left, locale)} of ${count(of, locale)} free messages left`;
  }
  return balance.unlimited ? 'Metered, not limited' : `${meter(balance, 'member').text} left`;
}

/** The cost of a finished answer in a few words, and why it is zero or reduced. */
export function costOf(message: Message, guest: boolean, locale?: string): { label: string; why?: string } | null {
  if (message.chargedMicro === undefined) return null;
  const why = message.reason && REASONS[message.reason].replace(/ Not charged\.$/, '');
  if (message.chargedMicro === 0 && (message.reason || message.state === 'failed' || message.state === 'interrupted')) {
    return { label: 'Not charged', why };
  }
  if (guest) {
    const n = Math.max(1, Math.round(message.chargedMicro / MICRO_PER_CREDIT));
    return { label: message.chargedMicro === 0 ? 'Free' : n === 1 ? '1 message' : `${count(n, locale)} messages`, why };
  }
  return { label: withUnit(creditsSpent(message.chargedMicro)), why };
}

/** "enough for about 800 more tokens": rounded down to two digits, since single tokens don't matter. */
export function enoughFor(tokens: number, locale?: string): string {
  const step = 10 ** Math.max(0, String(tokens).length - 2);
  return `enough for about ${count(Math.floor(tokens / step) * step, locale)} more tokens`;
}

/** "1,204 in", "(980 cached)", "312 out". */
export function tokensOf(message: Message, locale?: string): string[] {
  const usage = message.usage;
  if (!usage) return [];
  const about = usage.estimated ? '~' : '';
  const cached = usage.cachedInputTokens > 0 ? [`(${count(usage.cachedInputTokens, locale)} cached)`] : [];
  const out = `${about}${count(usage.outputTokens, locale)} out`;
  return [`${about}${count(usage.inputTokens, locale)} in`, ...cached, out];
}

const MINUTE = 60_000;
const DAY = 86_400_000;

/** Within a day relative ("3 h ago"), then absolute: the time for yesterday, weekday within a week, then the date. */
export function when(iso: string, now: Date, locale?: string): string {
  const at = new Date(iso);
  const age = now.getTime() - at.getTime();
  if (age < MINUTE) return 'just now';
  if (age < 60 * MINUTE) return `${Math.floor(age / MINUTE)} min ago`;
  const since = daysBetween(at, now);
  if (age < DAY && since === 0) return `${Math.floor(age / (60 * MINUTE))} h ago`;
  const time = hours(locale).format(at);
  if (since <= 1) return time;
  return since < 7 ? `${weekdays(locale).format(at)} ${time}` : fullDay(iso, now, locale);
}

/** The full date and time with the zone: for tooltips, and for times that the user must wait for. */
export function fullTime(iso: string, now: Date, locale?: string): string {
  const at = new Date(iso);
  const text = (daysBetween(at, now) === 0 ? hours : wholeTimes)(locale).format(at);
  const offset = -at.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  const [h, m] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  return `${text} (UTC${offset === 0 ? '' : `${sign}${h}${m ? `:${String(m).padStart(2, '0')}` : ''}`})`;
}

/** The server writes instants as ISO 8601, because it does not know the reader's zone. */
export const withTimes = (text: string): string =>
  text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (iso) => fullTime(iso, new Date()));

/** "1 Jan" this year, "1 Jan 2028" in others. */
export function fullDay(iso: string, now: Date, locale?: string): string {
  const at = new Date(iso);
  return (at.getFullYear() === now.getFullYear() ? days : daysOfYears)(locale).format(at);
}

/** "in 40 s", "in 5 min", "in 3 h": shown beside an absolute time that the user must wait for. */
export function until(iso: string, now: Date): string {
  const s = Math.max(0, Math.ceil((new Date(iso).getTime() - now.getTime()) / 1000));
  if (s < 90) return `in ${s} s`;
  if (s < 90 * 60) return `in ${Math.round(s / 60)} min`;
  return `in ${Math.round(s / 3600)} h`;
}

export type Group = 'Pinned' | 'Today' | 'Yesterday' | 'Last 7 days' | 'Older';

export function groupOf(iso: string, now: Date): Group {
  const since = daysBetween(new Date(iso), now);
  return since <= 0 ? 'Today' : since === 1 ? 'Yesterday' : since < 7 ? 'Last 7 days' : 'Older';
}

/** Calendar days from `a` to `b` in local time. */
function daysBetween(a: Date, b: Date): number {
  const day = (d: Date) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate()) / DAY;
  return day(b) - day(a);
}

/**
 * A rough token count: four characters a token in Latin script, one and a half elsewhere (the rule of thumb that model
 * makers publish). Only for the context meter; charges never use it.
 */
export function estimateTokens(text: string): number {
  if (text.length > 50_000) return Math.ceil(text.length / 4);
  let wide = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x2e80) wide++;
  return Math.ceil((text.length - wide) / 4 + wide / 1.5);
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export const OWN_INSTRUCTIONS = 'Your own instructions';

/**
 * The label of a sent message's attachment: "client.ts:12–40", "client.ts, visible part", "Problems in client.ts".
 * Lines are counted from 1 here.
 */
export function attachmentLabel(a: Attachment): string {
  const name = a.path && fileName(a.path);
  if (a.visible) return `${name ?? 'File'}, visible part`;
  const lines = a.range ? `:${a.range.start + 1}${a.range.end > a.range.start ? `–${a.range.end + 1}` : ''}` : '';
  switch (a.kind) {
    case 'file':
    case 'selection':
      return name ? name + lines : a.kind === 'file' ? 'File' : 'Selection';
    case 'problems':
      return name ? `Problems in ${name}` : 'Problems';
    case 'diff':
      return 'Uncommitted changes';
    case 'found':
    case 'symbol':
      return a.name ?? (name ?? 'Code') + lines;
    case 'folder':
      return name ? `${name}/` : 'Folder';
    case 'commit':
      return a.path ?? 'Commit';
    case 'terminal':
      return a.path ?? 'Terminal output';
    case 'pasted':
      return a.path ? `Pasted text, ${a.path}` : 'Pasted text';
    case 'page':
      return a.path?.replace(/^https?:\/\//, '').replace(/\/$/, '') ?? 'Web page';
    case 'image':
      return name ?? 'Picture';
    case 'instructions':
      return name ?? OWN_INSTRUCTIONS;
    default:
      return a.kind satisfies never;
  }
}

export const KIND_ICONS = {
  instructions: 'book',
  file: 'file',
  selection: 'list-selection',
  problems: 'warning',
  diff: 'git-commit',
  found: 'search',
  folder: 'folder',
  symbol: 'symbol-method',
  commit: 'git-commit',
  terminal: 'terminal',
  pasted: 'clippy',
  page: 'globe',
  image: 'file-media',
} as const;

/** Kinds whose path leads to a file. */
export const isOfFile = ({ kind }: Pick<Attachment, 'kind'>): boolean =>
  kind === 'file' || kind === 'selection' || kind === 'found' || kind === 'symbol';

/** How many pictures the messages have. */
export const picturesIn = (messages: readonly Message[]): number =>
  messages.reduce((sum, { attachments = [] }) => sum + attachments.filter(({ kind }) => kind === 'image').length, 0);

/** A longer pasted text hides what was typed around it. */
const LONG = { lines: 60, characters: 4_000 };

/** Whether a pasted text becomes an attachment. */
export const isLong = (text: string): boolean =>
  text.length > LONG.characters || text.trimEnd().split(/\r\n|\n|\r/).length > LONG.lines;

/** Whether a message is worth sending: a lone "@" or "/" only opened a list. */
export const saysSomething = (text: string): boolean => /[^\s@/]/.test(text);
