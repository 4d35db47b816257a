import { useRef, useState } from 'preact/hooks';
import { MAX_PICTURE_BYTES, MAX_PICTURES, PICTURE_TYPES, type Picture } from '../../../../../shared/decisions.ts';
import { asFailure, call, sendFile } from '../../../kit/api.ts';

export const pictureAt = (decision: string, id?: string) =>
  `/api/account/decisions/${decision}/pictures${id === undefined ? '' : `/${id}`}`;

/** A picture that is being sent, was sent, or was refused. */
export interface Chosen {
  key: string;
  name: string;
  /** Where it can be seen: on the server once it is there, as a `data:` URL before. */
  src: string | undefined;
  /** Of it that was sent, 0 to 1. */
  sent: number;
  picture: Picture | undefined;
  refusal: string | undefined;
}

const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

/** Why it is not even tried to send this file. */
function refusalOf(file: File): string | undefined {
  if (!(PICTURE_TYPES as readonly string[]).includes(file.type)) return 'Only PNG, JPEG and WebP pictures can be read.';
  if (file.size > MAX_PICTURE_BYTES)
    return `It has ${megabytes(file.size)}, and a picture may have ${megabytes(MAX_PICTURE_BYTES)}. Make it smaller.`;
  return undefined;
}

const read = (file: File) =>
  new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(String(reader.result)));
    reader.addEventListener('error', () => reject(reader.error));
    reader.readAsDataURL(file);
  });

/** The pictures of an appeal, each sent as soon as it is chosen. `waiting`: those that were sent before a reload. */
export function usePictures(decision: string, waiting: readonly Picture[]) {
  const [all, setAll] = useState<readonly Chosen[]>(() =>
    waiting.map((picture, n) => ({
      key: picture.id,
      name: `Picture ${n + 1}`,
      src: pictureAt(decision, picture.id),
      sent: 1,
      picture,
      refusal: undefined,
    })),
  );
  const now = useRef(all);
  const set = (next: readonly Chosen[]) => {
    now.current = next;
    setAll(next);
  };
  const change = (key: string, part: Partial<Chosen>) =>
    set(now.current.map((one) => (one.key === key ? { ...one, ...part } : one)));
  const send = async (key: string, file: File) => {
    try {
      const src = await read(file).catch(() => undefined);
      change(key, { src });
      const picture = await sendFile<Picture>(pictureAt(decision), file, (sent) => change(key, { sent }));
      // Removed meanwhile: it goes from the server as well.
      if (!now.current.some((one) => one.key === key)) await call('DELETE', pictureAt(decision, picture.id));
      else change(key, { picture, sent: 1, src: pictureAt(decision, picture.id) });
    } catch (error) {
      const { title, detail } = asFailure(error);
      change(key, { refusal: `${title}. ${detail}`, src: undefined });
    }
  };
  const add = (files: readonly File[]) => {
    for (const file of files) {
      const key = crypto.randomUUID();
      const good = now.current.filter((one) => one.refusal === undefined).length;
      const refusal =
        good >= MAX_PICTURES
          ? `An appeal has ${MAX_PICTURES} pictures at most. Remove another one first.`
          : refusalOf(file);
      set([
        ...now.current,
        { key, name: file.name || 'Pasted picture', src: undefined, sent: 0, picture: undefined, refusal },
      ]);
      if (refusal === undefined) void send(key, file);
    }
  };
  const remove = async (key: string) => {
    const one = now.current.find((chosen) => chosen.key === key);
    set(now.current.filter((chosen) => chosen.key !== key));
    // If it cannot be deleted now, it goes after a day: nobody sees what was not sent with the appeal.
    if (one?.picture) await call('DELETE', pictureAt(decision, one.picture.id)).catch(() => {});
  };
  return { all, add, remove };
}
