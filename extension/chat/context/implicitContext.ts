import * as vscode from 'vscode';
import { MAX_ATTACHMENTS } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import { Emitter } from '../../platform/emitter.ts';
import { IMPLICIT_CONTEXT, sendsImplicitContext } from '../../platform/settings.ts';
import { whyNotUnasked } from '../../platform/unasked.ts';
import type { Surroundings } from '../protocol.ts';
import {
  AttachmentRefused,
  baseName,
  linesLabel,
  partChip,
  type StoredChip,
  selectedLines,
  workspacePath,
} from './attachments.ts';
import type { Draft } from './drafts.ts';

/** Selecting, scrolling and typing make many changes a second; the chip need not be updated for each. */
const CALM_MS = 150;
/** In characters, about four to a token. The user must attach more than this by hand, and so sees what it costs. */
const MOST = { selection: 100_000, visible: 20_000 };
/** How many past chips can still be sent: the page may send one that it showed a moment ago. */
const REMEMBERED = 3;

/** What the active file shows. */
interface Seen {
  uri: string;
  label: string;
  /** Absent if it must not be sent; then `why` says the reason. */
  chip?: StoredChip;
  why?: string;
}

/**
 * The implicit context of a question: the selection in the active file, else its visible part. Only for files in a
 * trusted workspace that are neither secret nor ignored.
 */
export class ImplicitContext extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  readonly onDidChange = this.changed.event;
  private seen: Seen | undefined;
  private why: string | undefined = NO_FILE;
  private shown: StoredChip[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The verdict on the active file, until something changes that it depends on. */
  private judged: { file: string; why: Promise<string | undefined> } | undefined;
  private looks = 0;

  constructor() {
    super();
    const { window, workspace } = vscode;
    const later = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.look(), CALM_MS);
    };
    const anew = () => {
      this.judged = undefined;
      later();
    };
    this._register(window.onDidChangeTextEditorSelection(later));
    this._register(window.onDidChangeTextEditorVisibleRanges(later));
    this._register(window.onDidChangeVisibleTextEditors(later));
    this._register(
      workspace.onDidChangeTextDocument(({ document }) => document.uri.toString() === this.seen?.uri && later()),
    );
    this._register(window.tabGroups.onDidChangeTabs(anew));
    this._register(window.tabGroups.onDidChangeTabGroups(anew));
    this._register(window.onDidChangeActiveTextEditor(anew));
    this._register(workspace.onDidSaveTextDocument(anew));
    // Its language was changed, too.
    this._register(workspace.onDidOpenTextDocument(later));
    this._register(workspace.onDidChangeConfiguration(anew));
    this._register(workspace.onDidChangeWorkspaceFolders(anew));
    this._register(workspace.onDidGrantWorkspaceTrust(anew));
    this._register({ dispose: () => clearTimeout(this.timer) });
    void this.look();
  }

  /** The chip that is sent with a draft, or what is left out. */
  beside({ chips, without = [] }: Draft): { chip?: StoredChip; leftOut?: Surroundings['leftOut'] } {
    const { seen } = this;
    if (!seen || chips.length >= MAX_ATTACHMENTS) return {};
    const { uri, label, chip, why } = seen;
    if (!chip) return { leftOut: { label, why } };
    if (without.includes(uri)) return { leftOut: { label } };
    const isThere = chips.some((one) => {
      if (one.kind === 'file') return chip.implicit === 'visible' && one.uri === uri;
      return one.kind === 'selection' && one.uri === uri && one.text === chip.text;
    });
    return isThere ? {} : { chip };
  }

  /** The chip that was shown with this id; undefined if the id is unknown or too old. */
  find(id: string): StoredChip | undefined {
    return this.shown.find((one) => one.id === id);
  }

  /** Like `find`, for sending now. Throws `AttachmentRefused` if the file may no longer be sent unasked. */
  async take(id: string): Promise<StoredChip | undefined> {
    const chip = this.find(id);
    const why = chip && (await whyNotUnasked(vscode.Uri.parse(chip.uri!, true)));
    if (!why) return chip;
    this.judged = undefined;
    void this.look();
    throw new AttachmentRefused(`${why} Send the question again to ask it without.`);
  }

  /** For a message that has waited. Throws `AttachmentRefused` if the file may no longer be sent unasked. */
  async judgeAgain(chip: StoredChip, { without = [] }: Draft): Promise<void> {
    const uri = vscode.Uri.parse(chip.uri!, true);
    const languageId = vscode.workspace.textDocuments.find((one) => `${one.uri}` === `${uri}`)?.languageId ?? '';
    const isOff = without.includes(chip.uri!) || !sendsImplicitContext({ uri, languageId });
    const why = isOff ? `${baseName(uri.path)} no longer goes along unasked.` : await whyNotUnasked(uri);
    if (why) throw new AttachmentRefused(`${why} Edit the message to send it without.`);
  }

  /** The active file's URI and label. Throws `AttachmentRefused` if nothing of it can be sent. */
  inFront(): { uri: string; label: string } {
    const { seen } = this;
    if (!seen?.chip) throw new AttachmentRefused(seen?.why ?? this.why ?? NO_TEXT);
    return seen;
  }

  private async look(): Promise<void> {
    const look = ++this.looks;
    const editor = frontEditor();
    const why = editor ? await this.judge(editor.document) : NO_FILE;
    if (look !== this.looks || this.isDisposed) return;
    this.why = why;
    this.seen = editor && !why ? seenIn(editor) : undefined;
    const chip = this.seen?.chip;
    if (chip) this.shown = [chip, ...this.shown.filter(({ id }) => id !== chip.id)].slice(0, REMEMBERED);
    this.changed.fire();
  }

  private judge(file: vscode.TextDocument): Promise<string | undefined> {
    // The language may be chosen anew.
    const address = `${file.languageId} ${file.uri}`;
    if (this.judged?.file !== address) {
      const why = sendsImplicitContext(file) ? whyNotUnasked(file.uri) : Promise.resolve(TURNED_OFF);
      this.judged = { file: address, why };
    }
    return this.judged.why;
  }
}

