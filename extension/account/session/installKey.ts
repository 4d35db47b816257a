import type { SecretStorage } from 'vscode';
import { SigningKey, type StoredKey } from './signingKey.ts';

const KEY = 'install key';

/** The key of this installed editor, made at the first sign-in and kept in its secret storage. */
export class InstallKey {
  constructor(private readonly secrets: SecretStorage) {}

  /** Rejects when the editor cannot keep secrets. */
  async get(): Promise<SigningKey> {
    const known = await this.stored();
    if (known) return known;
    const made = JSON.stringify(await SigningKey.make());
    // Another window may have stored its own key meanwhile; then both windows use that one.
    if (!(await this.stored())) await this.secrets.store(KEY, made);
    return read((await this.secrets.get(KEY)) ?? made);
  }

  /** A damaged key is unusable, so a new one replaces it. */
  private async stored(): Promise<SigningKey | undefined> {
    const stored = await this.secrets.get(KEY);
    return stored ? read(stored).catch(() => undefined) : undefined;
  }
}

async function read(text: string): Promise<SigningKey> {
  return SigningKey.import(JSON.parse(text) as StoredKey);
}
