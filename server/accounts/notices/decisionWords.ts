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
export function toldDecision({ kind, until, deletedAt, takenMicro }: OwnDecision): string {
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
        : 'The credits that you had been given were to be taken back; none was left.';
    case 'referrals':
      return 'Your invitation link earns nothing any more, and nobody joins by it.';
    case 'suspend':
      return `Your account is suspended ${until === null ? 'until further notice' : `until ${until}`}.`;
    case 'close':
      return deletedAt === null
        ? 'Your account was closed.'
        : `Your account is closed, and is deleted for good on ${deletedAt} unless an appeal is open then.`;
    default:
      return kind satisfies never;
  }
}

/** What a won appeal gives back, in a sentence. */
function undone({ kind, takenMicro }: OwnDecision): string {
  switch (kind) {
    case 'reset':
      return `${inCredits(takenMicro ?? 0)} are back in your account.`;
    case 'referrals':
      return 'Your invitation link works again.';
    case 'suspend':
      return 'The suspension has ended.';
    case 'close':
      return 'Your account is open again, and is not deleted.';
    default:
      return 'It counts no more.';
  }
}

/** How an appeal was decided, in sentences. */
export function toldAppeal(decision: OwnDecision): string {
  const { case: number, appeal } = decision;
  const by = appeal?.heardBy === 'operator' ? 'the operator' : 'another reviewer';
  return appeal?.outcome === 'reversed'
    ? `Your appeal was right, and we are sorry: ${by} has reversed the decision in case ${number}. ${undone(decision)}`
    : `Your appeal in case ${number} was heard by ${by}: the decision stands.`;
}

/** How to go on from a decision; `page` is its address, or its name. */
export function wayOn({ kind, answer, mayAppealUntil }: OwnDecision, page: string): string {
  if (kind === 'ask') return answer === null ? `Answer it on ${page}.` : '';
  return mayAppealUntil === null
    ? ''
    : `You can appeal until ${mayAppealUntil}, on ${page}: somebody else decides that.`;
}

/** A decision as a notice. The reason of a suspension is in the notice about that. */
export function decisionText(decision: OwnDecision): string {
  const isTold = decision.kind === 'suspend' || decision.kind === 'close';
  const parts = [toldDecision(decision), isTold ? '' : quoted(decision.why), wayOn(decision, 'your account page')];
  return parts.filter((part) => part !== '').join(' ');
}

/** A decided appeal as a notice. */
export const appealText = (decision: OwnDecision): string =>
  `${toldAppeal(decision)} ${quoted(decision.appeal?.why ?? '')}`;

/** A decision as a mail: what, why, by which rule, and how to appeal. */
export function decisionMail(decision: OwnDecision, page: string): { subject: string; text: string } {
  const { kind, case: number, why, rule } = decision;
  const subject = kind === 'ask' ? 'A question about your Perigee account' : 'A decision about your Perigee account';
  const body = [
    toldDecision(decision),
    `${kind === 'ask' ? 'The question' : 'Why'}: ${sentence(why)}`,
    kind === 'ask' ? '' : `The rule: ${rule}`,
    wayOn(decision, page),
    kind === 'suspend' || kind === 'close'
      ? `Until then nothing is answered. Your data can be read, exported and deleted at ${page}.`
      : '',
    `This is case ${number}. A person has decided this, not a program.`,
  ];
  return { subject, text: `${body.filter((part) => part !== '').join('\n\n')}\n` };
}

/** A decided appeal as a mail. */
export function appealMail(decision: OwnDecision, page: string): { subject: string; text: string } {
  const body = [toldAppeal(decision), `Why: ${sentence(decision.appeal?.why ?? '')}`, `All of it stands at ${page}.`];
  return { subject: 'Your appeal at Perigee was decided', text: `${body.join('\n\n')}\n` };
}
