import * as vscode from 'vscode';
import type { Log } from '../../platform/log.ts';
import type { Accepted, OfBlocks } from '../changes/proposal.ts';
import { nameOf } from '../files/places.ts';
import { splitLines } from '../hunks/hunks.ts';
import { showMessage } from '../notifications/showMessage.ts';
import { count } from '../words/messages.ts';
import type { Review } from './review.ts';

export interface KeepDeps {
  /** Stores a checkpoint; returns its id. */
  record(accepted: Accepted): Promise<string>;
  /** Undoes a checkpoint. */
  takeBack(id: string): Promise<unknown>;
  log: Log;
}

/**
 * Stores a checkpoint of the hunks accepted in an ended review. Also stores the undecided hunks of a file that was
 * saved and then closed, and tells the user. Never rejects.
 */
export async function keepAccepted(deps: KeepDeps, { tracked, document, source, isClosedOpen }: Review): Promise<void> {
  try {
    const undecided = isClosedOpen && (await isSaved(document, tracked.lines)) ? tracked.open : [];
    tracked.accept(undecided.map((hunk) => hunk.number));
    const eol = document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
    const { before, after } = tracked.accepted();
    const texts = { before: before.join(eol), after: after.join(eol) };
    const file = { uri: document.uri.toString(), ...texts, ...ofBlocks(tracked.acceptedBlocks()) };
    // Nothing was accepted, or it was undone since.
    if (file.before === file.after) return;
    tracked.keep();
    const id = await deps.record({ source, files: [file] });
    if (undecided.length > 0) await tellUndecided(deps, nameOf(document), undecided.length, id);
  } catch (error) {
    deps.log.warn(`What was accepted is not kept: ${error}`);
  }
}

const ofBlocks = ({ blocks, partly }: { blocks: string[]; partly: string[] }): OfBlocks => ({
  ...(blocks.length > 0 && { blocks }),
  ...(partly.length > 0 && { partly }),
});

/** Auto save writes undecided hunks; closing the file then ends its review without a question. */
async function tellUndecided(deps: KeepDeps, name: string, hunks: number, id: string): Promise<void> {
  const text = `${name} was closed with ${count(hunks, 'hunk')} undecided. It had been saved, so they are in the file.`;
  if (await showMessage({ severity: 'warning', text, buttons: ['Take back'] })) await deps.takeBack(id);
}

/** Whether the file on disk holds exactly these lines. */
async function isSaved({ uri }: vscode.TextDocument, lines: readonly string[]): Promise<boolean> {
  try {
    const saved = splitLines(new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)));
    return saved.length === lines.length && saved.every((line, index) => line === lines[index]);
  } catch {
    return false;
  }
}
