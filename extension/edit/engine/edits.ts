/** How a place was found, from the strictest to the loosest. */
export type How =
  | 'exact'
  | 'lineEnds'
  | 'trailingBlanks'
  | 'reindented'
  | 'punctuation'
  | 'escapes'
  | 'similar'
  /** No place had to be found: a new file, a whole file, the selection. */
  | 'given';

/** One line of a change as the model wrote it, without the format's own mark. */
export interface ChangeLine {
  /** `keep`: stays as the file has it. `old`: goes. `new`: comes. */
  op: 'keep' | 'old' | 'new';
  text: string;
  /** Another reading of a kept line: in V4A a leading blank is the mark of context, or the line's own. */
  otherText?: string;
}

interface InAnswer {
  /** The file it is for, as the model names it; undefined when it names none. */
  path?: string;
  /** The words that name a file, but can't be read as one: it is for none that is known by now. */
  unreadable?: string;
  /** The line of the answer, counted from 1, at which it begins. */
  answerLine: number;
  /** A name for the part of the answer that it is, which goes along with its hunks. */
  block?: string;
  /** It is known to have been made once, and perhaps taken back by hand. */
  wasMade?: boolean;
}

/** The line that parts old from new. A heading's underline looks the same. */
export interface Divider {
  text: string;
  /** The block's marks don't tell that it is the divider, and no line of the text. */
  mayBeText: boolean;
}

/** Lines to be found in a file, and what becomes of them. */
export interface Change extends InAnswer {
  kind: 'change';
  format: 'searchReplace' | 'v4a';
  lines: ChangeLine[];
  /** Search/replace alone. */
  divider?: Divider;
  /** V4A: lines that stand somewhere above, such as the function's head; outermost first. */
  headings: string[];
  /** V4A: the change ends where the file ends. */
  atEndOfFile: boolean;
}

/** Something that a model's answer asks for, whole: it came to its end. */
export type Edit =
  | Change
  /** A file that must not exist yet. */
  | (InAnswer & { kind: 'create'; lines: string[] })
  | (InAnswer & { kind: 'delete' })
  | (InAnswer & { kind: 'move'; to: string })
  /**
   * All of a file, existing or new; without a path, a piece of code whose place the answer doesn't tell. `longer`: what it
   * may be as well, since it quotes fences and so may end at a later one; the shortest first.
   */
  | (InAnswer & { kind: 'whole'; lines: string[]; longer?: string[][] })
  /** Something that breaks the format's rules: nothing is written to its file. */
  | (InAnswer & { kind: 'malformed'; message: string; lines: string[] });

export type Reason =
  | 'malformed'
  /** The answer doesn't say for which file it is. */
  | 'noPath'
  | 'notFound'
  | 'ambiguous'
  | 'overlap'
  | 'fileExists'
  | 'fileMissing'
  /** The place is known, but not how the new lines are to be written there. */
  | 'uncertain'
  /** The new text leaves out code by an ellipsis: writing it would delete what it stands for. */
  | 'elided'
  /** Nothing would change. */
  | 'noChange'
  /** The file is one that Perigee doesn't write to: outside the workspace, binary, too large, a link. */
  | 'forbidden';

/** Lines of the file that come nearest to what was looked for. */
export interface Nearest {
  /** Counted from 1. */
  line: number;
  lines: string[];
  /** 0 to 1. */
  similarity: number;
}

/** Why something was not applied, as a value. */
export interface Refusal {
  reason: Reason;
  /** One sentence for a person. */
  message: string;
  lookedFor: string[];
  nearest?: Nearest;
  /** The lines, counted from 1, at which equally good places begin. */
  candidates?: number[];
  answerLine?: number;
}

/** Lines of a file to be replaced; an insertion has no `oldLines`, a deletion no `newLines`. */
export interface PlacedHunk {
  /** Counted from 0, in the text before any hunk. */
  startLine: number;
  /** As the file has them. */
  oldLines: string[];
  newLines: string[];
  how: How;
  /** The blocks of the answer that it is of, where they have names. */
  blocks?: readonly string[];
}

/** What becomes of one file: all that was asked for, or nothing of it. */
export type FilePlan = (
  | { kind: 'create'; path: string; after: string; hunks: PlacedHunk[] }
  | { kind: 'update'; path: string; before: string; after: string; hunks: PlacedHunk[] }
  /** Moved, with or without changes. */
  | { kind: 'move'; path: string; to: string; before: string; after: string; hunks: PlacedHunk[] }
  | { kind: 'delete'; path: string; before: string }
  /** `path` is undefined where the answer names no file. `placed`: the hunks that did fit, which are withheld. */
  | { kind: 'refused'; path?: string; before?: string; refusals: Refusal[]; placed: PlacedHunk[] }
) & {
  /** The named blocks of the answer that it is of. */
  blocks?: readonly string[];
  /** What was left out of it since it was made already. */
  standing?: readonly StandingEdit[];
};

/** An edit of which the new lines stand in the file already. */
export interface StandingEdit extends Pick<InAnswer, 'answerLine' | 'block'> {
  /** At which its new lines begin, counted from 1; undefined for a piece of code, which may stand in several parts. */
  line?: number;
  /** False for a line or two that the edit may mean to add a second time. */
  isSure: boolean;
}
