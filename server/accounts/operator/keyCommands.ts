import { MAX_KEY_NAME, MAX_MONTHLY_MICRO } from '../../../shared/keys.ts';
import { inCredits } from '../../../shared/money/amounts.ts';
import { iso } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import { type KeyDeps, makeKey } from '../keys/keys.ts';
import { listKeys, revokeKey } from '../keys/store.ts';
import type { FoundAccount } from '../people/accountSearch.ts';
import { columns, misused, named, Refused, readText } from './commandText.ts';

// The operator's commands for API keys.

export interface KeyCommandDeps extends KeyDeps {
  /** The address of the server for tools. */
  baseUrl: string;
}

export interface WantedKey {
  name: string;
  /** As typed: ids separated by commas. */
  models: string | undefined;
  monthlyMicro: number | null;
  expiresAt: number | null;
}

/** Makes an API key and returns the output lines: the key, and how it is used. */
export async function makeKeyFor(deps: KeyCommandDeps, account: FoundAccount, wanted: WantedKey): Promise<string[]> {
  if (account.kind === 'guest') throw new Refused(1, 'A guest has no API keys. Its owner can sign in first.');
  const name = readText(wanted.name, '--name', MAX_KEY_NAME);
  const { monthlyMicro, expiresAt } = wanted;
  if (monthlyMicro !== null && monthlyMicro > MAX_MONTHLY_MICRO)
    throw misused(`--monthly may be ${inCredits(MAX_MONTHLY_MICRO)} at most.`);
  const models = wanted.models === undefined ? null : readModels(wanted.models);
  const request = { name, models, monthlyMicro, expiresAt: expiresAt === null ? null : iso(expiresAt) };
  try {
    const { key, secret } = await makeKey(deps, account.id, request);
    const who = account.providers.includes('local') ? 'The user of this machine' : named(account);
    // The key is made: a model service that is down must not hide it.
    const [model] = models ?? (await deps.modelIds().catch(() => []));
    const lines = columns([['Base URL', deps.baseUrl], ['API key', secret], ...(model ? [['Model', model]] : [])]);
    return [
      `${who} has a new API key, "${key.name}". It is shown only now. Paste this into the tool:`,
      '',
      ...lines.map((line) => `  ${line}`),
      '',
      `To revoke it: npm run admin -- revoke-key ${key.id}`,
    ];
  } catch (error) {
    if (error instanceof AppError) throw new Refused(1, error.detail);
    throw error;
  }
}

export async function keyTable({ db, clock }: KeyDeps, account: FoundAccount): Promise<string[]> {
  const now = clock.now();
  const keys = await listKeys(db.read, account.id, now);
  if (keys.length === 0) return ['There is none.'];
  const day = (time: string | null) => time?.slice(0, 10) ?? '';
  const rows = keys.map((key) => [
    key.id,
    key.name,
    `…${key.hint}`,
    key.models?.join(',') ?? 'all',
    inCredits(key.spentMicro),
    key.monthlyMicro === null ? 'no cap' : inCredits(key.monthlyMicro),
    day(key.createdAt),
    day(key.lastUsedAt) || 'never',
    key.expiresAt === null ? 'never' : key.expiresAt,
  ]);
  return columns([['key', 'name', 'ends in', 'models', 'this month', 'of', 'made', 'last used', 'expires'], ...rows]);
}

/** Revokes a key of any account. Returns the output line. */
export async function revokeKeyById({ db, clock }: KeyDeps, id: string): Promise<string> {
  const name = await db.write((tx) => revokeKey(tx, null, id.trim().toLowerCase(), clock.now()));
  if (name === null)
    throw new Refused(1, 'There is no such key, or it is revoked already. "keys ACCOUNT" lists the ids of keys.');
  return `The API key "${name}" is revoked.`;
}

function readModels(text: string): string[] {
  const ids = text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
  if (ids.length === 0) throw misused('--models names no model. Leave it out to allow all.');
  return ids;
}
