import type { LogEntry } from '../../../shared/credits.ts';
import type { StoredAttachment } from '../../conversations/attachments.ts';
import { imageFile } from '../../conversations/pictures.ts';
import { wholeMessages } from '../../conversations/reading.ts';
import { listLog } from '../../credits/log/log.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader } from '../../platform/db/database.ts';
import type { ConversationRow } from '../../platform/db/schema.ts';
import { EXPORT_FILES } from '../../platform/db/tables.ts';
import { allRequests, findRequests } from '../../requests/store.ts';

// The files of an export, piece by piece: at most one page of rows is in memory.

const ENTRIES_AT_ONCE = 200;

export const EXPORT_README = `# Your data at Perigee

| file | what it is |
|---|---|
${Object.entries(EXPORT_FILES)
  .map(([name, what]) => `| ${name} | ${what} |`)
  .join('\n')}

Times are in UTC. In the CSV file a text that a spreadsheet could take for a formula begins with an apostrophe.
`;

const jsonText = (value: unknown) => JSON.stringify(value, null, 2);

export async function* conversationJson(db: Reader, row: ConversationRow): AsyncGenerator<string> {
  const { id, title, kind } = row;
  const pinnedAt = row.pinned_at === null ? undefined : iso(row.pinned_at);
  const times = { createdAt: iso(row.created_at), updatedAt: iso(row.updated_at), pinnedAt };
  const head = jsonText({ id, title, kind, ...times });
  yield `${head.slice(0, -2)},\n  "messages": [`;
  let comma = '';
  for await (const { message, extras, supersededAt } of wholeMessages(db, id)) {
    const shown = 'edit' in extras ? extras : { attachments: extras.attachments.map(withFile(message.id)) };
    yield `${comma}\n${jsonText({ ...message, ...shown, ...(supersededAt === null ? {} : { supersededAt }) })}`;
    comma = ',';
  }
  yield '\n  ]\n}\n';
}

/** An attached picture names its file. */
const withFile = (messageId: string) => (attachment: StoredAttachment, place: number) =>
  attachment.image
    ? { ...attachment, image: { ...attachment.image, file: imageFile({ messageId, place, ...attachment.image }) } }
    : attachment;

async function* logOf(db: Reader, accountId: string): AsyncGenerator<LogEntry> {
  let before: number | undefined;
  do {
    const page = await listLog(db, accountId, { before, limit: ENTRIES_AT_ONCE });
    yield* page.entries;
    before = page.before === null ? undefined : Number(page.before);
  } while (before !== undefined);
}

export async function* logJson(db: Reader, accountId: string): AsyncGenerator<string> {
  let comma = '';
  yield '[';
  for await (const entry of logOf(db, accountId)) {
    yield `${comma}\n${jsonText(entry)}`;
    comma = ',';
  }
  yield '\n]\n';
}

export async function* requestsJson(db: Reader, accountId: string): AsyncGenerator<string> {
  let comma = '';
  yield '[';
  for await (const requests of allRequests((page) => findRequests(db, page), accountId))
    for (const request of requests) {
      yield `${comma}\n${jsonText(request)}`;
      comma = ',';
    }
  yield '\n]\n';
}

/**
 * The name of a conversation's files, without extension: its day, the part of its title that every system allows, its
 * id.
 */
export function fileNameOf(row: Pick<ConversationRow, 'id' | 'title' | 'created_at'>): string {
  const title = row.title
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return `conversations/${[iso(row.created_at).slice(0, 10), title, row.id].filter(Boolean).join('-')}`;
}
