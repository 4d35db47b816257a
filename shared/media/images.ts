// Pictures in a chat's message: their bounds, how they are counted, and what the first bytes of a file say about it.

/** The types that model services read. SVG is none of them: it is a program, not a picture. */
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** In one message. */
export const MAX_IMAGES = 4;
/** In one prompt of a guest, whose run has one price. */
export const MAX_GUEST_IMAGES = 4;
/** In one conversation: all of them are sent with each question. */
export const MAX_CONVERSATION_IMAGES = 20;
/** Of all pictures that are sent with one question. */
export const MAX_PROMPT_IMAGE_BYTES = 8_000_000;
/** Of one picture as it is sent. */
export const MAX_IMAGE_BYTES = 1_000_000;
/** Of a file that a client reads, to make the picture in it smaller before it is sent. */
export const MAX_IMAGE_FILE_BYTES = 20_000_000;
/** The longer side as it is sent, in pixels. Some services refuse more where several pictures come together. */
export const MAX_IMAGE_SIDE = 2_000;

/**
 * The most tokens of a picture of this size: those of gpt-4o-mini by OpenAI's guide to images and vision, which are 2,833
 * and 5,667 for each tile of 512 × 512, after the picture was made to fit into 2,048 × 2,048 and its shorter side into
 * 768. Qwen2-VL, with a token for each 28 × 28 pixels, Anthropic, Gemini and Llama take fewer up to `MAX_IMAGE_SIDE`.
 */
export function imageTokensBound({ width, height }: { width: number; height: number }): number {
  const scale = Math.min(1, 2_048 / Math.max(width, height), 768 / Math.min(width, height));
  const tiles = Math.ceil((width * scale) / 512) * Math.ceil((height * scale) / 512);
  return 2_833 + 5_667 * tiles;
}

/** The same for a picture of unknown size: eight tiles. Qwen2-VL's own settings allow 16,384. */
export const IMAGE_TOKENS_BOUND = imageTokensBound({ width: 768, height: 2_048 });

/**
 * An estimate of a picture's tokens by Anthropic's published rule. Of a screenshot of 1,280 × 960 it makes 1,639;
 * OpenAI's tiles make 1,105 of it, Qwen-VL 1,564. No service takes less than 85 for one.
 */
export const imageTokens = (size: { width: number; height: number }): number =>
  Math.min(imageTokensBound(size), Math.max(85, Math.ceil((size.width * size.height) / 750)));

/** The length of so many bytes as base64. */
export const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

export interface ImageHead {
  mediaType: ImageType;
  width: number;
  height: number;
}

/** Reads a picture's type and size from its first bytes, without decoding it. Null if they are of no known type. */
export function readImageHead(bytes: Uint8Array): ImageHead | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = ofPng(view) ?? ofGif(view) ?? ofWebp(view) ?? ofJpeg(view);
  return head && head.width > 0 && head.height > 0 ? head : null;
}

const startsWith = (view: DataView, text: string, at = 0) =>
  view.byteLength >= at + text.length && [...text].every((char, i) => view.getUint8(at + i) === char.charCodeAt(0));

function ofPng(view: DataView): ImageHead | null {
  if (!startsWith(view, '\x89PNG\r\n\x1a\n') || !startsWith(view, 'IHDR', 12) || view.byteLength < 24) return null;
  return { mediaType: 'image/png', width: view.getUint32(16), height: view.getUint32(20) };
}

function ofGif(view: DataView): ImageHead | null {
  if ((!startsWith(view, 'GIF87a') && !startsWith(view, 'GIF89a')) || view.byteLength < 13) return null;
  let [width, height] = [view.getUint16(6, true), view.getUint16(8, true)];
  let frames = 0;
  let at = 13 + colours(view.getUint8(10));
  while (at < view.byteLength && view.getUint8(at) !== 0x3b) {
    const block = view.getUint8(at);
    if (block === 0x2c && at + 10 < view.byteLength) {
      // Decoders make the screen larger for a frame that does not fit on it.
      width = Math.max(width, view.getUint16(at + 1, true) + view.getUint16(at + 5, true));
      height = Math.max(height, view.getUint16(at + 3, true) + view.getUint16(at + 7, true));
      frames++;
      at += 11 + colours(view.getUint8(at + 9));
    } else if (block === 0x21) at += 2;
    else return null;
    for (let size = -1; size !== 0 && at < view.byteLength; at += 1 + size) size = view.getUint8(at);
  }
  return frames > 0 ? { mediaType: 'image/gif', width, height } : null;
}

/** The bytes of the table of colours that a GIF's flags announce. */
const colours = (flags: number) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);

function ofWebp(view: DataView): ImageHead | null {
  if (!startsWith(view, 'RIFF') || !startsWith(view, 'WEBP', 8) || view.byteLength < 30) return null;
  const size = webpSize(view);
  return size && { mediaType: 'image/webp', ...size };
}

/** Of the canvas and of each frame the larger: not every decoder holds them to each other. */
function webpSize(view: DataView): { width: number; height: number } | null {
  const less = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  let [width, height, frames] = [0, 0, 0];
  for (let at = 12; at + 18 <= view.byteLength; ) {
    const isFrame = startsWith(view, 'VP8 ', at) || startsWith(view, 'VP8L', at);
    const size = startsWith(view, 'VP8X', at)
      ? { width: less(at + 12) + 1, height: less(at + 15) + 1 }
      : isFrame
        ? frameSize(view, at)
        : null;
    if (size) [width, height] = [Math.max(width, size.width), Math.max(height, size.height)];
    if (isFrame) frames++;
    const bytes = view.getUint32(at + 4, true);
    // A frame of an animation has chunks of its own behind its head.
    at += startsWith(view, 'ANMF', at) ? 24 : 8 + bytes + (bytes % 2);
  }
  return frames > 0 ? { width, height } : null;
}

/** The size in the head of a frame's chunk. */
function frameSize(view: DataView, at: number): { width: number; height: number } {
  if (startsWith(view, 'VP8L', at)) {
    const bits = view.getUint32(at + 9, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return { width: view.getUint16(at + 14, true) & 0x3fff, height: view.getUint16(at + 16, true) & 0x3fff };
}

/** The size stands in the first frame's header, behind segments of any length: thumbnails, colour profiles. */
function ofJpeg(view: DataView): ImageHead | null {
  if (!startsWith(view, '\xff\xd8\xff')) return null;
  for (let at = 2; at + 9 < view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    // Any number of fill bytes may stand before a marker.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { mediaType: 'image/jpeg', height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    if (marker === 0xd9 || marker === 0xda) return null;
    const isAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += isAlone ? 2 : 2 + view.getUint16(at + 2);
  }
  return null;
}
