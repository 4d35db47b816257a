import { type Kysely, type Migration, sql } from 'kysely';

/** Accounts of people: identities, sessions and their tokens, one-time codes, and the tables of better-auth. */
export function accounts(engine: 'sqlite' | 'postgres'): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const statements = [
        ...['name text', 'email text', 'tier bigint', 'is_local bigint not null default 0'],
        ...['suspended_at bigint', 'suspended_until bigint', 'suspended_why text'],
        ...['terms_version text', 'terms_at bigint', 'merged_into text'],
      ].map((column) => sql.raw(`alter table account add column ${column}`));
      statements.push(
        // The identity that an account signed up with: a provider's subject, or a verified address under the provider
        // "email".
        sql`create table identity (
          provider text not null, subject text not null,
          account_id text not null references account(id) on delete cascade,
          email text, created_at bigint not null, last_used_at bigint not null, primary key (provider, subject))`,
        sql`create index identity_account on identity (account_id)`,
        // Outlives the account, so it contains only keyed hashes.
        sql`create table bonus_claim (key text primary key, at bigint not null)`,

        // A signed-in device, tool or browser. It has one token, and two for a while after the first was refreshed.
        sql`create table session (
          id text primary key, account_id text not null references account(id) on delete cascade,
          kind text not null check (kind in ('guest','device','page','local')), name text not null, tool text not null,
          jkt text, created_at bigint not null, last_used_at bigint not null, ended_at bigint)`,
        sql`create index session_account on session (account_id)`,
        sql`insert into session (id, account_id, kind, name, tool, created_at, last_used_at, ended_at)
          select id, account_id, 'guest', 'another device', '', created_at, last_used_at, revoked_at from token`,
        sql`create table new_token (
          token_hash text primary key, session_id text not null references session(id) on delete cascade,
          created_at bigint not null, expires_at bigint)`,
        sql`insert into new_token (token_hash, session_id, created_at) select token_hash, id, created_at from token`,
        sql`drop table token`,
        sql`alter table new_token rename to token`,
        sql`create index token_session on token (session_id)`,
        sql`create index token_expires on token (expires_at) where expires_at is not null`,

        // One-time codes. Deleting the row uses the code.
        sql`create table one_time_code (
          hash text primary key, purpose text not null, account_id text references account(id) on delete cascade,
          data text not null, expires_at bigint not null)`,
        sql`create index one_time_code_expires on one_time_code (expires_at)`,
        sql`create table device_grant (
          id text primary key, device_hash text not null unique, user_hash text not null unique, name text not null,
          tool text not null, jkt text not null, state text not null check (state in ('pending','approved','denied')),
          account_id text references account(id) on delete cascade, interval_ms bigint not null, polled_at bigint,
          expires_at bigint not null)`,
        sql`create index device_grant_expires on device_grant (expires_at)`,
        // Failed guesses, stored on disk so that a restart does not forget them.
        sql`create table attempt (key text primary key, points bigint not null, expire bigint)`,
        sql`insert into gate (name) values ('sign-up')`,

        // An account that took guests over has several ledgers: its own, and theirs. What gets free on theirs moves to
        // its own.
        sql`create table new_wallet (
          ledger_id text primary key, account_id text not null, of_micro bigint not null check (of_micro >= 0),
          is_own bigint not null default 1)`,
        sql`insert into new_wallet (ledger_id, account_id, of_micro) select ledger_id, account_id, of_micro from wallet`,
        sql`drop table wallet`,
        sql`alter table new_wallet rename to wallet`,
        sql`create index wallet_account on wallet (account_id)`,
        sql`create unique index wallet_own on wallet (account_id) where is_own = 1`,
        sql`alter table balance add column heir text`,
        sql`create index balance_heir on balance (heir) where heir is not null`,
        ...ceremonies(engine),
      );
      for (const statement of statements) await statement.execute(db);
    },
  };
}

/**
 * The tables that better-auth needs during a sign-in, with its own names. Rows live for an hour at most. On SQLite its
 * adapter stores times as text and booleans as 0 and 1; on PostgreSQL it uses the native types.
 */
function ceremonies(engine: 'sqlite' | 'postgres') {
  const time = sql.raw(engine === 'sqlite' ? 'text' : 'timestamptz');
  const boolean = sql.raw(engine === 'sqlite' ? 'integer' : 'boolean');
  return [
    sql`create table auth_user (
      id text primary key, name text not null, email text not null unique, "emailVerified" ${boolean} not null, image text,
      address text, "addressVerified" ${boolean}, "createdAt" ${time} not null, "updatedAt" ${time} not null)`,
    sql`create table auth_session (
      id text primary key, "expiresAt" ${time} not null, token text not null unique, "createdAt" ${time} not null,
      "updatedAt" ${time} not null, "ipAddress" text, "userAgent" text,
      "userId" text not null references auth_user(id) on delete cascade)`,
    sql`create index auth_session_user on auth_session ("userId")`,
    sql`create table auth_account (
      id text primary key, "accountId" text not null, "providerId" text not null,
      "userId" text not null references auth_user(id) on delete cascade, "accessToken" text, "refreshToken" text,
      "idToken" text, "accessTokenExpiresAt" ${time}, "refreshTokenExpiresAt" ${time}, scope text, password text,
      "createdAt" ${time} not null, "updatedAt" ${time} not null, unique ("providerId", "accountId"))`,
    sql`create index auth_account_user on auth_account ("userId")`,
    sql`create table auth_verification (
      id text primary key, identifier text not null, value text not null, "expiresAt" ${time} not null,
      "createdAt" ${time} not null, "updatedAt" ${time} not null)`,
    sql`create index auth_verification_identifier on auth_verification (identifier)`,
  ];
}
