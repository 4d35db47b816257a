import type { Problem, ProblemCode } from '../../../../shared/problems.ts';
import { count } from '../format.ts';

/** What went wrong, in a user's words. Where the server wrote a detail for the case, that is said. */
export function problemSentence(problem: Problem): string {
  const text = WORDS[problem.code] ?? (problem.detail || problem.title);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What signing in brings, for those who have not yet. */
export function signInFor(credits: number): string {
  return credits > 0 ? `Sign in for ${count(credits)} credits` : 'Sign in';
}

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
