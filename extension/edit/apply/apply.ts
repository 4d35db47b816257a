import * as vscode from 'vscode';
import { readFenced } from '../../../shared/answers/answerPaths.ts';
import { blocksOf, type NamedBlock, nameEdits, tellStanding, withoutRepeats } from '../changes/answerBlocks.ts';
import { type Blocks, planBlocks, readAnswerBlocks, readCode } from '../changes/applyBlocks.ts';
import type { Source } from '../changes/proposal.ts';
import type { Edit, FilePlan, Reading } from '../engine/edits.ts';
import { AnswerFiles } from '../files/answerFiles.ts';
import type { FoundFile, WorkspaceFiles } from '../files/files.ts';
import type { ProposalCounts } from '../proposals/proposals.ts';
import { tellRefusal } from '../words/refusalWords.ts';
import { chooseTarget } from './applyTarget.ts';

/** A block of a chat answer, without its fence. */
export interface CodeBlock extends Code {
  /** The block's file is ambiguous: ask the user, whichever file is active. */
  isUnclear?: boolean;
  /** The ambiguous words. The workspace's paths may show what they mean. */
  spoken?: { info: string; prose: string };
  /** It was applied before. */
  wasApplied?: boolean;
  /** How the user says it is meant, after a refusal that asked. */
  reading?: Reading;
  source: Source;
}

interface Code {
  text: string;
  /** The fence's language: an id, an alias or a file extension. */
  language?: string;
  /** The file that the answer names for the code. */
  path?: string;
}

/** A whole answer. */
export interface WholeAnswer {
  text: string;
  /** The blocks to apply, by name. `done`: files in which a block is applied already or waits for the user. */
  blocks?: readonly (Code & { name: string; done: readonly string[] })[];
  source: Source;
}

/** The result of applying code. Messages are sentences for the user. */
export type Applied =
  /** Its hunks are in the editor. `skipped`: descriptions of blocks that are not for a file. */
  | { kind: 'review'; path: string; uri: string; hunks: number; skipped: string[] }
  /** It is in the list of proposed changes. */
  | ({ kind: 'proposal'; skipped: string[] } & ProposalCounts)
  /**
   * `uri`: its only file, if the code has no place there. `readings`: those between which the user may choose.
   * `isOfEditor`: the editor takes no changes, so that other code would be refused as well.
   */
  | { kind: 'refused'; message: string; uri?: string; readings?: readonly Reading[]; isOfEditor?: true }
  /** There was nothing to do, or the user cancelled. */
  | { kind: 'nothing'; message?: string };

/** `why`: a sentence for the user. Without it, the user declined, or knows already. */
export type Tried = { isShown: true } | { isShown: false; why?: string };

export interface ApplyDeps {
  files: WorkspaceFiles;
  propose(source: Source, plans: readonly FilePlan[]): Promise<ProposalCounts>;
  /** Puts the hunks of one existing file into its editor for review, and tells the user nothing. */
  review(document: vscode.TextDocument, plan: FilePlan & { kind: 'update' }, source: Source): Promise<Tried>;
  /** Lets a model edit a file, which costs credits. */
  editFile(request: { document: vscode.TextDocument; instruction: string; source: Source }): Promise<unknown>;
}

/** Applies code of the chat's answers to files. */
export class Apply {
  constructor(private readonly deps: ApplyDeps) {}

  /** Applies one block: to the file that it names, else to the active editor's, else to one that the user chooses. */
  async applyCode({
    text,
    language,
    path,
    isUnclear,
    spoken,
    wasApplied,
    reading,
    source,
  }: CodeBlock): Promise<Applied> {
    const known = await this.deps.files.known();
    const said = path === undefined && isUnclear && spoken ? readFenced(spoken.info, spoken.prose, known) : undefined;
    const read = said?.kind === 'named' ? said.path : path;
    const blocks = readCode(text, language, read, known);
    if (blocks.edits.length === 0) return refused(`This block is ${blocks.skipped[0] ?? 'empty'}, so it has no place.`);
    const answer = new AnswerFiles(this.deps.files);
    const edits = await this.withTargets(answer, blocks.edits, language, isUnclear === true && read === undefined);
    if (!edits) return { kind: 'nothing' };
    const { block } = source;
    const more = { block, ...(wasApplied && { wasMade: true }), ...(reading && { reading }) };
    const named = edits.map((edit) => ({ ...edit, ...more }));
    return this.place(answer, { ...blocks, edits: await answer.locate(named) }, source);
  }

  /** Applies all blocks of an answer that are for a file and not done yet. */
  async applyAnswer({ text, blocks, source }: WholeAnswer): Promise<Applied> {
    const known = await this.deps.files.known();
    const read = readAnswerBlocks(text, known);
    if (read.edits.length === 0) {
      const message = 'No block of this answer names the file that it is for. Apply one of them by itself.';
      return { kind: 'nothing', message };
    }
    const answer = new AnswerFiles(this.deps.files);
    const all = await answer.locate(read.edits);
    const own: NamedBlock[] = [];
    for (const { name, done, text: code, language, path } of blocks ?? []) {
      own.push({ name, done, edits: await answer.locate(readCode(code, language, path, known).edits) });
    }
    const { edits, skipped } = blocks ? nameEdits(all, own) : { edits: all, skipped: [] };
    if (edits.length === 0) {
      const message = skipped.length > 0 ? `Left out: ${skipped.join(', ')}.` : ALL_DONE;
      return { kind: 'nothing', message };
    }
    return this.place(answer, { edits: withoutRepeats(edits), skipped: [...read.skipped, ...skipped] }, source);
  }

