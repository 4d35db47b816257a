import type { OwnDecision } from '../../../shared/decisions.ts';
import { inCredits } from '../../../shared/money/amounts.ts';

// What an account's owner is told about a decision: in a notice, and by mail. Instants are as ISO 8601: each reader's
// program writes them as its reader does.

/** A notice is one line in the editor: the whole text stands on the page. */
const MAX_QUOTED = 300;

/** Ends a text that a person wrote with a full stop. */
const sentence = (text: string) =>
  /[.!?…]$/.test(text.trim()) || text.trim() === '' ? text.trim() : `${text.trim()}.`;

const quoted = (text: string) => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MAX_QUOTED ? `${line.slice(0, MAX_QUOTED).trimEnd()}…` : sentence(line);
};

/** What was decided, in a sentence. */
export function toldDecision({ kind, until, deletedAt, takenMicro }: OwnDecision, now: number): string {
  switch (kind) {
    case 'nothing':
      return 'A reviewer looked at your account, and nothing follows from it.';
    case 'ask':
      return 'A reviewer has a question about your account.';
    case 'warn':
      return 'Your account got a warning.';
    case 'reset':
      return takenMicro
        ? `${inCredits(takenMicro)} that you had been given were taken back.`
        : 'The credits that you had been given were to be taken back; none was free.';
    case 'referrals':
      return 'Your invitation link earns nothing any more, and nobody joins by it.';
    case 'suspend':
      if (until === null) return 'Your account is suspended until further notice.';
      return `Your account ${Date.parse(until) > now ? 'is' : 'was'} suspended until ${until}.`;
    case 'close':
      return deletedAt === null
        ? 'Your account was closed.'
        : `Your account is closed, and is deleted for good on ${deletedAt} unless an appeal is open then.`;
    default:
      return kind satisfies never;
  }
}

/** Another decision that does the same to the account at `now`, and that no appeal has reversed. */
function stillBy(decision: OwnDecision, all: readonly OwnDecision[], now: number): OwnDecision | undefined {
  const isSuspension = ({ kind }: OwnDecision) => kind === 'suspend' || kind === 'close';
  return all.find((other) => {
    if (other.id === decision.id || other.appeal?.outcome === 'reversed') return false;
    if (!isSuspension(decision)) return decision.kind === 'referrals' && other.kind === 'referrals';
    return isSuspension(other) && (other.until === null || Date.parse(other.until) > now);
  });
}

/** What a won appeal gives back, in sentences. */
function undone(decision: OwnDecision, all: readonly OwnDecision[], now: number): string {
  const { kind, takenMicro } = decision;
  const still = stillBy(decision, all, now);
  if (still) return `It counts no more, but the decision in case ${still.case} still does.`;
  switch (kind) {
    case 'reset':
      return takenMicro ? `${inCredits(takenMicro)} are back in your account.` : 'It counts no more.';
    case 'referrals':
      return 'Your invitation link works again.';
    case 'suspend':
      return 'The suspension has ended.';
    case 'close':
      return 'Your account is open again, and is not deleted. If you had a plan, let it renew again on your account page.';
    default:
      return 'It counts no more.';
  }
}

/** How an appeal was decided, in sentences. `all`: every decision about the account. */
export function toldAppeal(decision: OwnDecision, all: readonly OwnDecision[], now: number): string {
  const { case: number, appeal } = decision;
  const by = appeal?.heardBy === 'operator' ? 'the operator' : 'another reviewer';
  return appeal?.outcome === 'reversed'
    ? `Your appeal was right, and we are sorry: ${by} has reversed the decision in case ${number}. ${undone(decision, all, now)}`
    : `Your appeal in case ${number} was heard by ${by}: the decision stands.`;
}

/** How to go on from a decision; `page` is its address, or its name. */
export function wayOn({ kind, answer, mayAppealUntil }: OwnDecision, page: string): string {
  if (kind === 'ask') return answer === null ? `Answer it on ${page}.` : '';
  return mayAppealUntil === null ? '' : `You can appeal until ${mayAppealUntil}, on ${page}.`;
}

/** A decision as a notice. The reason of a suspension is in the notice about that. */
export function decisionText(decision: OwnDecision, now: number): string {
  const isTold = decision.kind === 'suspend' || decision.kind === 'close';
  const parts = [toldDecision(decision, now), isTold ? '' : quoted(decision.why), wayOn(decision, 'your account page')];
  return parts.filter((part) => part !== '').join(' ');
}

/** A decided appeal as a notice. */
export const appealText = (decision: OwnDecision, all: readonly OwnDecision[], now: number): string =>
  `${toldAppeal(decision, all, now)} ${quoted(decision.appeal?.why ?? '')}`;

interface Mailed {
  subject: string;
  text: string;
}

/** A decision as a mail: what, why, by which rule, and how to appeal. */
export function decisionMail(decision: OwnDecision, page: string, now: number): Mailed {
  const { kind, case: number, why, rule } = decision;
  const isOver = decision.until !== null && Date.parse(decision.until) <= now;
  const subject = kind === 'ask' ? 'A question about your Perigee account' : 'A decision about your Perigee account';
  const body = [
    toldDecision(decision, now),
    `${kind === 'ask' ? 'The question' : 'Why'}: ${sentence(why)}`,
    kind === 'ask' ? '' : `The rule: ${rule}`,
    wayOn(decision, page),
    isOver ? 'It is over: you get answers again.' : '',
    !isOver && (kind === 'suspend' || kind === 'close')
      ? `While it lasts nothing is answered. Your data can be read, exported and deleted at ${page}.`
      : '',
    kind === 'suspend' && !isOver ? 'A plan that you pay for goes on renewing, unless you cancel it there.' : '',
    kind === 'close' ? 'A plan that you pay for does not renew.' : '',
    `This is case ${number}. A person has decided this, not a program.`,
  ];
  return { subject, text: `${body.filter((part) => part !== '').join('\n\n')}\n` };
}

/** A decided appeal as a mail. */
export function appealMail(decision: OwnDecision, all: readonly OwnDecision[], page: string, now: number): Mailed {
  const why = `Why: ${sentence(decision.appeal?.why ?? '')}`;
  const body = [toldAppeal(decision, all, now), why, `All of it stands at ${page}.`];
  return { subject: 'Your appeal at Perigee was decided', text: `${body.join('\n\n')}\n` };
}
