import type * as vscode from 'vscode';

/** The part of `Edits` that ready-made requests need. Each resolves when its review has begun, or it came to nothing. */
export interface FileEdits {
  /** Has one document changed in place. It refuses by itself, in words, what can't be edited. */
  editFile(edit: { document: vscode.TextDocument; instruction: string; title: string }): Promise<void>;
  /** Has several files changed, or new ones made, as a proposal. `paths`: other files, by name only. */
  editWorkspace(edit: {
    files: readonly vscode.Uri[];
    instruction: string;
    title: string;
    paths?: readonly string[];
  }): Promise<void>;
}
