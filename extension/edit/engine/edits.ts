/** How a place was found, from the strictest to the loosest. */
export type How =
  | 'exact'
  | 'lineEnds'
  | 'trailingBlanks'
  | 'reindented'
  | 'punctuation'
  | 'escapes'
  | 'similar'
  /** Needs no search: a new file, a whole file, the selection. */
  | 'given';

/** One line of a change as the model wrote it, without the format's own mark. */
export interface ChangeLine {
  /** `keep`: stays as in the file. `old`: is removed. `new`: is added. */
  op: 'keep' | 'old' | 'new';
  text: string;
  /** Another reading of a kept line: in V4A a leading blank may be the mark of context, or part of the line. */
  otherText?: string;
}

interface InAnswer {
  /** The file, as the model names it; undefined if the model names none. */
  path?: string;
  /** Words that name a file but can't be read as a path. The edit's file is unknown. */
  unreadable?: string;
  /** The line of the answer, from 1, at which it begins. */
  answerLine: number;
  /** The name of its part of the answer. Its hunks carry the name, too. */
  block?: string;
  /** It was applied before. The user may have undone it by hand since. */
  wasMade?: boolean;
}

/** The line between the old and the new side. A heading's underline looks the same. */
export interface Divider {
  text: string;
  /** The block's marks don't show whether it is the divider or a line of text. */
  mayBeText: boolean;
}

/**
 * What the user says about code of an existing file: it is all of it, or a part, so that lines which the code lacks
 * stay.
 */
export type Reading = 'file' | 'part';

/** Lines to find in a file, and their replacement. */
export interface Change extends InAnswer {
  kind: 'change';
  format: 'searchReplace' | 'v4a';
  lines: ChangeLine[];
  /** Search/replace only. */
  divider?: Divider;
  /** V4A: lines somewhere above, such as the function's head; outermost first. */
  headings: string[];
  /** V4A: the change ends where the file ends. */
  atEndOfFile: boolean;
}

/** One complete edit in a model's answer. */
export type Edit =
  | Change
  /** A file that must not exist yet. */
  | (InAnswer & { kind: 'create'; lines: string[] })
  | (InAnswer & { kind: 'delete' })
  | (InAnswer & { kind: 'move'; to: string })
  /**
   * The whole of a file, existing or new; without a path, a piece of code whose place is unknown. `longer`: other
   * possible ends, shortest first, because the code quotes fences and so may end at a later one.
   */
  | (InAnswer & { kind: 'whole'; lines: string[]; longer?: string[][]; reading?: Reading })
  /** An edit that breaks the format's rules: nothing is written to its file. */
  | (InAnswer & { kind: 'malformed'; message: string; lines: string[] });

export type Reason =
  | 'malformed'
  /** The answer doesn't name its file. */
  | 'noPath'
  | 'notFound'
  | 'ambiguous'
  | 'overlap'
  | 'fileExists'
  | 'fileMissing'
  /** The place is known, but not how to write the new lines there. */
  | 'uncertain'
  /** The new text omits code by an ellipsis: writing it would delete that code. */
  | 'elided'
  /** Nothing would change. */
  | 'noChange'
  /** Perigee doesn't write to such a file: outside the workspace, binary, too large, a link. */
  | 'forbidden';

/** The lines of the file that are most similar to the searched ones. */
export interface Nearest {
  /** Counted from 1. */
  line: number;
  lines: string[];
  /** 0 to 1. */
  similarity: number;
}

/** Why an edit was not applied, as a value. */
export interface Refusal {
  reason: Reason;
  /** One sentence for a person. */
  message: string;
  lookedFor: string[];
  nearest?: Nearest;
  /** The lines, from 1, at which the equally good places begin. */
  candidates?: number[];
  answerLine?: number;
  /** The readings between which the user may choose. */
  readings?: Reading[];
}

/** Lines of a file to replace. An insertion has no `oldLines`, a deletion no `newLines`. */
export interface PlacedHunk {
  /** Counted from 0, in the text before any hunk. */
  startLine: number;
  /** As the file has them. */
  oldLines: string[];
  newLines: string[];
  how: How;
  /** The named blocks of the answer that it comes from. */
  blocks?: readonly string[];
}

/** The plan for one file: all of its edits, or none of them. */
export type FilePlan = (
  | { kind: 'create'; path: string; after: string; hunks: PlacedHunk[] }
  | { kind: 'update'; path: string; before: string; after: string; hunks: PlacedHunk[] }
  /** Moved, with or without changes. */
  | { kind: 'move'; path: string; to: string; before: string; after: string; hunks: PlacedHunk[] }
  | { kind: 'delete'; path: string; before: string }
  /** `path`: undefined if the answer names no file. `placed`: hunks that fit, but are withheld. */
  | { kind: 'refused'; path?: string; before?: string; refusals: Refusal[]; placed: PlacedHunk[] }
) & {
  /** The named blocks of the answer that it comes from. */
  blocks?: readonly string[];
  /** The edits that were left out because the file contains them already. */
  standing?: readonly StandingEdit[];
};

/** An edit whose new lines are in the file already. */
export interface StandingEdit extends Pick<InAnswer, 'answerLine' | 'block'> {
  /**
   * The line, from 1, at which its new lines begin; undefined for a piece of code, which may stand in several parts.
   */
  line?: number;
  /** False for one or two lines that the edit may mean to add again. */
  isSure: boolean;
}
