import * as vscode from 'vscode';
import type { Session } from '../account/session/session.ts';
import { Disposable } from '../platform/dispose.ts';
import type { LanguageModels } from './languageModels.ts';

/** As package.json has it in `contributes.languageModelChatProviders`. */
const VENDOR = 'perigee';

/**
 * Offers the account's models to VS Code's own chat and to other extensions. Does nothing where the editor has no such
 * API. What answers is loaded at its first use.
 */
export class ModelsInEditor extends Disposable {
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  private known: string;

  constructor(
    private readonly session: Session,
    models: () => Promise<LanguageModels>,
  ) {
    super();
    this.known = this.now();
    const { registerLanguageModelChatProvider: register } = vscode.lm ?? {};
    if (typeof register !== 'function') return;
    const provider: vscode.LanguageModelChatProvider = {
      onDidChangeLanguageModelChatInformation: this.changed.event,
      provideLanguageModelChatInformation: async (options) => (await models()).list(options.silent),
      provideLanguageModelChatResponse: async (...request) => (await models()).answer(...request),
      provideTokenCount: async (_, text) => (await models()).count(text),
    };
    // First, because some editors refuse it.
    this._register(register(VENDOR, provider));
    this._register(session.onDidChange(() => this.look()));
    // The operator may have changed the models meanwhile.
    this._register(session.onDidConnect(() => this.changed.fire()));
  }

  private look(): void {
    const before = this.known;
    this.known = this.now();
    if (this.known !== before) this.changed.fire();
  }

  /** Whose models they are. */
  private now(): string {
    return `${this.session.account?.id} ${this.session.account?.kind}`;
  }
}
