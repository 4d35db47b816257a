import type { Price, PriceChange } from '../../../shared/models.ts';
import { iso } from '../../platform/clock.ts';
import type { ModelConfig } from '../../platform/config/config.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log.ts';
import { hashSecret } from '../../platform/secrets.ts';
import { priceAt, raises } from '../rules/pricing.ts';

const DAY_MS = 24 * 3_600_000;

export interface AnnouncementDeps {
  db: Database;
  log: Log;
  /** How many days before it takes effect a price increase is announced. */
  noticeDays: number;
}

/** A future price, and when it was announced. */
export type AnnouncedChange = PriceChange & { announcedAt: number };
export type AnnouncedModel = ModelConfig & { priceChanges: AnnouncedChange[] };

/**
 * Returns the listed models with the prices that may be charged. The first node that starts with a price increase
 * announces it, and it takes effect `noticeDays` later at the earliest, whether it is listed as a change or replaces
 * the old price. A price cut takes effect when the list says so. The price in force is stored in the database, so that
 * neither a restart nor another wording of the list makes an increase take effect sooner.
 */
export async function announcePrices(
  deps: AnnouncementDeps,
  models: readonly ModelConfig[],
  now: number,
): Promise<AnnouncedModel[]> {
  const announced: AnnouncedModel[] = [];
  await deps.db.write(async (tx) => {
    announced.length = 0;
    // With no accounts yet, there is no one to tell.
    const isNew = (await tx.selectFrom('account').select('id').limit(1).executeTakeFirst()) === undefined;
    const kept = await lockPrices(tx, models);
    for (const model of models) announced.push(await announce(tx, deps, model, kept.get(model.id)!, isNew, now));
  });
  return announced;
}

/** What the last start stored for a model: the price in force and the future changes. */
interface Kept {
  price: Price;
  /** Null if the changes were not stored yet. */
  coming: AnnouncedChange[] | null;
}

/**
 * Reads each model's stored prices and locks them until the transaction ends, so that a node that starts at the same
 * time sees all of this node's changes or none. Locks in the order of ids, so that nodes with differently ordered lists
 * don't deadlock.
 */
async function lockPrices(tx: Tx, models: readonly ModelConfig[]): Promise<Map<string, Kept>> {
  const rows = models.map(({ id, price }) => ({ model: id, price: textOf(price), coming: '[]' }));
  if (rows.length === 0) return new Map();
  const kept = await tx
    .insertInto('price_in_force')
    .values(rows.sort((a, b) => (a.model < b.model ? -1 : 1)))
    .onConflict((conflict) =>
      conflict.column('model').doUpdateSet(({ ref }) => ({ price: ref('price_in_force.price') })),
    )
    .returning(['model', 'price', 'coming'])
    .execute();
  return new Map(
    kept.map(({ model, price, coming }) => [model, { price: JSON.parse(price), coming: coming && JSON.parse(coming) }]),
  );
}

async function announce(
  tx: Tx,
  { noticeDays, log }: AnnouncementDeps,
  model: ModelConfig,
  kept: Kept,
  isNew: boolean,
  now: number,
): Promise<AnnouncedModel> {
  // An announced change may have taken effect since the last start.
  const before = priceAt(kept.price, kept.coming ?? [], now).price;
  const written = model.priceChanges ?? [];
  // Past entries of the list no longer matter: only the price that the list gives for today is left.
  const today = { from: iso(0), price: priceAt(model.price, written, now).price };
  let changes: (AnnouncedChange & { asked: string })[] = [];
  for (const { from, price } of [today, ...written.filter((change) => Date.parse(change.from) > now)]) {
    const at = Date.parse(from);
    // Compare with the price in force on that day, not with the list's previous entry, which may be deferred.
    const then = priceAt(before, changes, at).price;
    const isFree = isNew || !raises(then, price);
    const { countsFrom, announcedAt } = isFree
      ? { countsFrom: at, announcedAt: now }
      : await announcement(tx, model.id, price, at, now, noticeDays * DAY_MS);
    // Drop the changes that this one overtakes: they would never take effect.
    changes = changes.filter((change) => Date.parse(change.from) < countsFrom);
    const isNews = textOf(price) !== textOf(priceAt(before, changes, countsFrom).price);
    if (isNews) changes.push({ from: iso(countsFrom), price, asked: from, announcedAt });
  }
  for (const { from, price, asked } of changes)
    if (Date.parse(from) > Math.max(now, Date.parse(asked)))
      log.warn(
        { model: model.id, price, from },
        `a dearer price counts ${noticeDays} days after it is announced, and not before: until then the old one is charged`,
      );
  const { price } = priceAt(before, changes, now);
  const coming = changes
    .filter(({ from }) => Date.parse(from) > now)
    .map(({ from, price, announcedAt }) => ({
      from,
      price,
      announcedAt: toldAt(kept, { from, price, announcedAt }, now),
    }));
  await keep(tx, model.id, price, coming, now);
  return { ...model, price, priceChanges: coming };
}

/**
 * When a future change was announced: when the first node knew it, across nodes and restarts. A change that was
 * withdrawn is forgotten, and is new if it returns.
 */
function toldAt({ coming }: Kept, change: AnnouncedChange, now: number): number {
  if (coming === null) return change.announcedAt;
  const known = coming.find(({ from, price }) => from === change.from && textOf(price) === textOf(change.price));
  return known?.announcedAt ?? now;
}

/** When a price increase takes effect; the first call announces it. Later calls keep an existing announcement. */
async function announcement(
  tx: Tx,
  model: string,
  price: Price,
  from: number,
  now: number,
  noticeMs: number,
): Promise<{ countsFrom: number; announcedAt: number }> {
  const price_hash = hashSecret(textOf(price));
  await tx
    .insertInto('price_announcement')
    .values({ model, price_hash, announced_at: now, counts_from: Math.max(from, now + noticeMs) })
    .onConflict((conflict) => conflict.columns(['model', 'price_hash']).doNothing())
    .execute();
  const { counts_from, announced_at } = await tx
    .selectFrom('price_announcement')
    .select(['counts_from', 'announced_at'])
    .where('model', '=', model)
    .where('price_hash', '=', price_hash)
    .executeTakeFirstOrThrow();
  return { countsFrom: Math.max(from, Number(counts_from)), announcedAt: Number(announced_at) };
}

/**
 * Stores the price in force and the future changes. Announcements that took effect are deleted, so a price that returns
 * is announced again.
 */
async function keep(tx: Tx, model: string, price: Price, coming: AnnouncedChange[], now: number): Promise<void> {
  const row = { price: textOf(price), coming: JSON.stringify(coming) };
  await tx.updateTable('price_in_force').set(row).where('model', '=', model).execute();
  await tx.deleteFrom('price_announcement').where('model', '=', model).where('counts_from', '<=', now).execute();
}

/** The same text for equal prices, whatever the order of their members. */
function textOf(price: Price): string {
  return JSON.stringify(price, (_, value) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