const NO_FILE = 'No file of the workspace is in front, so nothing goes along unasked.';
const NO_TEXT = 'The file in front shows no text that could go along.';
const TURNED_OFF = `The setting ${IMPLICIT_CONTEXT} is off for this file, so nothing goes along unasked.`;

/** The editor of the active file, whichever panel has the focus. Not output, a notebook, or the left side of a diff. */
function frontEditor(): vscode.TextEditor | undefined {
  const { viewColumn, activeTab } = vscode.window.tabGroups.activeTabGroup;
  const input = activeTab?.input;
  const uri =
    input instanceof vscode.TabInputText
      ? input.uri
      : input instanceof vscode.TabInputTextDiff
        ? input.modified
        : undefined;
  const address = uri?.toString();
  // The editors of a diff have no column of their own.
  const columns = input instanceof vscode.TabInputTextDiff ? [viewColumn, undefined] : [viewColumn];
  return vscode.window.visibleTextEditors.find(
    (editor) => columns.includes(editor.viewColumn) && editor.document.uri.toString() === address,
  );
}

function seenIn({ document, selection, visibleRanges }: vscode.TextEditor): Seen | undefined {
  const implicit = selection.isEmpty ? 'visible' : 'selection';
  const parts = selection.isEmpty
    ? visibleRanges.map(({ start, end }) => ({ start: start.line, end: end.line }))
    : [selectedLines(selection)];
  const [first, last] = [parts[0], parts.at(-1)];
  if (!first || !last) return undefined;
  const range = { start: first.start, end: last.end };
  const uri = document.uri.toString();
  const path = workspacePath(document.uri);
  const label = selection.isEmpty ? `${baseName(path)}, visible part` : linesLabel(path, range);
  const lines = parts.map(({ start, end }) => new vscode.Range(start, 0, end, Number.MAX_SAFE_INTEGER));
  // If whole lines are too long, send only the selection.
  const most = MOST[implicit];
  const taken = !selection.isEmpty && sizeOf(document, lines) > most ? [selection] : lines;
  const size = sizeOf(document, taken);
  if (size > most) return { uri, label, why: tooLarge(size, most) };
  // Folded lines are not visible.
  const text = taken.map((part) => document.getText(part)).join('\n…\n');
  if (text.trim() === '' || text.includes('\0')) return undefined;
  const chip = partChip(document, range, text);
  // The editor shows an empty line after the last line break, which people don't count.
  const endsEmpty = last.end === document.lineCount - 1 && document.lineAt(last.end).text === '';
  const count = parts.reduce((sum, { start, end }) => sum + end - start + 1, endsEmpty ? -1 : 0);
  return { uri, label, chip: { ...chip, id: `implicit ${chip.id.slice(-180)}`, label, lines: count, implicit } };
}

/** In characters. */
const sizeOf = (document: vscode.TextDocument, parts: readonly vscode.Range[]) =>
  parts.reduce((sum, { start, end }) => sum + document.offsetAt(end) - document.offsetAt(start), 0);

const kilobytes = (size: number) => `${Math.ceil(size / 1000).toLocaleString('en')} KB`;

const tooLarge = (size: number, most: number) =>
  `It is too large to go along unasked: ${kilobytes(size)}, and at most ${kilobytes(most)} do. Select less, or attach it.`;
