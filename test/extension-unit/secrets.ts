import type { SecretStorage } from 'vscode';
import { Emitter } from '../../extension/platform/emitter.ts';

/** A machine's secret storage: all windows have it together. */
export class Secrets {
  readonly values = new Map<string, string>();
  private readonly changed = new Emitter<{ key: string }>();
  readonly onDidChange = this.changed.event as unknown as SecretStorage['onDidChange'];
  get = async (key: string) => this.values.get(key);
  keys = async () => [...this.values.keys()];
  async store(key: string, value: string) {
    this.values.set(key, value);
    this.changed.fire({ key });
  }
  async delete(key: string) {
    this.values.delete(key);
    this.changed.fire({ key });
  }
}
