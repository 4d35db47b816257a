import type { ProblemCode } from '../../../../shared/problems.ts';
import type { Connection } from '../../protocol.ts';
import { runningAnswer } from './conversation.ts';
import type { ChatState, Notice, Refusal } from './state.ts';

/** The parts of the state that are out of date: no message outlives its cause. */
export function outdated(before: ChatState, now: ChatState): Partial<ChatState> {
  const { notice, refusal, hint } = now;
  return {
    ...(notice && notice === before.notice && isOver(notice, before, now) && { notice: null }),
    ...(refusal && refusal === before.refusal && isMended(before, now) && { refusal: null }),
    ...(hint?.whileAnswering && hint === before.hint && isAnswered(before, now) && { hint: null }),
  };
}

function isOver({ chatId, action, of }: Notice, before: ChatState, now: ChatState): boolean {
  if (before.conversation?.sight !== now.conversation?.sight && before.conversation) {
    return chatId === undefined || chatId === now.conversation?.chatId;
  }
  const [was, is] = [before.surroundings, now.surroundings];
  if (was === is || !is) return false;
  switch (action?.command) {
    case 'reconnect':
    case 'openSettings':
      return isFoundAgain(was?.connection, is.connection);
    case 'signIn':
    case 'openAccount':
    case 'openDecisions':
    case 'acceptTerms':
      return is.connection.state === 'ok' && JSON.stringify(was?.account) !== JSON.stringify(is.account);
  }
  // A successful attachment clears the message about a failed one.
  return isAttaching(of) && attachedTo(is) > (was ? attachedTo(was) : 0);
}

/** Whether the banner about the connection already explains why a message was not sent. */
export function isToldByConnection({ problem }: Refusal, connection: Connection | undefined): boolean {
  switch (connection?.state) {
    case 'offline':
    case 'wrongServer':
      return problem.status === 0 && LOST.includes(problem.code);
    case 'signedOut':
      return SIGNED_OUT.includes(problem.code);
    default:
      return false;
  }
}

/** Whether the cause that kept a message from being sent is gone. */
function isMended(before: ChatState, now: ChatState): boolean {
  const { problem } = now.refusal!;
  if (problem.code === 'conversation_busy') return isAnswered(before, now);
  const [was, is] = [before.surroundings, now.surroundings];
  if (!was || !is || was === is) return false;
  if (problem.status === 0 && LOST.includes(problem.code)) return isFoundAgain(was.connection, is.connection);
  const [had, has] = [was.account, is.account];
  if (SIGNED_OUT.includes(problem.code)) return has !== null && had?.id !== has.id;
  switch (problem.code) {
    case 'terms_changed':
      return had?.termsDue !== undefined && has?.termsDue === undefined;
    case 'suspended':
      return had?.suspended !== undefined && has?.suspended === undefined;
    case 'no_vision':
      return is.models.find(({ id }) => id === is.modelId)?.vision === true;
    case 'account_closing':
      return had?.closing !== undefined && has?.closing === undefined;
    case 'insufficient_credits': {
      const [left, now] = [was.balance?.availableMicro ?? 0, is.balance?.availableMicro ?? 0];
      return had?.id !== has?.id || (now > left && now >= (problem.neededMicro ?? 1));
    }
    default:
      return false;
  }
}

/** With status 0: the server can't be reached, or another service answers. */
const LOST: ProblemCode[] = ['unavailable', 'wrong_host'];
const SIGNED_OUT: ProblemCode[] = ['unauthorized', 'members_only', 'guests_disabled', 'too_many_guests'];

const isFoundAgain = (was: Connection | undefined, is: Connection) => is.state === 'ok' && was?.state !== 'ok';

const isAnswered = (before: ChatState, now: ChatState) =>
  runningAnswer(before.conversation) !== undefined && runningAnswer(now.conversation) === undefined;

const ATTACHING: Notice['of'][] = [
  ...(['attach', 'attachMention', 'attachText', 'attachPasted', 'attachPicture', 'attachFiles', 'slash'] as const),
];
export const isAttaching = (of: Notice['of']) => of !== undefined && ATTACHING.includes(of);

const attachedTo = ({ chips, edited }: NonNullable<ChatState['surroundings']>) =>
  chips.length + (edited?.chips.length ?? 0);
