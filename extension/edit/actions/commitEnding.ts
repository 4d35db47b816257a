import type { Problem } from '../../../shared/problems.ts';
import type { Charge } from '../runs/answerRun.ts';
import { type Button, type Message, tellCharge, tellProblem, waysOn } from '../words/messages.ts';

/** How the writing of a commit message ended. Except for `written` and `touched`, the box has its earlier text. */
export type CommitEnding = Charge &
  (
    | { kind: 'written'; hadStart: boolean }
    /** The model returned the text that the author had typed. */
    | { kind: 'same' }
    | { kind: 'empty' }
    | { kind: 'stopped' }
    /** Something else changed the box: the author, or git after a commit. */
    | { kind: 'touched' }
    | { kind: 'failed'; problem: Problem }
  );

export type CommitButton = Button | 'Restore what stood there';

/** The final message: what happened, what was charged, and the next step. */
export function tellCommitEnding(ending: CommitEnding, isGuest: boolean): Message<CommitButton> {
  const charge = tellCharge(ending, isGuest);
  const say = (severity: Message['severity'], text: string, ...buttons: CommitButton[]): Message<CommitButton> => ({
    severity,
    text: [text, charge].filter((part) => part !== '').join(' '),
    buttons,
  });
  switch (ending.kind) {
    case 'written': {
      if (ending.hadStart) return say('info', 'The commit message is written.', 'Restore what stood there');
      const passing = charge.replace(/^Charged |\.$/g, '');
      return {
        severity: 'status',
        text: ['Perigee: commit message written', passing].filter((part) => part !== '').join(' · '),
        buttons: [],
      };
    }
    case 'same':
      return say('info', 'The model suggests no other commit message.');
    case 'empty':
      return say('warning', 'The model wrote no commit message; nothing was changed.', 'Retry');
    case 'stopped':
      return say('info', 'Stopped; the commit message is as it was.');
    case 'touched':
      return say(
        'warning',
        'Perigee stopped because the commit message was changed meanwhile. The message stays as it is now.',
      );
    case 'failed':
      return say(
        'error',
        `${tellProblem(ending.problem)} The commit message is as it was.`,
        ...waysOn(ending.problem, isGuest),
      );
  }
}
