import type { Memento } from 'vscode';
import type { Model } from '../../shared/models.ts';
import type { Session } from '../account/session/session.ts';
import type { Backend } from '../backend.ts';

/** The models that this account can use, and the one that the user chose. */
export class ModelChoice {
  models: Model[] = [];

  constructor(
    private readonly session: Session,
    private readonly backend: Backend,
    private readonly memory: Memento,
  ) {}

  /** Fetches the list. Rejects with a `BackendError`. */
  async load(): Promise<void> {
    this.models = (await this.session.call((who) => this.backend.models(who))).models;
  }

  /** The chosen model if this server has it, else its default; null until the list is loaded. */
  get id(): string | null {
    const chosen = this.memory.get<string>(KEY);
    if (this.models.some(({ id }) => id === chosen)) return chosen ?? null;
    return (this.models.find(({ isDefault }) => isDefault) ?? this.models[0])?.id ?? null;
  }

  async choose(id: string): Promise<void> {
    if (this.models.some((model) => model.id === id)) await this.memory.update(KEY, id);
  }
}

const KEY = 'model';
