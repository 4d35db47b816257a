import type { Problem, ProblemCode } from '../../../../shared/problems.ts';
import { count, withTimes } from '../format.ts';

/**
 * A problem in words for the user. If the server wrote a detail for this case, that is shown. `hasBegun`: the answer
 * already had some text.
 */
export function problemSentence(problem: Problem, hasBegun = false): string {
  const isVague = problem.code === 'upstream_busy' && !problem.retryAt;
  const text = isVague
    ? 'The model service is busy and does not say for how long. Try again in a minute.'
    : (((!hasBegun && BEFORE[problem.code]) || WORDS[problem.code]) ?? withTimes(problem.detail || problem.title));
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What signing in brings, for users who have not signed in. */
export function signInFor(credits: number): string {
  return credits > 0 ? `Sign in for ${count(credits)} credits` : 'Sign in';
}

/** For an answer without any text yet. */
const BEFORE: Partial<Record<ProblemCode, string>> = {
  upstream_failed: 'The model service failed before it wrote anything.',
  internal: 'The server made a mistake before the answer began.',
};

// Only codes for which our text is better than the server's detail, which is written for every client.
const WORDS: Partial<Record<ProblemCode, string>> = {
  upstream_failed: 'The model service stopped answering.',
  upstream_malformed: 'The model service sent something unreadable.',
  upstream_unreachable: 'The model service cannot be reached.',
  upstream_timeout: 'The model service did not answer in time.',
  upstream_busy: 'The model service is busy.',
  shutting_down: 'The server is restarting.',
  conversation_busy: 'This conversation is answering elsewhere.',
  internal: 'The server made a mistake.',
};
