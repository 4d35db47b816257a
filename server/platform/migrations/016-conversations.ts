import { type Kysely, type Migration, sql } from 'kysely';

interface OldTables {
  message: { id: string; attachments: string | null };
  attachment: NewAttachment;
  edit_input: { message_id: string; content: string };
}

interface NewAttachment {
  message_id: string;
  place: number;
  kind: string;
  path: string | null;
  language_id: string | null;
  first_line: number | null;
  last_line: number | null;
  characters: number;
  text: string;
}

/** Moves attached texts out of the messages' rows, and adds a search index over messages. */
export function conversations(engine: 'sqlite' | 'postgres'): Migration {
  return {
    async up(unknown: Kysely<unknown>) {
      const db = unknown as Kysely<OldTables>;
      await moveAttachments(db);
      for (const statement of searchTables(engine)) await statement.execute(db);
    },
  };
}

/**
 * The engine reads whole rows, so listing a page of messages read megabytes of hidden attachments. `tokens` and `bytes`
 * are a message's share of the prompt. They are null in old rows and measured on first use.
 */
async function moveAttachments(db: Kysely<OldTables>): Promise<void> {
  const statements = [
    sql`create table attachment (
        message_id text not null references message(id) on delete cascade, place bigint not null, kind text not null,
        path text, language_id text, first_line bigint, last_line bigint, characters bigint not null,
        tokens bigint, bytes bigint, text text not null, primary key (message_id, place))`,
    sql`create table edit_input (
        message_id text primary key references message(id) on delete cascade, content text not null)`,
    sql`alter table message add column tokens bigint`,
    sql`alter table message add column bytes bigint`,
    // Measures a conversation's length without reading its texts.
    sql`create index message_size on message (conversation_id, seq, tokens, bytes) where superseded_at is null`,
  ];
  for (const statement of statements) await statement.execute(db);
  // One message at a time, because each may have 8 MB.
  for (let after = ''; ; ) {
    const row = await db
      .selectFrom('message')
      .select(['id', 'attachments'])
      .where('attachments', 'is not', null)
      .where('id', '>', after)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    if (!row) break;
    after = row.id;
    const { given, content } = split(JSON.parse(row.attachments!) as OldExtras);
    for (const [place, one] of given.entries())
      await db
        .insertInto('attachment')
        .values(rowOf(row.id, place, one))
        .execute();
    if (content) await db.insertInto('edit_input').values({ message_id: row.id, content }).execute();
  }
  await sql`alter table message drop column attachments`.execute(db);
}

/**
 * A job builds the search index. `search_due` lists the messages that it has yet to index, at first all old ones.
 * Triggers fill `search_due`, so that every change of a text or of its owner is indexed.
 */
function searchTables(engine: 'sqlite' | 'postgres') {
  const shared = [
    sql`create table search_due (
      message_id text primary key references message(id) on delete cascade, piece bigint not null default 0)`,
    sql`insert into search_due (message_id) select id from message where text <> ''`,
  ];
  const forget = (messages: string) => `delete from search_piece where message_id ${messages};`;
  const isDue = (messages: string) => `insert into search_due (message_id) ${messages}
    on conflict (message_id) do update set piece = 0;`;
  const ofConversation = 'in (select id from message where conversation_id = new.id)';
  // Mark it as due first: on PostgreSQL that waits for a job that is indexing the old text, so its pieces are deleted
  // too.
  const changed = `${isDue('values (new.id)')} ${forget('= new.id')}`;
  const moved = `${isDue("select id from message where conversation_id = new.id and text <> ''")}
    ${forget(ofConversation)}`;
  if (engine === 'sqlite')
    return [
      ...shared,
      sql`create table search_piece (
        n integer primary key, message_id text not null references message(id) on delete cascade)`,
      sql`create index search_piece_message on search_piece (message_id)`,
      sql`create virtual table search_grams using fts5(
        grams, content='', contentless_delete=1, detail=none, tokenize='ascii')`,
      sql.raw(`create trigger search_piece_gone after delete on search_piece begin
        delete from search_grams where rowid = old.n; end`),
      sql.raw(`create trigger search_said after insert on message when new.text <> '' begin
        ${isDue('values (new.id)')} end`),
      sql.raw(`create trigger search_changed after update of text on message when new.text <> old.text begin
        ${changed} end`),
      sql.raw(`create trigger search_moved after update of account_id on conversation
        when new.account_id <> old.account_id begin ${moved} end`),
    ];
  const onChange = (name: string, on: string, work: string) => [
    sql.raw(`create function ${name}() returns trigger language plpgsql as $$ begin ${work} return null; end $$`),
    sql.raw(`create trigger ${name} after ${on} execute function ${name}()`),
  ];
  return [
    ...shared,
    // Every PostgreSQL has GIN on integer arrays, without an extension.
    sql`create table search_piece (
      n bigint generated always as identity primary key,
      message_id text not null references message(id) on delete cascade, grams integer[] not null)`,
    sql`create index search_piece_message on search_piece (message_id)`,
    sql`create index search_piece_grams on search_piece using gin (grams)`,
    ...onChange('search_said', `insert on message for each row when (new.text <> '')`, isDue('values (new.id)')),
    ...onChange('search_changed', 'update of text on message for each row when (new.text <> old.text)', changed),
    ...onChange(
      'search_moved',
      'update of account_id on conversation for each row when (new.account_id <> old.account_id)',
      moved,
    ),
  ];
}

interface OldAttachment {
  kind: string;
  path?: string;
  languageId?: string;
  range?: { start: number; end: number };
  text: string;
}
interface OldEdit {
  files?: Omit<OldAttachment, 'kind'>[];
  selection?: { start: number; end: number; text: string };
  path?: string;
  languageId?: string;
}
type OldExtras = { attachments: OldAttachment[] } | { edit: OldEdit };

function split(extras: OldExtras): { given: OldAttachment[]; content: string | null } {
  if (!('edit' in extras)) return { given: extras.attachments, content: null };
  const { files, selection, ...rest } = extras.edit;
  if (files) return { given: files.map((file) => ({ kind: 'file', ...file })), content: JSON.stringify(rest) };
  if (!selection) return { given: [], content: JSON.stringify(rest) };
  const { text, ...range } = selection;
  const { path, languageId, ...around } = rest;
  return { given: [{ kind: 'selection', path, languageId, range, text }], content: JSON.stringify(around) };
}

function rowOf(messageId: string, place: number, { kind, path, languageId, range, text }: OldAttachment) {
  return {
    message_id: messageId,
    place,
    kind,
    path: path ?? null,
    language_id: languageId ?? null,
    first_line: range?.start ?? null,
    last_line: range?.end ?? null,
    characters: text.length,
    text,
  };
}
