// The bytes of the pictures attached to messages, in rows of their own.
import { sql } from 'kysely';
import type { Attachment } from '../../shared/conversations.ts';
import { type ImageHead, MAX_CONVERSATION_IMAGES } from '../../shared/media/images.ts';
import type { Reader, Tx } from '../platform/db/database.ts';
import { fixed, prepared } from '../platform/db/prepared.ts';
import type { PictureRow } from '../platform/db/schema.ts';
import { isInPrompt, promptStart } from './promptParts.ts';

/** A picture of a message. `data`: its bytes, where a prompt has them. */
export type StoredImage = NonNullable<Attachment['image']> & { data?: Uint8Array | undefined };

type Place = { messageId: string; place: number };

const HEAD = ['message_id', 'place', 'media_type', 'width', 'height', 'size'] as const;
type HeadRow = Pick<PictureRow, (typeof HEAD)[number]>;

const toImage = ({ media_type, width, height, size }: HeadRow): StoredImage => ({
  mediaType: media_type as ImageHead['mediaType'],
  width,
  height,
  bytes: size,
});

const NONE: ReadonlySet<string> = new Set();

/** The pictures of the given messages by message and place; those of the messages in `withData` with their bytes. */
export async function readImages(
  db: Reader,
  messageIds: readonly string[],
  withData: ReadonlySet<string> = NONE,
): Promise<(of: Place) => StoredImage | undefined> {
  const images = new Map<string, StoredImage>();
  if (messageIds.length > 0) {
    const heads = await db.selectFrom('picture').select(HEAD).where('message_id', 'in', messageIds).execute();
    for (const row of heads) images.set(`${row.message_id} ${row.place}`, toImage(row));
  }
  const whole = messageIds.filter((id) => withData.has(id));
  if (whole.length > 0) {
    const columns = ['message_id', 'place', 'bytes'] as const;
    for (const row of await db.selectFrom('picture').select(columns).where('message_id', 'in', whole).execute())
      images.get(`${row.message_id} ${row.place}`)!.data = row.bytes;
  }
  return ({ messageId, place }) => images.get(`${messageId} ${place}`);
}

export async function insertImage(
  tx: Tx,
  conversationId: string,
  { messageId, place }: Place,
  { mediaType, width, height, bytes, data }: StoredImage,
): Promise<void> {
  if (!data) throw new Error('a picture without its bytes');
  const of = { message_id: messageId, place, conversation_id: conversationId };
  await tx
    .insertInto('picture')
    .values({ ...of, media_type: mediaType, width, height, size: bytes, bytes: data })
    .execute();
}

/** Enough to be refused, where an undone summary has brought back more than a conversation may have. */
const MOST_FOUND = 10 * MAX_CONVERSATION_IMAGES;

/** Whether the last answer to a message, up to a place, is none because the model service refused the request. */
const isRefused = (upTo: number) =>
  sql<number>`case when exists (select 1 from message a where a.conversation_id = message.conversation_id
    and a.role = 'assistant' and a.text = '' and a.problem like '%"code":"upstream_refused"%'
    and a.seq = (select max(l.seq) from message l where l.conversation_id = message.conversation_id
      and l.superseded_at is null and l.role = 'assistant' and l.summary is null
      and l.seq > message.seq and l.seq <= ${upTo} and not exists (
        select 1 from message u where u.conversation_id = message.conversation_id and u.superseded_at is null
        and u.role = 'user' and u.seq > message.seq and u.seq < l.seq))) then 1 else 0 end`;

/** The pictures that a prompt up to a place has, in no order. */
export async function findImages(
  tx: Tx,
  conversationId: string,
  upTo = Number.MAX_SAFE_INTEGER,
): Promise<{ messageId: string; width: number; height: number; bytes: number; isRefused: boolean }[]> {
  const rows = await selectImages.all(tx, { conversationId, upTo });
  return rows.map(({ message_id, width, height, size, refused }) => ({
    ...{ messageId: message_id, width, height, bytes: size },
    isRefused: Number(refused) === 1,
  }));
}

const selectImages = prepared((db, p: { conversationId: string; upTo: number }) =>
  db
    .selectFrom('picture')
    .innerJoin('message', 'message.id', 'picture.message_id')
    .select(['message_id', 'width', 'height', 'size', isRefused(p.upTo).as('refused')])
    .where('picture.conversation_id', '=', p.conversationId)
    .where('message.conversation_id', '=', p.conversationId)
    .where('message.superseded_at', 'is', null)
    .where('seq', '<=', p.upTo)
    .where('seq', '>=', promptStart(p.conversationId, p.upTo))
    .where(isInPrompt(p.conversationId))
    .limit(fixed(MOST_FOUND)),
);

/** The bytes of all pictures that an account keeps, those of superseded messages included. */
export async function sumImages(tx: Tx, accountId: string): Promise<number> {
  const { sum } = await tx
    .selectFrom('picture')
    .innerJoin('conversation', 'conversation.id', 'picture.conversation_id')
    .select((eb) => eb.fn.sum<number | string | null>('size').as('sum'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  return Number(sum ?? 0);
}

/** One picture with its bytes; undefined if it isn't this account's. */
export async function findOwnImage(
  db: Reader,
  accountId: string,
  { messageId, place }: Place,
): Promise<(StoredImage & { data: Uint8Array }) | undefined> {
  const row = await db
    .selectFrom('picture')
    .innerJoin('conversation', 'conversation.id', 'picture.conversation_id')
    .select([...HEAD, 'bytes'])
    .where('message_id', '=', messageId)
    .where('place', '=', place)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row && { ...toImage(row), data: row.bytes };
}

/** Where the pictures of a conversation stand, superseded messages included. */
export async function listImages(db: Reader, conversationId: string): Promise<(Place & StoredImage)[]> {
  const rows = await db
    .selectFrom('picture')
    .select(HEAD)
    .where('conversation_id', '=', conversationId)
    .orderBy('message_id')
    .orderBy('place')
    .execute();
  return rows.map((row) => ({ ...toImage(row), messageId: row.message_id, place: row.place }));
}

/** The name of a picture's file in an export. */
export const imageFile = ({ messageId, place, mediaType }: Place & Pick<StoredImage, 'mediaType'>): string =>
  `pictures/${messageId}-${place}.${mediaType.slice('image/'.length)}`;
