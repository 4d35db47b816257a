import type { Problem } from '../../shared/problems.ts';
import { BackendError, localProblem } from '../platform/server/backendError.ts';
import { ActionRefused } from './actions.ts';
import { CommandRefused } from './commands/slashCommands.ts';
import { AttachmentRefused } from './context/attachments.ts';
import type { FromHost } from './protocol.ts';

type Notice = Extract<FromHost, { type: 'notice' }>;
type NotSent = Extract<FromHost, { type: 'notSent' }>;

/** A failure as a line in the view, with a next step if there is one. Without a next step, it is only a note. */
export function noticeOf(error: unknown): Notice {
  if (error instanceof AttachmentRefused || error instanceof ActionRefused) {
    return { type: 'notice', level: 'info', text: error.message };
  }
  const { problem, kind } = BackendError.from(error);
  return {
    type: 'notice',
    level: 'error',
    text: `${problem.title}. ${problem.detail}`,
    action: wayOn(kind, problem.code),
  };
}

function wayOn(kind: BackendError['kind'], code: Problem['code']): Notice['action'] {
  switch (code) {
    case 'unauthorized':
    case 'members_only':
      return { label: 'Sign in', command: 'signIn' };
    case 'terms_changed':
      return { label: 'Read and accept', command: 'acceptTerms' };
    case 'suspended':
      return { label: 'Why, and how to appeal', command: 'openDecisions' };
    case 'account_closing':
      return { label: 'Account page', command: 'openAccount' };
  }
  if (kind === 'wrongServer') return { label: 'Settings', command: 'openSettings' };
  return kind === 'offline' ? { label: 'Try again', command: 'reconnect' } : undefined;
}

/** Why a message was not sent. */
export function refusalOf(error: unknown): Problem {
  if (!(error instanceof AttachmentRefused)) return BackendError.from(error).problem;
  const title = error instanceof CommandRefused ? 'The command could not run' : 'An attachment could not be sent';
  return localProblem(title, `${error.message} Nothing was sent.`, 'invalid_request');
}

/** The answer to a malformed message that expects an answer; undefined if it expects none. */
export function answerToUnfit(raw: unknown): NotSent | undefined {
  const { type, requestId } = (raw ?? {}) as { type?: unknown; requestId?: unknown };
  if ((type !== 'send' && type !== 'findSent') || typeof requestId !== 'string') return undefined;
  const detail = 'The message does not fit: it is too long, or has too many attachments.';
  const problem = localProblem('Not sent', detail, 'payload_too_large');
  return { type: 'notSent', requestId: requestId.slice(0, 100), problem };
}
