import { type Kysely, type Migration, sql } from 'kysely';

/** By whom an account is known at the payment service: there are its invoices and what it pays by. Null: not known yet. */
export const customers: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table payment add column customer text`.execute(db);
    await sql`create index payment_customer on payment (customer) where customer is not null`.execute(db);
  },
};
