import type { Memento } from 'vscode';

/** What the user chose for answers and edits: a model, and for each model how hard it thinks. Unset: as the server does. */
export class ChosenModel {
  constructor(private readonly memory: Memento) {}

  get model(): string | undefined {
    return this.memory.get<string>('model');
  }

  effortOf(model: string): string | undefined {
    return this.memory.get<Record<string, string>>('efforts', {})[model];
  }

  /** `effort`: null for none, undefined to leave it. */
  async choose(model: string, effort?: string | null): Promise<void> {
    await this.memory.update('model', model);
    if (effort === undefined) return;
    const { [model]: _, ...others } = this.memory.get<Record<string, string>>('efforts', {});
    await this.memory.update('efforts', effort === null ? others : { ...others, [model]: effort });
  }

  /** For a request whose sender does not know the server's models: it may be refused by this server. */
  get asked(): { model?: string; effort?: string } {
    const { model } = this;
    return model === undefined ? {} : { model, effort: this.effortOf(model) };
  }
}
