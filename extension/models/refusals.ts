import * as vscode from 'vscode';
import type { ProblemCode } from '../../shared/problems.ts';
import { BackendError, localProblem } from '../platform/server/backendError.ts';
import { LANGUAGE_MODELS } from '../platform/settings.ts';
import { AnswerRefused } from './answer.ts';
import { PartRefused } from './request.ts';

type Way = vscode.MessageItem & { command: [string, ...string[]] };

const SIGN_IN: Way = { title: 'Sign In', command: ['perigee.signIn'] };
const DETAILS: Way = { title: 'Details', command: ['perigee.showQuota'] };
const SETTINGS: Way = { title: 'Change the Cap', command: ['workbench.action.openSettings', LANGUAGE_MODELS] };

/** What only the user can change, and how. */
const WAYS: Partial<Record<ProblemCode, Way[]>> = {
  unauthorized: [SIGN_IN],
  daily_cap_reached: [SETTINGS, DETAILS],
  insufficient_credits: [DETAILS, { title: 'Account Page', command: ['perigee.openAccount', 'credits'] }],
  terms_changed: [{ title: 'Read and Accept', command: ['perigee.acceptTerms'] }],
  suspended: [{ title: 'Account Page', command: ['perigee.openAccount', 'decisions'] }],
  account_closing: [{ title: 'Account Page', command: ['perigee.openAccount'] }],
};

const NOT_ALLOWED: readonly ProblemCode[] = [
  ...(['unauthorized', 'members_only', 'terms_changed', 'suspended', 'account_closing', 'guests_disabled'] as const),
];
const BLOCKED: readonly ProblemCode[] = [
  ...(['daily_cap_reached', 'insufficient_credits', 'rate_limited', 'too_many_attempts'] as const),
];

/** An extension that asks in a loop must not fill the screen. */
const QUIET_MS = 10 * 60_000;

export const signedOut = () =>
  new BackendError('refused', localProblem('Not signed in', 'Sign in to Perigee, and ask again.', 'unauthorized'));

/** Refusals in the words of the editor's API, and told to the user where only the user can help. */
export class Refusals {
  private readonly told = new Map<ProblemCode, number>();

  /** The error for the extension that asked. */
  tell(error: unknown): Error {
    if (error instanceof vscode.LanguageModelError) return error;
    if (error instanceof PartRefused) return new vscode.LanguageModelError(error.message);
    if (error instanceof AnswerRefused) return vscode.LanguageModelError.Blocked(error.message);
    const { problem } = BackendError.from(error);
    const words = `${problem.title}. ${problem.detail}`;
    this.show(problem.code, words);
    if (NOT_ALLOWED.includes(problem.code)) return vscode.LanguageModelError.NoPermissions(words);
    if (BLOCKED.includes(problem.code)) return vscode.LanguageModelError.Blocked(words);
    if (problem.code === 'model_unknown') return vscode.LanguageModelError.NotFound(words);
    return new vscode.LanguageModelError(words);
  }

  private show(code: ProblemCode, words: string): void {
    const ways = WAYS[code];
    const now = Date.now();
    if (!ways || now - (this.told.get(code) ?? 0) < QUIET_MS) return;
    this.told.set(code, now);
    void vscode.window.showWarningMessage(`Perigee: ${words}`, ...ways).then((choice) => {
      if (choice) void vscode.commands.executeCommand(...choice.command);
    });
  }
}
