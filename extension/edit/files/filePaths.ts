import { tidyPath } from '../engine/paths.ts';

/** A model's path, relative to the workspace's root, or a sentence that says why it is refused. */
export type ReadPath = { kind: 'path'; segments: string[] } | { kind: 'refused'; why: string };

const MAX_PATH = 1_024;

/**
 * Accepts only plain paths inside the workspace. The model may have copied a path from an untrusted file, so a path
 * that could lead elsewhere on any operating system is refused on all.
 */
export function readPath(path: string): ReadPath {
  const tidy = tidyPath(path);
  const refuse = (why: string): ReadPath => ({ kind: 'refused', why });
  if (tidy === '' || tidy.endsWith('/')) return refuse('It names no file.');
  if (tidy.length > MAX_PATH) return refuse('Its path is too long.');
  // Includes invisible characters: a zero-width character can disguise a name.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(tidy)) return refuse('Its path has characters in it that can’t be seen.');
  if (/^(?:[a-z]:)?\//i.test(tidy) || /^[a-z]:/i.test(tidy) || tidy.startsWith('~')) {
    return refuse('It is an absolute path. Perigee writes only to paths inside the workspace.');
  }
  if (/^[a-z][a-z\d+.-]*:/i.test(tidy)) return refuse('It is the address of something other than a file.');
  // On Windows, a colon starts the name of an alternate stream.
  if (tidy.includes(':')) return refuse('Its path has a colon in it.');
  const segments = tidy.split('/').filter((segment) => segment !== '' && segment !== '.');
  // Windows drops dots and spaces at the end of a name.
  if (segments.some((segment) => /^[. ]+$/.test(segment))) return refuse('Its path leads out of a folder by "..".');
  if (segments.some((segment) => /^(?:\.git|git~\d+)$/i.test(segment.replace(/[. ]+$/, '')))) {
    return refuse('It belongs to Git itself, which Perigee does not write to.');
  }
  return segments.length > 0 ? { kind: 'path', segments } : refuse('It names no file.');
}

/** Whether `path` equals `end`, or ends with it after a slash. Unicode normal forms don't matter. */
export function endsWithPath(path: string, end: string): boolean {
  const [whole, tail] = [path.normalize('NFC'), end.normalize('NFC')];
  return whole === tail || whole.endsWith(`/${tail}`);
}

/**
 * A glob that finds `path` in any folder. A character with a meaning in globs becomes `?`, and a non-ASCII character
 * becomes `*`, because the disk may store it in another normal form.
 */
export const suffixPattern = (segments: readonly string[]) =>
  `**/${segments.map((segment) => segment.replace(/[*?[\]{}!,\\]/g, '?').replace(/\P{ASCII}+/gu, '*')).join('/')}`;
