import type * as vscode from 'vscode';

/** The part of `Edits` for ready-made requests. Each call resolves when its review begins, or there is none. */
export interface FileEdits {
  /** Edits one document in place. If it can't be edited, `editFile` tells the user why. */
  editFile(edit: { document: vscode.TextDocument; instruction: string; title: string }): Promise<void>;
  /** Proposes changes to several files, or new files. `paths`: other files, of which only the names are sent. */
  editWorkspace(edit: {
    files: readonly vscode.Uri[];
    instruction: string;
    title: string;
    paths?: readonly string[];
  }): Promise<void>;
}
