import { type Kysely, type Migration, sql } from 'kysely';

/** The account's customer id at the payment service, which has its invoices and payment methods. Null: unknown. */
export const customers: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table payment add column customer text`.execute(db);
    await sql`create index payment_customer on payment (customer) where customer is not null`.execute(db);
  },
};
