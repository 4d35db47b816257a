import { MAX_IMAGE_BYTES, MAX_IMAGE_FILE_BYTES, readImageHead } from '../../../shared/media/images.ts';
import { count } from './format.ts';

/** The longer side of a picture as it is sent. Models make larger ones smaller themselves. */
const MAX_SIDE = 1_568;
/** Decoded, that takes 160 MB: more pixels than the cameras of phones have at their usual size. */
const MAX_PIXELS = 40_000_000;

/** A picture as base64, or what is wrong with it, behind its name. */
export type Shrunk = { data: string } | { why: string };

/**
 * Makes a picture small enough to be sent. Its size is read from its first bytes before anything is decoded. It is
 * always encoded anew, so that nothing goes along but what can be seen.
 */
export async function shrink(file: Blob): Promise<Shrunk> {
  if (file.size > MAX_IMAGE_FILE_BYTES)
    return { why: `is too large: a picture may have ${MAX_IMAGE_FILE_BYTES / 1e6} MB.` };
  const head = await file.arrayBuffer().then(
    (buffer) => readImageHead(new Uint8Array(buffer)),
    () => null,
  );
  if (!head) return { why: 'is no PNG, JPEG, WebP or GIF. Save it as one of them.' };
  const { mediaType, width, height } = head;
  if (width * height > MAX_PIXELS)
    return { why: `has ${count(width)} × ${count(height)} pixels, and may have 40 million. Cut or shrink it first.` };
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(new Blob([file], { type: mediaType }));
  } catch {
    return { why: 'is damaged: it cannot be drawn.' };
  }
  try {
    const isPhoto = mediaType === 'image/jpeg';
    for (const side of [MAX_SIDE, 1_024, 640])
      for (const [type, quality] of isPhoto ? LOSSY : FORMS) {
        const blob = await drawn(bitmap, side, type, quality);
        if (blob && blob.size <= MAX_IMAGE_BYTES) return { data: await base64Of(blob) };
      }
    return { why: 'cannot be made small enough.' };
  } finally {
    bitmap.close();
  }
}

const LOSSY = [
  ['image/jpeg', 0.85],
  ['image/jpeg', 0.6],
] as const;
/** Letters stay sharp in a PNG. */
const FORMS = [['image/png', undefined], ...LOSSY] as const;

function drawn(bitmap: ImageBitmap, side: number, type: string, quality?: number): Promise<Blob | null> {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  if (!context) return Promise.resolve(null);
  context.imageSmoothingQuality = 'high';
  if (type === 'image/jpeg') {
    // What shows through would become black.
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

function base64Of(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(String(reader.result).replace(/^[^,]*,/, '')));
    reader.addEventListener('error', () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}

/** Throws if the text is not base64. */
export const blobOf = (base64: string, type = ''): Blob =>
  new Blob([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], { type });
