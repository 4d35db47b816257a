import * as vscode from 'vscode';
import { readCommands } from '../../../shared/answers/shellCommands.ts';
import { Disposable } from '../../platform/dispose.ts';
import { ActionRefused } from '../actions.ts';

/** Puts commands of answers into a terminal. It never runs one: the user presses Enter there. */
export class TerminalInput extends Disposable {
  /** TerminalInput in which a program runs: it would take the text as its own input. */
  private readonly busy = new Set<vscode.Terminal>();

  constructor() {
    super();
    this._register(vscode.window.onDidStartTerminalShellExecution(({ terminal }) => this.busy.add(terminal)));
    this._register(vscode.window.onDidEndTerminalShellExecution(({ terminal }) => this.busy.delete(terminal)));
    this._register(vscode.window.onDidCloseTerminal((terminal) => this.busy.delete(terminal)));
  }

  /** Inserts the block's command; of several, the one that the user chooses. Throws `ActionRefused`. */
  async insert(text: string, language: string): Promise<void> {
    const read = readCommands(text, language);
    if ('refused' in read) return offerCopy(`${read.refused} Nothing was inserted.`, text);
    const [first, ...others] = read.commands;
    const command = others.length === 0 ? first : await choose(read.commands, text);
    if (command === undefined) return;
    const terminal = this.free();
    terminal.show();
    terminal.sendText(command, false);
  }

  private free(): vscode.Terminal {
    const { activeTerminal, terminals } = vscode.window;
    const isFree = (terminal: vscode.Terminal) => terminal.exitStatus === undefined && !this.busy.has(terminal);
    if (activeTerminal && isFree(activeTerminal)) return activeTerminal;
    const own = terminals.find((terminal) => terminal.name === NAME && isFree(terminal));
    try {
      return own ?? vscode.window.createTerminal(NAME);
    } catch {
      // The web editor without a machine behind it.
      throw new ActionRefused('This editor has no terminal. Copy the command instead.');
    }
  }
}

const NAME = 'Perigee';

/** A terminal would run every line but the last, so each command is inserted alone. */
async function choose(commands: readonly string[], text: string): Promise<string | undefined> {
  const all = { label: `$(copy) Copy all ${commands.length} commands`, command: undefined };
  const chosen = await vscode.window.showQuickPick([...commands.map((command) => ({ label: command, command })), all], {
    title: 'Insert into Terminal',
    placeHolder: 'Choose one command. It is inserted, not run.',
  });
  if (chosen === all) await vscode.env.clipboard.writeText(text);
  return chosen?.command;
}

async function offerCopy(why: string, text: string): Promise<void> {
  if (await vscode.window.showInformationMessage(why, 'Copy')) await vscode.env.clipboard.writeText(text);
}
