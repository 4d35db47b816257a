import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { hasUncommittedChanges, NO_CHANGES, NO_REPOSITORY, openGit } from '../../platform/git.ts';
import { whyNotUnasked } from '../../platform/unasked.ts';
import { AttachmentRefused, baseName, countProblems, type StoredChip } from '../context/attachments.ts';
import type { EditorContext } from '../context/editorContext.ts';
import { activeFile } from '../context/suggestions.ts';
import type { SlashCommand } from '../protocol.ts';
import { PromptFiles } from './promptFiles.ts';
import { askFor, BUILT_IN, isAsk, isSubject, readCommand, reviewFor } from './slashWords.ts';

/** A command that could not run; the message is a sentence for the user. */
export class CommandRefused extends AttachmentRefused {}

/** What a text that begins with a command stands for. */
export type Meant =
  /** A question in plain words, with what the command attaches beside what is attached already. */
  | { kind: 'question'; text: string; chips: StoredChip[]; compacts?: true }
  /** A new chat, which begins with the text after the command, if there is one. */
  | { kind: 'newChat'; rest: string }
  /** It has run, and there is nothing to send. */
  | { kind: 'done' };

/** The commands of the composer: a word after a slash. */
export class SlashCommands extends Disposable {
  private readonly prompts: PromptFiles;
  readonly onDidChange: PromptFiles['onDidChange'];

  constructor(
    private readonly editor: Pick<EditorContext, 'attach'>,
    userPrompts: vscode.Uri,
  ) {
    super();
    const taken = new Set<string>(BUILT_IN.map(({ name }) => name));
    this.prompts = this._register(new PromptFiles(userPrompts, taken));
    this.onDidChange = this.prompts.onDidChange;
  }

  get list(): SlashCommand[] {
    return [...BUILT_IN, ...this.prompts.commands];
  }

  /** Looks for prompt files again; `onDidChange` tells what was found. */
  look(): Promise<void> {
    return this.prompts.look();
  }

  /**
   * What a command attaches, unless it is among `chips`. `without`: while a message is sent, the files that the user left
   * out of the chat. Throws `AttachmentRefused` if there is none.
   */
  async attach(name: string, chips: readonly StoredChip[], without?: readonly string[]): Promise<StoredChip[]> {
    if (name === 'review') return chips.some(({ kind }) => kind === 'diff') ? [] : this.take(name, ['diff']);
    if (!isAsk(name) || chips.some(({ kind }) => isSubject(kind))) return [];
    const active = activeFile();
    if (!active)
      throw new CommandRefused(`/${name} needs a selection or an open file. Open one, or attach something with @.`);
    if (without) await refuseUnseen(name, active, without);
    const isSelected = vscode.window.activeTextEditor?.selection.isEmpty === false;
    const hasProblems = name === 'fix' && countProblems(active) > 0 && !chips.some(({ kind }) => kind === 'problems');
    return this.take(name, [isSelected ? 'selection' : 'file', ...(hasProblems ? (['problems'] as const) : [])]);
  }

  /**
   * What a typed text stands for; undefined for a text that is sent as it is. `without`: the files that the user left out
   * of the chat. Throws `AttachmentRefused`.
   */
  async meantBy(
    text: string,
    chips: readonly StoredChip[],
    without: readonly string[] = [],
  ): Promise<Meant | undefined> {
    const command = readCommand(text);
    if (!command) return undefined;
    const { name, rest } = command;
    if (name === 'new') return { kind: 'newChat', rest };
    if (name === 'commit') {
      await this.writeCommitMessage(rest);
      return { kind: 'done' };
    }
    if (name === 'compact') {
      if (rest !== '') throw new CommandRefused('/compact stands alone: it takes no words after it.');
      return { kind: 'question', text: '', chips: [], compacts: true };
    }
    if (isAsk(name) || name === 'review') {
      const more = await this.attach(name, chips, without);
      const question = isAsk(name) ? askFor(name, [...chips, ...more], rest) : reviewFor(rest);
      return { kind: 'question', text: question, chips: more };
    }
    const body = await this.prompts.read(name);
    if (body !== undefined) return { kind: 'question', text: rest === '' ? body : `${body}\n\n${rest}`, chips: [] };
    // With more words it may be a path or a saying; a word alone is a slip that would cost a question.
    if (rest === '') throw new CommandRefused(`There is no command /${name}. /help shows all of them.`);
    return undefined;
  }

  private async take(name: string, kinds: readonly ('selection' | 'file' | 'problems' | 'diff')[]) {
    const chips: StoredChip[] = [];
    for (const kind of kinds) {
      const chip = await this.editor.attach(kind);
      if (!chip) throw new CommandRefused(`/${name} has nothing to work on, because nothing was attached.`);
      chips.push(chip);
    }
    return chips;
  }

  /** The command writes into the source control view, and tells there what becomes of it. */
  private async writeCommitMessage(wish: string): Promise<void> {
    const git = await openGit();
    if (!git || git.repositories.length === 0) throw new CommandRefused(NO_REPOSITORY);
    await Promise.all(git.repositories.map((repository) => repository.status()));
    const hasNewFiles = git.repositories.some(({ state }) => state.untrackedChanges?.length);
    if (!hasUncommittedChanges() && !hasNewFiles) throw new CommandRefused(NO_CHANGES);
    const hasBegun = await new Promise<boolean>((done) => {
      const written = vscode.commands.executeCommand('perigee.commitMessage', undefined, wish, () => done(true));
      written.then(
        () => done(false),
        () => done(false),
      );
    });
    if (!hasBegun) throw new CommandRefused('/commit did not begin to write a message.');
  }
}

/** What is attached only now has never been shown: it goes along only if it may be sent unasked. */
async function refuseUnseen(name: string, uri: vscode.Uri, without: readonly string[]): Promise<void> {
  const isOut = without.includes(uri.toString());
  const why = isOut
    ? `${baseName(uri.path)} stays out of this chat. Attach it with @ first.`
    : await whyNotUnasked(uri);
  if (why !== undefined) throw new CommandRefused(`/${name} attaches nothing unseen: ${why}`);
}
