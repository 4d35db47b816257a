import type * as vscode from 'vscode';
import type { AttachmentInput } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import { Emitter, type Listen } from '../../platform/emitter.ts';
import { languageIdOf } from '../../platform/languages.ts';
import { AttachmentRefused, head, type StoredChip } from './attachments.ts';

/** The index of the workspace, as the chat uses it. */
export interface Finder {
  /** Why nothing can be found here, in a sentence; undefined if something can. */
  whyNot(): string | undefined;
  readonly isBuilding: boolean;
  /** How many files the index has, while it is built. */
  readonly onProgress: Listen<number>;
  /** Resolves when the index is built, or can't be. */
  prepare(): Promise<void>;
  /** The best pieces for a question, best first, as their files are now. Lines are counted from 1. */
  find(question: string, limit: number): Promise<Piece[]>;
}

interface Piece {
  path: string;
  uri: vscode.Uri;
  from: number;
  to: number;
  text: string;
}

const MOST_PIECES = 8;
/** In characters of all pieces, about four to a token. */
const MOST = 32_000;
/** A pasted log is no question: the words at its beginning are. */
const MOST_ASKED = 2_000;
/** Progress comes with each file. */
const CALM_MS = 200;

const FITS = 'what fits your question';

/**
 * "The workspace" as an attachment: when the message is sent, its text is asked of the index, and the best pieces go
 * along.
 */
export class FoundContext extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  /** `note` changed. */
  readonly onDidChange = this.changed.event;
  /** What the chip says: what it will send, or how far the index is. */
  note = FITS;
  private finder: Finder | undefined;
  private toldAt = 0;

  /** `tell`: shows a note to the user. */
  constructor(
    private readonly index: () => Promise<Finder>,
    private readonly tell: (text: string) => void,
  ) {
    super();
  }

  /** The chip. Begins to build the index. Throws `AttachmentRefused` if nothing can be found here. */
  async chip(): Promise<StoredChip> {
    const finder = await this.open();
    const why = finder.whyNot();
    if (why) throw new AttachmentRefused(why);
    void finder.prepare().finally(() => this.say(FITS));
    return { ...head('found', 'workspace'), label: 'The workspace', tokens: MOST / 4 };
  }

  /**
   * The pieces that fit a question, at most `room`, without the files `taken`. Throws `AttachmentRefused` if nothing can
   * be found, or nothing fits.
   */
  async pieces(question: string, room: number, taken: ReadonlySet<string>): Promise<AttachmentInput[]> {
    const finder = await this.open();
    const why = finder.whyNot();
    if (why) throw new AttachmentRefused(why);
    const found = await finder.find(question.slice(0, MOST_ASKED), MOST_PIECES).finally(() => this.say(FITS));
    const others = found.filter(({ uri }) => !taken.has(uri.toString()));
    // All that fits is attached whole.
    if (found.length > 0 && others.length === 0) return [];
    const pieces = bounded(others.slice(0, room));
    if (pieces.length === 0 && finder.isBuilding)
      throw new AttachmentRefused('The index of the workspace is still being built. Send it again in a moment.');
    if (pieces.length === 0)
      throw new AttachmentRefused('No piece of the workspace fits your question. Ask in words that its code uses.');
    if (finder.isBuilding)
      this.tell('The index of the workspace is still being built, so pieces may be missing. Ask again in a moment.');
    return Promise.all(
      pieces.map(async ({ path, from, to, text }) => ({
        kind: 'found' as const,
        path,
        range: { start: from - 1, end: to - 1 },
        languageId: await languageIdOf(/\.(\w+)$/.exec(path)?.[1]),
        text,
      })),
    );
  }

  private async open(): Promise<Finder> {
    const finder = await this.index();
    if (finder === this.finder) return finder;
    this.finder = finder;
    this._register(
      finder.onProgress((files) => {
        if (Date.now() - this.toldAt > CALM_MS) this.say(`reading files, ${files.toLocaleString('en')} so far`);
      }),
    );
    return finder;
  }

  private say(note: string): void {
    this.toldAt = Date.now();
    if (this.isDisposed || note === this.note) return;
    this.note = note;
    this.changed.fire();
  }
}

/** The pieces that fit into the bound together; of the best, as many whole lines as do. */
function bounded(pieces: readonly Piece[]): Piece[] {
  let rest = MOST;
  return pieces.flatMap((piece, place) => {
    const text = piece.text.length <= rest || place > 0 ? piece.text : wholeLines(piece.text, rest);
    if (text.length > rest || text.trim() === '') return [];
    rest -= text.length;
    return [{ ...piece, text, to: piece.from + text.split('\n').length - 1 }];
  });
}

function wholeLines(text: string, most: number): string {
  const end = text.lastIndexOf('\n', most);
  return end < 0 ? '' : text.slice(0, end);
}
