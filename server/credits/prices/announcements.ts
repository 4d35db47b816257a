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
  /** How long before it counts a dearer price is announced, in days. */
  noticeDays: number;
}

/** A price that will count, and since when one is told of it. */
export type AnnouncedChange = PriceChange & { announcedAt: number };
export type AnnouncedModel = ModelConfig & { priceChanges: AnnouncedChange[] };

/**
 * The models of the list with the prices that may be charged for them. A price that is dearer than the one in force is
 * announced by the first node that starts with it, and counts no sooner than `noticeDays` after that, whether it stands among
 * the changes or simply replaces the old one; a cheaper one counts when the list says so. What is in force is kept in the
 * database, so that no restart and no other wording of the list makes a price count sooner.
 */
export async function announcePrices(
  deps: AnnouncementDeps,
  models: readonly ModelConfig[],
  now: number,
): Promise<AnnouncedModel[]> {
  const announced: AnnouncedModel[] = [];
  await deps.db.write(async (tx) => {
    announced.length = 0;
    // Nobody is there to be told.
    const isNew = (await tx.selectFrom('account').select('id').limit(1).executeTakeFirst()) === undefined;
    const kept = await lockPrices(tx, models);
    for (const model of models) announced.push(await announce(tx, deps, model, kept.get(model.id)!, isNew, now));
  });
  return announced;
}

/** What the last start kept of a model: the price that counted, and what was to come. */
interface Kept {
  price: Price;
  /** Null where that was not kept yet. */
  coming: AnnouncedChange[] | null;
}

/**
 * What is kept of each model, and a lock on it until the end: a node that starts beside this one sees what this one announced
 * and kept, never half of it. In the order of ids, so that nodes with differently ordered lists don't wait for one another.
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
  // What was announced has come to count meanwhile, whoever was running.
  const before = priceAt(kept.price, kept.coming ?? [], now).price;
  const written = model.priceChanges ?? [];
  // What the list had before now is over, whatever it was: of the past, its price of today is left.
  const today = { from: iso(0), price: priceAt(model.price, written, now).price };
  let changes: (AnnouncedChange & { asked: string })[] = [];
  for (const { from, price } of [today, ...written.filter((change) => Date.parse(change.from) > now)]) {
    const at = Date.parse(from);
    // Compared with what counts on that day, not with the line before it, which may be one that is put off.
    const then = priceAt(before, changes, at).price;
    const isFree = isNew || !raises(then, price);
    const { countsFrom, announcedAt } = isFree
      ? { countsFrom: at, announcedAt: now }
      : await announcement(tx, model.id, price, at, now, noticeDays * DAY_MS);
    // What this one overtakes never counts.
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
 * Since when one is told of a change to come: since the first node knew it, whichever answers and however often it starts. One
 * that was taken back is forgotten, and news when it returns.
 */
function toldAt({ coming }: Kept, change: AnnouncedChange, now: number): number {
  if (coming === null) return change.announcedAt;
  const known = coming.find(({ from, price }) => from === change.from && textOf(price) === textOf(change.price));
  return known?.announcedAt ?? now;
}

/** From when a dearer price counts; the first who asks announces it. What was announced for later stays there. */
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

/** Remembers what counts now and what is to come; what has counted is announced anew should it ever return. */
async function keep(tx: Tx, model: string, price: Price, coming: AnnouncedChange[], now: number): Promise<void> {
  const row = { price: textOf(price), coming: JSON.stringify(coming) };
  await tx.updateTable('price_in_force').set(row).where('model', '=', model).execute();
  await tx.deleteFrom('price_announcement').where('model', '=', model).where('counts_from', '<=', now).execute();
}

/** The same text for the same price, in whatever order its parts were written. */
function textOf(price: Price): string {
  return JSON.stringify(price, (_, value) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