  /** Lets a model insert code into a file that has no place for it. Resolves when it is in review or has failed. */
  async placeCode({ text, language, uri, source }: Pick<CodeBlock, 'text' | 'language' | 'source'> & { uri: string }) {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri, true));
    await this.deps.editFile({ document, instruction: placingInstruction({ text, language }), source });
  }

  /** Asks for the files of `edits` that have none, once for all with the same words. Undefined if the user cancels. */
  private async withTargets(
    answer: AnswerFiles,
    edits: Edit[],
    language: string | undefined,
    isUnclear: boolean,
  ): Promise<Edit[] | undefined> {
    const targets = new Map<string | undefined, string>();
    for (const { path, unreadable } of edits) {
      if (path !== undefined || targets.has(unreadable)) continue;
      const mustAsk = isUnclear || unreadable !== undefined;
      const target = await chooseTarget(this.deps.files, language, mustAsk, unreadable);
      if (!target) return undefined;
      answer.take(target);
      targets.set(unreadable, target.path);
    }
    return edits.map(({ unreadable, ...edit }) => ({ ...edit, path: edit.path ?? targets.get(unreadable) }));
  }

  /** Every edit in `edits` has its file. */
  private async place(answer: AnswerFiles, { edits, skipped: apart }: Blocks, source: Source): Promise<Applied> {
    const found = await answer.byPath();
    const fileAt = (path: string) => {
      const file = found.get(path);
      return file?.kind === 'file' ? file : undefined;
    };
    const read = (path: string) => fileAt(path)?.text;
    const all = await answer.allow(planBlocks(edits, read, (path) => cursorIn(fileAt(path)?.uri)));
    const misses = all.flatMap((plan) => (plan.kind === 'refused' ? [plan] : []));
    if (all.length === misses.length) return tellMisses(misses, found);
    // If other edits can be applied, edits that the file contains already are no failure to report.
    const same = misses.filter(({ refusals }) => refusals.every(({ reason }) => reason === 'noChange'));
    const skipped = [...apart, ...same.map(({ path }) => `${path}, which reads so already`), ...tellStanding(all)];
    const plans = all
      .filter((plan) => !same.some((other) => other === plan))
      .map((plan) => ({ ...plan, ...blocksOf(edits, plan) }));
    const [only] = plans;
    if (plans.length === 1 && only?.kind === 'update') {
      const file = found.get(only.path);
      if (file?.kind !== 'file') return refused(`${only.path} is gone.`);
      const document = await vscode.workspace.openTextDocument(file.uri);
      const tried = await this.deps.review(document, only, source);
      if (!tried.isShown) return tried.why ? { ...refused(tried.why), isOfEditor: true } : { kind: 'nothing' };
      return { kind: 'review', path: only.path, uri: `${file.uri}`, hunks: only.hunks.length, skipped };
    }
    return { kind: 'proposal', ...(await this.deps.propose(source, plans)), skipped };
  }
}

const ALL_DONE = 'All of it is applied already, or in review.';

/** The refusal when no edit fits: the reasons, and the file if there is only one. */
function tellMisses(
  misses: readonly (FilePlan & { kind: 'refused' })[],
  found: ReadonlyMap<string, FoundFile>,
): Applied {
  const refusals = misses.flatMap((plan) => plan.refusals);
  const [first] = misses;
  const name = first?.path ?? 'The answer';
  if (refusals.every(({ reason }) => reason === 'noChange')) {
    return {
      kind: 'nothing',
      message: misses.length === 1 ? `${name} reads so already.` : 'All files read so already.',
    };
  }
  const [telling] = refusals.filter(({ reason }) => reason !== 'noChange');
  const more = refusals.length > 1 ? ` The answer has ${refusals.length - 1} more that have no place.` : '';
  const message = telling ? tellRefusal(name, telling) + more : name;
  const file = misses.length === 1 && first?.path !== undefined ? found.get(first.path) : undefined;
  const readings = refusals.length === 1 && telling?.readings ? { readings: telling.readings } : {};
  return { ...refused(message), ...(file?.kind === 'file' && { uri: `${file.uri}`, ...readings }) };
}

/** The cursor's line in a file, if a visible editor shows it. */
function cursorIn(uri: vscode.Uri | undefined): number | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  const editors = [...(activeTextEditor ? [activeTextEditor] : []), ...visibleTextEditors];
  return editors.find(({ document }) => document.uri.toString() === uri?.toString())?.selection.active.line;
}

/** The chat shows the message, because the request came from there. */
const refused = (message: string) => ({ kind: 'refused', message }) as const;

function placingInstruction({ text, language }: { text: string; language?: string }): string {
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([marks]) => marks.length + 1)));
  const code = `${fence}${language ?? ''}\n${text.replace(/\n$/, '')}\n${fence}`;
  return `Put this code where it belongs in the file, in place of what it replaces. Change nothing else.\n\n${code}`;
}
