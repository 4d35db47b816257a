import { MICRO_PER_CREDIT, REASONS } from '../../shared/constants.ts';
import type { Problem } from '../../shared/problems.ts';
import type { Charge, Ending } from './session.ts';

export type Button = 'Retry' | 'Keep what was written' | 'Show quota' | 'Sign in' | 'Open settings' | 'Review';

/** What to say at the end of an edit. `status`: in passing, in the status bar. */
export interface Message {
  severity: 'status' | 'info' | 'warning' | 'error';
  text: string;
  buttons: Button[];
}

/**
 * What an ending means to the user: what happened, what was kept, what was charged, and the way on. `where` names the
 * place ("lines 12–40 of client.ts"). `isGuest`: what is charged is told in messages.
 */
export function tellEnding(ending: Ending, where: string, isGuest: boolean): Message {
  const charge = tellCharge(ending, isGuest);
  const say = (severity: Message['severity'], buttons: Button[], ...sentences: string[]): Message => ({
    severity,
    text: sentences.filter((sentence) => sentence !== '').join(' '),
    buttons,
  });
  switch (ending.kind) {
    case 'review': {
      const hunks = `Perigee: ${count(ending.hunks, 'hunk')} to review`;
      if (!ending.cutShort)
        return say('status', [], charge ? `${hunks} · ${charge.replace(/^Charged |\.$/g, '')}` : hunks);
      return say('warning', [], `The answer for ${where} ended in the middle. What came is there for review.`, charge);
    }
    case 'noChange':
      return say('info', ['Retry'], `No change suggested for ${where}.`, charge);
    case 'empty':
      return say('warning', ['Retry'], `The model wrote nothing for ${where}; nothing was changed.`, charge);
    case 'words':
      return say(
        'warning',
        ['Retry'],
        `The model answered in words, so nothing was changed: “${shorten(ending.text)}”`,
        charge,
      );
    case 'stopped':
      if (ending.left > 0) return say('warning', [], `Stopped. ${tellLeft(ending.left)}`, charge);
      return say('info', ending.canKeep ? ['Keep what was written'] : [], 'Stopped; nothing changed.', charge);
    case 'touched':
      return say(
        'warning',
        ending.left > 0 ? [] : ['Retry'],
        `Perigee stopped, since you changed ${where} while it was writing there. What you typed is kept.`,
        ending.left > 0 ? tellLeft(ending.left) : 'Nothing of the edit was.',
        charge,
      );
    case 'failed': {
      const left = ending.left > 0 ? tellLeft(ending.left) : 'The file is as it was.';
      return say('error', waysOn(ending.problem), tellProblem(ending.problem), left, charge);
    }
    case 'undone':
      return say('status', [], 'Perigee: stopped, since you took the edit back');
    case 'readOnly':
      return say(
        'warning',
        [],
        `VS Code takes no changes for ${where}: the file is read-only. Nothing changed.`,
        charge,
      );
    case 'closed':
      return say('warning', [], `The file was closed while Perigee was writing ${where}, so it stopped.`, charge);
  }
}

/** What went wrong, as sentences. */
export function tellProblem({ title, detail }: Problem): string {
  return [`${title}.`, sentence(detail)].filter((part) => part !== '').join(' ');
}

/** What the user can do about it. */
export function waysOn({ title, code }: Problem): Button[] {
  const buttons: Button[] = ['Retry'];
  if (code === 'insufficient_credits') buttons.push('Show quota');
  if (code === 'unauthorized') buttons.push('Sign in');
  if (title === 'Wrong server address') buttons.push('Open settings');
  return buttons;
}

function tellLeft(left: number): string {
  return `${count(left, 'hunk')} that you changed ${left === 1 ? 'is' : 'are'} left for you to review.`;
}

/** "Not charged." with its cause, "Charged 0.42 credits.", for guests "Charged 1 message."; empty when it is not known. */
export function tellCharge({ chargedMicro, reason }: Charge, isGuest: boolean): string {
  if (reason) return REASONS[reason];
  if (chargedMicro === undefined) return '';
  if (chargedMicro === 0) return 'Not charged.';
  const credits = chargedMicro / MICRO_PER_CREDIT;
  const amount = credits < 0.005 ? '< 0.01' : new Intl.NumberFormat('en', { maximumFractionDigits: 2 }).format(credits);
  return `Charged ${amount} ${isGuest ? 'message' : 'credit'}${amount === '1' ? '' : 's'}.`;
}

/** "lines 12–40 of client.ts", counted from 1; `range` counts from 0, its end not included. */
export function tellPlace(range: { start: number; end: number }, name: string): string {
  const first = range.start + 1;
  const last = Math.max(first, range.end);
  return first === last ? `line ${first} of ${name}` : `lines ${first}–${last} of ${name}`;
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

const sentence = (text: string) => (text === '' || /[.!?…]$/.test(text) ? text : `${text}.`);

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 200 ? line : `${line.slice(0, 199).trimEnd()}…`;
}
