import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import type { TrackedHunk } from '../hunks/tracked.ts';
import type { Review } from './review.ts';

/** The URI scheme of documents as they were before an edit. */
export const ORIGINAL_SCHEME = 'perigee-original';

/** The documents as they were before their open hunks, for "Show removed" and "Compare". */
export class Originals extends Disposable implements vscode.TextDocumentContentProvider {
  private readonly changed = this._register(new vscode.EventEmitter<vscode.Uri>());
  readonly onDidChange = this.changed.event;
  /** By URI. Kept after the review's end while a document with it is open. */
  private readonly texts = new Map<string, string>();
  private peeked: Review | undefined;

  constructor() {
    super();
    this._register(vscode.workspace.registerTextDocumentContentProvider(ORIGINAL_SCHEME, this));
    this._register(
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        if (uri.scheme === ORIGINAL_SCHEME) this.texts.delete(uri.toString());
      }),
    );
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  /** The id of the review that a URI belongs to. */
  static reviewOf({ scheme, query }: vscode.Uri): number | undefined {
    return scheme === ORIGINAL_SCHEME ? Number(query.slice('edit='.length)) : undefined;
  }

  /** Shows the removed lines of a hunk in a peek view below it, complete and unchanged. */
  async peek(review: Review, hunk: Readonly<TrackedHunk>): Promise<void> {
    const { document, tracked } = review;
    const uri = this.hold(review);
    const start = tracked.lineBefore(hunk);
    const last = start + hunk.oldLines.length - 1;
    const removed = new vscode.Location(uri, new vscode.Range(start, 0, last, hunk.oldLines.at(-1)!.length));
    const under = Math.min(Math.max(hunk.start, hunk.end - 1), document.lineCount - 1);
    this.peeked = review;
    const args = [document.uri, new vscode.Position(under, 0), [removed], 'peek'];
    await vscode.commands.executeCommand('editor.action.peekLocations', ...args);
  }

  /** Closes the peek view once its hunk is decided. */
  async closePeek(review: Review): Promise<void> {
    if (this.peeked !== review) return;
    this.peeked = undefined;
    await vscode.commands.executeCommand('closeReferenceSearch');
  }

  /** Opens the diff of `review`'s document at `line`. */
  async show(review: Review, line: number): Promise<void> {
    const { document } = review;
    const uri = this.hold(review);
    const name = document.uri.path.split('/').at(-1);
    const at = new vscode.Position(Math.min(line, document.lineCount - 1), 0);
    await vscode.commands.executeCommand('vscode.diff', uri, document.uri, `${name}: before Perigee ↔ now`, {
      selection: new vscode.Range(at, at),
    } satisfies vscode.TextDocumentShowOptions);
  }

  private hold(review: Review): vscode.Uri {
    const uri = originalUri(review);
    this.texts.set(uri.toString(), review.tracked.before().join('\n'));
    this.changed.fire(uri);
    return uri;
  }

  /** Updates an open diff after the review's hunks changed. */
  refresh(review: Review): void {
    const uri = originalUri(review);
    const key = uri.toString();
    const text = this.texts.get(key);
    if (text === undefined) return;
    const next = review.tracked.before().join('\n');
    if (next === text) return;
    this.texts.set(key, next);
    this.changed.fire(uri);
  }
}

function originalUri({ id, document }: Review): vscode.Uri {
  const path = document.uri.path.startsWith('/') ? document.uri.path : `/${document.uri.path}`;
  return vscode.Uri.from({ scheme: ORIGINAL_SCHEME, path, query: `edit=${id}` });
}
