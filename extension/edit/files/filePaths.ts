import { tidyPath } from '../engine/paths.ts';

/** A path as a model wrote it, read from the workspace's root; or in a sentence why no file of it is touched. */
export type ReadPath = { kind: 'path'; segments: string[] } | { kind: 'refused'; why: string };

const MAX_PATH = 1_024;

/**
 * Only plain paths inside the workspace pass. A model may have read them in a file that somebody else wrote, so whatever
 * could lead elsewhere on any operating system is refused on all.
 */
export function readPath(path: string): ReadPath {
  const tidy = tidyPath(path);
  const refuse = (why: string): ReadPath => ({ kind: 'refused', why });
  if (tidy === '' || tidy.endsWith('/')) return refuse('It names no file.');
  if (tidy.length > MAX_PATH) return refuse('Its path is too long.');
  // Also what can't be seen: a zero-width character can hide what a name says.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(tidy)) return refuse('Its path has characters in it that can’t be seen.');
  if (/^(?:[a-z]:)?\//i.test(tidy) || /^[a-z]:/i.test(tidy) || tidy.startsWith('~')) {
    return refuse('It is an absolute path. Perigee writes only to paths inside the workspace.');
  }
  if (/^[a-z][a-z\d+.-]*:/i.test(tidy)) return refuse('It is the address of something other than a file.');
  // Windows takes what follows a colon for another stream of the file.
  if (tidy.includes(':')) return refuse('Its path has a colon in it.');
  const segments = tidy.split('/').filter((segment) => segment !== '' && segment !== '.');
  // Windows drops dots and blanks at the end of a name.
  if (segments.some((segment) => /^[. ]+$/.test(segment))) return refuse('Its path leads out of a folder by "..".');
  if (segments.some((segment) => /^(?:\.git|git~\d+)$/i.test(segment.replace(/[. ]+$/, '')))) {
    return refuse('It belongs to Git itself, which Perigee does not write to.');
  }
  return segments.length > 0 ? { kind: 'path', segments } : refuse('It names no file.');
}

/** Whether `path` is `end`, or ends with it from a folder on, in whichever normal form either is. */
export function endsWithPath(path: string, end: string): boolean {
  const [whole, tail] = [path.normalize('NFC'), end.normalize('NFC')];
  return whole === tail || whole.endsWith(`/${tail}`);
}

/**
 * What a search finds `path` by, in any folder: characters with a meaning in patterns stand for any character, and others
 * than ASCII for any number of them, since a disk may have them in another normal form.
 */
export const suffixPattern = (segments: readonly string[]) =>
  `**/${segments.map((segment) => segment.replace(/[*?[\]{}!,\\]/g, '?').replace(/\P{ASCII}+/gu, '*')).join('/')}`;
