// The pictures of a request: which are accepted, and which go along.
import {
  IMAGE_TYPES,
  imageTokens,
  imageTokensBound,
  MAX_CONVERSATION_IMAGES,
  MAX_GUEST_IMAGES,
  MAX_IMAGE_BYTES,
  MAX_IMAGE_SIDE,
  MAX_IMAGES,
  MAX_PROMPT_IMAGE_BYTES,
  readImageHead,
} from '../../../shared/media/images.ts';
import type { Model } from '../../../shared/models.ts';
import type { ImageInput } from '../../../shared/runs.ts';
import type { PromptSize, StoredAttachment } from '../../conversations/attachments.ts';
import { findImages, sumImages } from '../../conversations/pictures.ts';
import type { Tx } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';

/** A new picture, judged by its own bytes: its header alone is read, nothing is decoded. Throws `picture_unreadable`. */
export function storedPicture({ path, mediaType, data: base64 }: ImageInput): StoredAttachment {
  const refused = (why: string) =>
    new AppError(
      'picture_unreadable',
      `“${path.slice(0, 100)}” ${why} Nothing was started; remove it, or send another.`,
    );
  if (!(IMAGE_TYPES as readonly string[]).includes(mediaType))
    throw refused('is of a type that models do not read. Send a PNG, JPEG, WebP or GIF.');
  const data = Buffer.from(base64, 'base64');
  // Node skips what is no base64; a service may read it differently.
  if (data.toString('base64') !== base64) throw refused('is not sent as base64.');
  if (data.length > MAX_IMAGE_BYTES) throw refused(`has ${data.length} bytes, and may have ${MAX_IMAGE_BYTES}.`);
  const head = readImageHead(data);
  if (!head) throw refused('is damaged, or no PNG, JPEG, WebP or GIF.');
  if (head.mediaType !== mediaType) throw refused(`is sent as ${mediaType}, and is ${head.mediaType}.`);
  const { width, height } = head;
  if (Math.max(width, height) > MAX_IMAGE_SIDE)
    throw refused(`has ${width} × ${height} pixels, and each side may have ${MAX_IMAGE_SIDE}.`);
  return {
    kind: 'image',
    path,
    text: '',
    image: { mediaType: head.mediaType, width, height, bytes: data.length, data },
  };
}

/** The bytes of the pictures that an account may keep. */
export const MAX_KEPT_BYTES = { member: 200_000_000, guest: 20_000_000 };

/**
 * Refuses new pictures that an account has no room for. Those sent again by their id count as new: each message keeps
 * its own. Call it once the wallet is locked, so that requests of one account come one after the other.
 */
export async function refuseBeyondKept(
  tx: Tx,
  { accountId, accountKind }: { accountId: string; accountKind: keyof typeof MAX_KEPT_BYTES },
  { added }: Pick<Asking, 'added'>,
): Promise<void> {
  const bytes = (added?.attached ?? []).reduce((sum, { image }) => sum + (image?.bytes ?? 0), 0);
  const most = MAX_KEPT_BYTES[accountKind];
  if (bytes === 0 || (await sumImages(tx, accountId)) + bytes <= most) return;
  throw new AppError(
    'too_many_pictures',
    `The pictures in all your chats can have ${most / 1_000_000} MB together. Nothing was started: delete chats with pictures that you no longer need, or send this without the picture. Pictures of messages that were replaced count for 30 days.`,
  );
}

const WAY_ON = 'Nothing was started: send /compact, after which the earlier ones stay behind, or go on in a new chat.';

type Size = { width: number; height: number };

/** What is asked for: see `Asked`. */
interface Asking {
  added: { attached: readonly { image?: (Size & { bytes: number }) | undefined }[] } | null;
  earlier: { upTo: number | undefined } | { ids: readonly string[] } | null;
  questionId: string | null;
  compacting: boolean;
}

export interface PromptPictures {
  /** Those that go along. */
  count: number;
  /** Their bytes. */
  bytes: number;
  /** The most tokens that they have. */
  tokensBound: number;
  /** The earlier messages with pictures that go along. */
  sent: ReadonlySet<string>;
  /** What the messages were measured with, and does not go along. */
  leftOut: PromptSize;
}

/**
 * The pictures in a request's prompt. Those of earlier messages are left out for a model without vision, and if the service
 * refused the question that they came with: it would refuse all later ones. A model without vision refuses the question's
 * own: the answer would be about nothing. Throws `no_vision` and `too_many_pictures`.
 */
export async function picturesOf(
  tx: Tx,
  { accountKind }: { accountKind: keyof typeof MAX_KEPT_BYTES },
  model: Model,
  conversationId: string,
  { added, earlier, questionId, compacting }: Asking,
): Promise<PromptPictures> {
  const own = (added?.attached ?? []).flatMap(({ image }) => image ?? []);
  const before = earlier && 'upTo' in earlier ? await findImages(tx, conversationId, earlier.upTo) : [];
  const asked = own.length + before.filter(({ messageId }) => messageId === questionId).length;
  // A summary is made of the words.
  if (!model.vision || compacting) {
    if (asked === 0) return { count: 0, bytes: 0, tokensBound: 0, sent: new Set(), leftOut: sizeOf(before) };
    const which = asked > 1 ? 'the pictures' : 'the picture';
    const detail = `${model.name} reads no pictures. Nothing was started: choose another model, or remove ${which}.`;
    throw new AppError('no_vision', detail);
  }
  if (own.length > MAX_IMAGES)
    throw new AppError('too_many_pictures', `A message can have ${MAX_IMAGES} pictures. Nothing was started.`);
  const sent = before.filter(({ isRefused }) => !isRefused);
  const all = [...own, ...sent];
  const most = accountKind === 'guest' ? MAX_GUEST_IMAGES : MAX_CONVERSATION_IMAGES;
  if (all.length > most)
    throw new AppError(
      'too_many_pictures',
      `A chat${accountKind === 'guest' ? ' of a guest' : ''} can have ${most} pictures, because all are sent with each question. ${WAY_ON}`,
    );
  const bytes = all.reduce((sum, image) => sum + image.bytes, 0);
  if (bytes > MAX_PROMPT_IMAGE_BYTES)
    throw new AppError(
      'too_many_pictures',
      `The pictures of a chat can have ${MAX_PROMPT_IMAGE_BYTES / 1_000_000} MB together, because all are sent with each question. ${WAY_ON}`,
    );
  return {
    count: all.length,
    bytes,
    tokensBound: sizeOf(all).bytes,
    sent: new Set(sent.map(({ messageId }) => messageId)),
    leftOut: sizeOf(before.filter(({ isRefused }) => isRefused)),
  };
}

/** What pictures add to the size of a prompt. */
const sizeOf = (images: readonly Size[]): PromptSize => ({
  tokens: images.reduce((sum, image) => sum + imageTokens(image), 0),
  bytes: images.reduce((sum, image) => sum + imageTokensBound(image), 0),
});
