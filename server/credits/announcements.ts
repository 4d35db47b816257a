import type { Price, PriceChange } from '../../shared/models.ts';
import { iso } from '../platform/clock.ts';
import type { ModelConfig } from '../platform/config.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import { hashSecret } from '../platform/secrets.ts';
import { priceAt, raises } from './pricing.ts';

const DAY_MS = 24 * 3_600_000;

export interface AnnouncementDeps {
  db: Database;
  log: Log;
  /** How long before it counts a dearer price is announced, in days. */
  noticeDays: number;
}

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
): Promise<ModelConfig[]> {
  const announced: ModelConfig[] = [];
  await deps.db.write(async (tx) => {
    announced.length = 0;
    // Nobody is there to be told.
    const isNew = (await tx.selectFrom('account').select('id').limit(1).executeTakeFirst()) === undefined;
    for (const model of models) announced.push(await announce(tx, deps, model, isNew, now));
  });
  return announced;
}

async function announce(
  tx: Tx,
  { noticeDays, log }: AnnouncementDeps,
  model: ModelConfig,
  isNew: boolean,
  now: number,
): Promise<ModelConfig> {
  const kept = await tx.selectFrom('price_in_force').select('price').where('model', '=', model.id).executeTakeFirst();
  const before = kept ? (JSON.parse(kept.price) as Price) : model.price;
  const changes: PriceChange[] = [];
  for (const { from, price } of [{ from: iso(0), price: model.price }, ...(model.priceChanges ?? [])]) {
    const previous = changes.at(-1)?.price ?? before;
    if (textOf(price) === textOf(previous)) continue;
    const isFree = isNew || !raises(previous, price);
    const countsFrom = isFree
      ? Date.parse(from)
      : await firstDay(tx, model.id, price, Date.parse(from), now, noticeDays * DAY_MS);
    // What a later change overtakes never counts.
    while (changes.length > 0 && Date.parse(changes.at(-1)!.from) >= countsFrom) changes.pop();
    changes.push({ from: iso(countsFrom), price });
    if (countsFrom > Date.parse(from) && countsFrom > now)
      log.warn(
        { model: model.id, from: iso(countsFrom) },
        `a dearer price counts ${noticeDays} days after it is announced, and not before: until then the old one is charged`,
      );
  }
  const { price } = priceAt(before, changes, now);
  await keep(tx, model.id, price, now);
  return { ...model, price, priceChanges: changes.filter(({ from }) => Date.parse(from) > now) };
}

/** From when a dearer price counts; the first who asks announces it. What was announced for later stays there. */
async function firstDay(
  tx: Tx,
  model: string,
  price: Price,
  from: number,
  now: number,
  noticeMs: number,
): Promise<number> {
  const price_hash = hashSecret(textOf(price));
  await tx
    .insertInto('price_announcement')
    .values({ model, price_hash, announced_at: now, counts_from: Math.max(from, now + noticeMs) })
    .onConflict((conflict) => conflict.columns(['model', 'price_hash']).doNothing())
    .execute();
  const { counts_from } = await tx
    .selectFrom('price_announcement')
    .select('counts_from')
    .where('model', '=', model)
    .where('price_hash', '=', price_hash)
    .executeTakeFirstOrThrow();
  return Math.max(from, Number(counts_from));
}

/** Remembers what counts now; what has counted is announced anew should it ever return. */
async function keep(tx: Tx, model: string, price: Price, now: number): Promise<void> {
  const row = { model, price: textOf(price) };
  await tx
    .insertInto('price_in_force')
    .values(row)
    .onConflict((conflict) => conflict.column('model').doUpdateSet({ price: row.price }))
    .execute();
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
