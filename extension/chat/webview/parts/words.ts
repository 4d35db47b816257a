import type { Problem, ProblemCode } from '../../../../shared/problems.ts';
import { count } from '../format.ts';

/**
 * What went wrong, in a user's words. Where the server wrote a detail for the case, that is said. `hasBegun`: an answer that
 * had some text already.
 */
export function problemSentence(problem: Problem, hasBegun = false): string {
  const isVague = problem.code === 'upstream_busy' && !problem.retryAt;
  const text = isVague
    ? 'The model service is busy and does not say for how long. Try again in a minute.'
    : (((!hasBegun && BEFORE[problem.code]) || WORDS[problem.code]) ?? (problem.detail || problem.title));
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What signing in brings, for those who have not yet. */
export function signInFor(credits: number): string {
  return credits > 0 ? `Sign in for ${count(credits)} credits` : 'Sign in';
}

/** Of an answer that had not begun. */
const BEFORE: Partial<Record<ProblemCode, string>> = {
  upstream_failed: 'The model service failed before it wrote anything.',
  internal: 'The server made a mistake before the answer began.',
};

// Only where our own words say it better than the server's detail, which is written for every client.
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
