/** Where a proposal came from, so that the chat can show what became of it beside the answer that made it. */
export interface Source {
  /** For people: "Edit client.ts", "Apply to 3 files". */
  title: string;
  runId?: string;
  conversationId?: string;
  /** The chat's name for the part of the answer that it is. */
  block?: string;
}

/** What was accepted of one file: its whole text before and after; undefined where there is no such file then. */
export interface AcceptedFile extends OfBlocks {
  /** The file's address before. */
  uri: string;
  /** Its address after, where it was moved. */
  movedTo?: string;
  before: string | undefined;
  after: string | undefined;
}

/** The named blocks of an answer that a change is of. */
export interface OfBlocks {
  blocks?: readonly string[];
  /** Those of them of which not all hunks were accepted. */
  partly?: readonly string[];
}

/** Something that was accepted and can be taken back: a checkpoint. */
export interface Accepted {
  source: Source;
  files: AcceptedFile[];
}
