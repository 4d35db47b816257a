export {
  KnownPaths,
  type Named,
  NONE,
  named,
  readAbove,
  readInfo,
  readLine,
} from '../../../shared/answers/answerPaths.ts';

/** One spelling for all paths to the same file from the workspace's root. */
export const tidyPath = (path: string) =>
  path
    .trim()
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '');
