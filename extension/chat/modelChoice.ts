import type { Memento } from 'vscode';
import type { Model } from '../../shared/models.ts';
import type { Session } from '../account/session/session.ts';
import type { Backend } from '../backend.ts';
import { ChosenModel } from '../platform/chosenModel.ts';

/** The models that this account can use, and the one that the user chose. */
export class ModelChoice {
  models: Model[] = [];
  private readonly chosen: ChosenModel;

  constructor(
    private readonly session: Session,
    private readonly backend: Backend,
    memory: Memento,
  ) {
    this.chosen = new ChosenModel(memory);
  }

  /** Fetches the list. Rejects with a `BackendError`. */
  async load(): Promise<void> {
    this.models = (await this.session.call((who) => this.backend.models(who))).models;
  }

  /** The chosen model if this server has it, else its default; null until the list is loaded. */
  get id(): string | null {
    const chosen = this.chosen.model;
    if (this.models.some(({ id }) => id === chosen)) return chosen ?? null;
    return (this.models.find(({ isDefault }) => isDefault) ?? this.models[0])?.id ?? null;
  }

  get model(): Model | undefined {
    const { id } = this;
    return this.models.find((model) => model.id === id);
  }

  /** How hard it is asked to think, if it still can be; undefined: as it does by itself. */
  get effort(): string | undefined {
    const { id } = this;
    const chosen = id === null ? undefined : this.chosen.effortOf(id);
    const known = this.models.find((model) => model.id === id)?.efforts;
    return chosen !== undefined && known?.includes(chosen) ? chosen : undefined;
  }

  /** `effort`: null to let the model think as it does by itself. */
  async choose(id: string, effort?: string | null): Promise<void> {
    const model = this.models.find((one) => one.id === id);
    if (model && (!effort || model.efforts?.includes(effort))) await this.chosen.choose(id, effort);
  }
}
