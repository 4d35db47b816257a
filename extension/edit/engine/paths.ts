export {
  KnownPaths,
  type Named,
  NONE,
  named,
  readAbove,
  readInfo,
  readLine,
} from '../../../shared/answers/answerPaths.ts';

/** Paths that name the same file from the workspace's root. */
export const tidyPath = (path: string) =>
  path
    .trim()
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '');
