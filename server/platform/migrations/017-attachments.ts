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

/**
 * Attached texts move from the message's row to rows of their own: a row is read as a whole, so a page of messages read
 * megabytes that it does not show. `tokens` and `bytes` say how much of a prompt a message takes; they are null in old rows
 * and measured when they are first asked for.
 */
export const attachments: Migration = {
  async up(unknown: Kysely<unknown>) {
    const db = unknown as Kysely<OldTables>;
    const statements = [
      sql`create table attachment (
        message_id text not null references message(id) on delete cascade, place bigint not null, kind text not null,
        path text, language_id text, first_line bigint, last_line bigint, characters bigint not null,
        tokens bigint, bytes bigint, text text not null, primary key (message_id, place))`,
      sql`create table edit_input (
        message_id text primary key references message(id) on delete cascade, content text not null)`,
      sql`alter table message add column tokens bigint`,
      sql`alter table message add column bytes bigint`,
      // Answers how long a conversation is without a look at its texts.
      sql`create index message_size on message (conversation_id, seq, tokens, bytes) where superseded_at is null`,
    ];
    for (const statement of statements) await statement.execute(db);
    // One message at a time: each may have 8 MB.
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
  },
};

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
