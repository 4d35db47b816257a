import { MICRO_PER_CREDIT, NOT_REFUNDED, REASONS, REFUND_CLASSES } from '../../../shared/constants.ts';
import type { Problem } from '../../../shared/problems.ts';
import type { Refusal } from '../engine/edits.ts';
import type { Charge } from '../runs/answerRun.ts';
import { tellRefusal } from './refusalWords.ts';

/** How the writing ended. Except for `review`, the document has its earlier text, but for hunks counted in `left`. */
export type Ending = Charge & {
  /** The answer of a files edit reached its length limit: more changes may be missing. */
  mayMiss?: boolean;
} /** `missed`: changes that were not written, because the user changed their lines meanwhile. */ & (
    | { kind: 'review'; hunks: number; cutShort: boolean; missed?: Missed[] }
    /** Of the answer's `of` changes, those in `missed` have no place in the file, so none was made. */
    | { kind: 'unplaced'; missed: Missed[]; of: number; left: number; repairProblem?: Problem }
    /** The answer is about other files too, so it is now in the list of proposals. */
    | { kind: 'handedOver'; files: number }
    | { kind: 'noChange' }
    /** The model answered in prose. */
    | { kind: 'words'; text: string }
    | { kind: 'empty' }
    | { kind: 'stopped'; canKeep: boolean; left: number }
    | { kind: 'failed'; problem: Problem; left: number }
    /** The user changed the lines while they were being written. */
    | { kind: 'touched'; left: number }
    /** The user undid it while it was being written. */
    | { kind: 'undone' }
    | { kind: 'readOnly' }
    | { kind: 'closed' }
  );

/** A change that was not made, and its file. */
export interface Missed {
  path: string;
  refusal: Refusal;
}

export type Button = 'Retry' | 'Keep what was written' | 'Show details' | 'Show quota' | 'Sign in' | 'Open settings';

/** The final message of an edit. `status`: shown only briefly, in the status bar. */
export interface Message<B extends string = Button> {
  severity: 'status' | 'info' | 'warning' | 'error';
  text: string;
  buttons: B[];
}

/**
 * The message for an ending: what happened, what was kept, what was charged, and the next step. `where` names the place
 * ("lines 12–40 of client.ts"). `isGuest`: the charge is counted in messages.
 */
