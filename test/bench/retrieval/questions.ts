import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An entry of a changelog, with the files that its release changed. */
export interface Question {
  package: string;
  /** The release that is searched: older than all changes that are asked for. */
  base: string;
  /** The release that has the change. */
  version: string;
  text: string;
  files: string[];
  /** Nothing was tuned by it. */
  held: boolean;
  /** The address of the changelog. */
  source: string;
}

export const readQuestions = async (): Promise<Question[]> =>
  JSON.parse(await readFile(join(import.meta.dirname, 'questions.json'), 'utf8'));
