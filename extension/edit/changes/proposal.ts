/** The source of a proposal, so that the chat can show the result beside the answer. */
export interface Source {
  /** A title for the user: "Edit client.ts", "Apply to 3 files". */
  title: string;
  runId?: string;
  conversationId?: string;
  /** The id of the answer's code block, if the proposal came from one. */
  block?: string;
}

/** The accepted change of one file: its whole text before and after; undefined where the file does not exist. */
export interface AcceptedFile extends OfBlocks {
  /** The file's URI before the change. */
  uri: string;
  /** The file's URI after the change, if it was moved. */
  movedTo?: string;
  before: string | undefined;
  after: string | undefined;
}

/** The named blocks of an answer that a change comes from. */
export interface OfBlocks {
  blocks?: readonly string[];
  /** The blocks of which some hunks were not accepted. */
  partly?: readonly string[];
}

/** Accepted changes that can be undone: a checkpoint. */
export interface Accepted {
  source: Source;
  files: AcceptedFile[];
}
