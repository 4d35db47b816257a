import { type Kysely, type Migration, sql } from 'kysely';

/** Since when one is told of each change of price to come, cheaper ones included: of those, nothing was kept. */
export const toldPrices: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table price_told (
        model text not null, counts_from bigint not null, price_hash text not null, told_at bigint not null,
        primary key (model, counts_from))`,
      sql`insert into price_told (model, counts_from, price_hash, told_at)
        select model, counts_from, min(price_hash), min(announced_at) from price_announcement group by model, counts_from`,
      sql`alter table price_announcement drop column announced_at`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
