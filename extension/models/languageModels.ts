import * as vscode from 'vscode';
import type { Model } from '../../shared/models.ts';
import { inCredits } from '../../shared/money/amounts.ts';
import type { Session } from '../account/session/session.ts';
import type { Backend } from '../backend.ts';
import type { Log } from '../platform/log.ts';
import { BackendError } from '../platform/server/backendError.ts';
import { languageModels } from '../platform/settings.ts';
import { Answer } from './answer.ts';
import { Consent } from './consent.ts';
import { Refusals, signedOut } from './refusals.ts';
import { requestOf, ThinkingPart, tokensOf } from './request.ts';

/** What `vscode.lm` may say of the extension that asks. It is no part of the stable API, so it may be missing. */
type AskedBy = { requestInitiator?: unknown };

/** Answers VS Code's own chat and other extensions by the account, over `/v1/chat/completions`. */
export class LanguageModels {
  private last: { accountId: string; models: vscode.LanguageModelChatInformation[] } | undefined;
  private readonly refusals = new Refusals();
  private readonly consent = new Consent();

  constructor(
    private readonly session: Session,
    private readonly backend: Backend,
    private readonly log: Log,
  ) {}

  /**
   * The account's models; none while nobody is signed in. Unless `silent`, asks for that, and whether others may use them.
   * They are listed even if not: `@perigee` has no answer in an editor without any model.
   */
  async list(silent: boolean): Promise<vscode.LanguageModelChatInformation[]> {
    if (!this.session.account && (silent || !(await this.askToSignIn()))) return [];
    if (!silent && !languageModels().enabled) await this.consent.ask();
    const accountId = this.session.account?.id ?? '';
    try {
      const { models, capsCalls } = await this.session.call((who) => this.backend.models(who));
      // Without the cap, an extension could spend all.
      if (!capsCalls) this.log.warn('This server is too old to cap what other extensions spend: they get no models.');
      this.last = { accountId, models: capsCalls ? models.map(infoOf) : [] };
    } catch (error) {
      this.log.warn(`The models for other extensions could not be read: ${BackendError.from(error).message}`);
    }
    return this.last?.accountId === accountId ? this.last.models : [];
  }

  async count(given: string | vscode.LanguageModelChatRequestMessage): Promise<number> {
    return tokensOf(given);
  }

  /** Rejects with a `vscode.LanguageModelError`, and tells the user of what needs them. */
  async answer(
    model: vscode.LanguageModelChatInformation,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const stop = new AbortController();
    const stopping = token.onCancellationRequested(() => stop.abort(new vscode.CancellationError()));
    if (token.isCancellationRequested) stop.abort(new vscode.CancellationError());
    try {
      // A call would make a guest, and no extension may do that for the user.
      if (!this.session.account) throw signedOut();
      const { enabled, dailyCapMicro } = languageModels();
      if (!enabled) throw this.consent.refuse(askerOf(options));
      refuseTooLong(model, messages);
      const request = requestOf(model.id, messages, options);
      const extension = askerOf(options);
      const answer = new Answer({
        text: (text) => progress.report(new vscode.LanguageModelTextPart(text)),
        thought: (text) => ThinkingPart && progress.report(new ThinkingPart(text)),
      });
      await this.session.call(async (who) => {
        const chunks = this.backend.completion(who, request, { extension, dailyCapMicro }, stop.signal);
        for await (const chunk of chunks) answer.take(chunk);
      });
      for (const { id, name, input } of answer.end())
        progress.report(new vscode.LanguageModelToolCallPart(id, name, input));
    } catch (error) {
      if (stop.signal.aborted) throw stop.signal.reason;
      throw this.refusals.tell(error);
    } finally {
      stopping.dispose();
    }
  }

  private async askToSignIn(): Promise<boolean> {
    const [signIn, guest] = ['Sign In', 'Continue as a Guest'];
    const choice = await vscode.window.showInformationMessage(
      'Sign in to Perigee to use its models here.',
      { modal: true },
      signIn,
      guest,
    );
    if (choice === signIn) await vscode.commands.executeCommand('perigee.signIn');
    if (choice === guest) await vscode.commands.executeCommand('perigee.continueAsGuest');
    return this.session.account !== null;
  }
}

/** The id of the extension that asks; empty if the editor does not say it. */
function askerOf(options: object): string {
  const { requestInitiator: id } = options as AskedBy;
  return typeof id === 'string' ? id.replace(/[^\w.-]/g, '').slice(0, 100) : '';
}

/** `vision` and the like: what a newer server says of its models. */
type MoreOfModel = { vision?: unknown };

function infoOf(model: Model): vscode.LanguageModelChatInformation {
  const { id, name, contextTokens, maxOutputTokens, price } = model;
  const perAnswer = price.mode === 'flat' ? `${inCredits(price.runMicro)} an answer` : perMillion(price);
  return {
    id,
    name,
    family: id,
    version: '1',
    detail: 'Perigee',
    tooltip: `By your Perigee account: ${perAnswer}.`,
    maxInputTokens: Math.max(1, contextTokens - maxOutputTokens),
    maxOutputTokens,
    // VS Code's "Agent" lists no others. The demo model answers without calling any.
    capabilities: { toolCalling: true, imageInput: (model as MoreOfModel).vision === true },
  };
}

const perMillion = ({ inputMicro, outputMicro }: { inputMicro: number; outputMicro: number }) =>
  `${inCredits(inputMicro)} for a million tokens read, ${inCredits(outputMicro)} written`;

/** The server refuses it as well, but a loop of such requests would first have to be sent. */
function refuseTooLong(
  { name, maxInputTokens, maxOutputTokens }: vscode.LanguageModelChatInformation,
  messages: readonly vscode.LanguageModelChatRequestMessage[],
): void {
  const tokens = messages.reduce((sum, message) => sum + tokensOf(message), 0);
  const most = maxInputTokens + maxOutputTokens;
  if (tokens <= most) return;
  throw new vscode.LanguageModelError(
    `This request is about ${tokens} tokens, and ${name} reads ${most} at most. Nothing was sent or charged. Send less.`,
  );
}
