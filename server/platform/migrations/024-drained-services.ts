import type { Kysely, Migration } from 'kysely';

/** Model services to which the operator lets no new request go. */
export const drainedServices: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('drained_service')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .execute();
  },
};