export function tellEnding(ending: Ending, where: string, isGuest: boolean): Message {
  const charge = tellCharge(ending, isGuest);
  const say = (severity: Message['severity'], buttons: Button[], ...sentences: string[]): Message => ({
    severity,
    text: sentences.filter((sentence) => sentence !== '').join(' '),
    buttons,
  });
  const limit = ending.mayMiss ? 'The answer ended at its length limit; more changes may be missing.' : '';
  switch (ending.kind) {
    case 'review': {
      const { missed = [], cutShort } = ending;
      if (cutShort)
        return say('warning', [], `The answer for ${where} ended in the middle. Review the part that came.`, charge);
      if (missed[0]) {
        const were = missed.length === 1 ? 'change was' : 'changes were';
        const words = `${missed.length} ${were} not written. ${tellMissed(missed[0])}`;
        const ways: Button[] = limit ? ['Retry', 'Show details'] : ['Show details'];
        return say('warning', ways, limit, words, 'The others are there for review.', charge);
      }
      if (limit) return say('warning', ['Retry'], limit, charge);
      // The open review itself shows how much there is to review.
      return say('status', [], charge ? `Perigee: ${charge.charAt(0).toLowerCase()}${charge.slice(1, -1)}` : '');
    }
    case 'unplaced': {
      const { missed, of, left, repairProblem } = ending;
      const many = of > 1 ? `${missed.length} of ${of} changes` : 'The change';
      const words = `${many} for ${where} could not be placed, so nothing was changed.`;
      const why = missed[0] ? tellMissed(missed[0]) : '';
      const again = repairProblem ? `It could not be asked for again: ${tellProblem(repairProblem)}` : '';
      return say(
        'warning',
        ['Retry', 'Show details'],
        limit,
        words,
        why,
        again,
        left > 0 ? tellLeft(left) : '',
        charge,
      );
    }
    case 'handedOver':
      if (limit) return say('warning', ['Retry'], limit, charge);
      return say('status', [], `Perigee proposes changes of ${count(ending.files, 'file')}`);
    case 'noChange':
      return say('info', ['Retry'], limit, `No change suggested for ${where}.`, charge);
    case 'empty':
      return say('warning', ['Retry'], `The model wrote nothing for ${where}. Nothing was changed.`, charge);
    case 'words':
      return say(
        'warning',
        ['Retry'],
        limit,
        `The model answered in words, so nothing was changed: “${shorten(ending.text)}”`,
        charge,
      );
    case 'stopped':
      if (ending.left > 0) return say('warning', [], `Stopped. ${tellLeft(ending.left)}`, charge);
      return say('info', ending.canKeep ? ['Keep what was written'] : [], 'Stopped. Nothing was changed.', charge);
    case 'touched':
      return say(
        'warning',
        ending.left > 0 ? [] : ['Retry'],
        `Perigee stopped because you changed ${where} while it was writing there. Your text is kept.`,
        ending.left > 0 ? tellLeft(ending.left) : 'The edit is not.',
        charge,
      );
    case 'failed': {
      const left = ending.left > 0 ? tellLeft(ending.left) : 'The file is as it was.';
      return say('error', waysOn(ending.problem, isGuest), tellProblem(ending.problem), left, charge);
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

/** A problem as sentences. */
export function tellProblem({ title, detail }: Problem): string {
  return [`${title}.`, sentence(detail)].filter((part) => part !== '').join(' ');
}

/** The buttons that the user can choose from. The details are on the account page, which guests don't have. */
export function waysOn({ title, code, requestId }: Problem, isGuest: boolean): Button[] {
  const buttons: Button[] = ['Retry'];
  if (requestId && !isGuest) buttons.push('Show details');
  if (code === 'insufficient_credits') buttons.push('Show quota');
  if (code === 'unauthorized') buttons.push('Sign in');
  if (title === 'Wrong server address') buttons.push('Open settings');
  return buttons;
}

const tellMissed = ({ path, refusal }: Missed) => tellRefusal(path.slice(path.lastIndexOf('/') + 1), refusal);

function tellLeft(left: number): string {
  return `${count(left, 'hunk')} that you changed ${left === 1 ? 'is' : 'are'} left for you to review.`;
}

/**
 * "Charged 0.42 credits.", for guests "Charged 1 message."; empty if unknown. It follows a sentence about the ending,
 * so it does not repeat why nothing was charged.
 */
export function tellCharge(charge: Charge, isGuest: boolean): string {
  const { chargedMicro, refundedMicro = 0, notRefunded, reason } = charge;
  if (refundedMicro > 0 && chargedMicro === 0) return 'Not charged: nothing could be applied.';
  if (reason) return REFUND_CLASSES[reason].charged === 'nothing' ? 'Not charged.' : REASONS[reason];
  if (chargedMicro === undefined) return '';
  if (chargedMicro === 0) return 'Not charged.';
  const amount = tellAmount(chargedMicro, isGuest);
  return notRefunded === 'late' || notRefunded === 'daily_limit' ? `${NOT_REFUNDED[notRefunded]} ${amount}` : amount;
}

function tellAmount(chargedMicro: number, isGuest: boolean): string {
  const credits = chargedMicro / MICRO_PER_CREDIT;
  const amount = credits < 0.005 ? '< 0.01' : new Intl.NumberFormat('en', { maximumFractionDigits: 2 }).format(credits);
  return `Charged ${amount} ${isGuest ? 'message' : 'credit'}${amount === '1' ? '' : 's'}.`;
}

/** The message during a repair request. */
export function tellAskingAgain(refused: number, of: number): string {
  return `${of === 1 ? 'The change' : `${refused} of ${of} changes`} did not fit; asking once more`;
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

const sentence = (text: string) => (text === '' || /[.!?…]$/.test(text) ? text : `${text}.`);

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 200 ? line : `${line.slice(0, 199).trimEnd()}…`;
}
