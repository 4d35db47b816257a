import * as vscode from 'vscode';
import { readCommands } from '../../../shared/answers/shellCommands.ts';
import { Disposable } from '../../platform/dispose.ts';
import { ActionRefused } from '../actions.ts';

/** How long a new terminal may take to say that its shell waits for a command. */
const PATIENCE_MS = 5_000;

/**
 * Puts commands of answers into a terminal. It never runs one: the user presses Enter there. A program that runs in a
 * terminal would take the text as its own input, so only a shell that is known to wait for a command gets it.
 */
export class TerminalInput extends Disposable {
  /** Terminals whose shell waits for a command. */
  private readonly free = new Set<vscode.Terminal>();
  /** New terminals whose shell has said nothing yet. */
  private readonly fresh = new Set<vscode.Terminal>();
  private readonly freed = this._register(new vscode.EventEmitter<void>());

  constructor(private readonly patienceMs = PATIENCE_MS) {
    super();
    const { window } = vscode;
    const free = (terminal: vscode.Terminal) => {
      this.free.add(terminal);
      this.freed.fire();
    };
    this._register(window.onDidOpenTerminal((terminal) => this.fresh.add(terminal)));
    this._register(
      window.onDidChangeTerminalShellIntegration(({ terminal }) => {
        if (this.fresh.delete(terminal)) free(terminal);
      }),
    );
    this._register(window.onDidEndTerminalShellExecution(({ terminal }) => free(terminal)));
    this._register(window.onDidStartTerminalShellExecution(({ terminal }) => this.free.delete(terminal)));
    this._register(
      window.onDidCloseTerminal((terminal) => {
        this.free.delete(terminal);
        this.fresh.delete(terminal);
      }),
    );
  }

  /** Inserts the block's command; of several, the one that the user chooses. Throws `ActionRefused`. */
  async insert(text: string, language: string): Promise<void> {
    const read = readCommands(text, language);
    if ('refused' in read) return offerCopy(`${read.refused} Nothing was inserted.`, text);
    const [first, ...others] = read.commands;
    const command = others.length === 0 ? first : await choose(read.commands, text);
    if (command === undefined) return;
    const terminal = this.choose();
    // The focus stays in the chat, or else a second Enter would run the command.
    terminal.show(true);
    if (await this.waitsForCommand(terminal)) return terminal.sendText(command, false);
    await vscode.env.clipboard.writeText(command);
    const why = 'The terminal does not say whether a program runs in it, which needs shell integration.';
    void vscode.window.showInformationMessage(`${why} The command was copied: paste it there.`);
  }

  private choose(): vscode.Terminal {
    const { activeTerminal, terminals } = vscode.window;
    if (activeTerminal && this.free.has(activeTerminal)) return activeTerminal;
    const isUsable = (terminal: vscode.Terminal) => this.free.has(terminal) || this.fresh.has(terminal);
    const own = terminals.find((terminal) => terminal.name === NAME && isUsable(terminal));
    try {
      return own ?? vscode.window.createTerminal(NAME);
    } catch {
      // The web editor without a machine behind it.
      throw new ActionRefused('This editor has no terminal. Copy the command instead.');
    }
  }

  private async waitsForCommand(terminal: vscode.Terminal): Promise<boolean> {
    const end = Date.now() + this.patienceMs;
    while (!this.free.has(terminal) && Date.now() < end)
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(late);
          heard.dispose();
          resolve();
        };
        const late = setTimeout(done, end - Date.now());
        const heard = this.freed.event(done);
      });
    return this.free.has(terminal);
  }
}

const NAME = 'Perigee';

/** The editor would draw an icon in place of `$(name)`. */
const asItem = (command: string) => ({ label: command.replace(/\$\([\w-]+(?:~[\w-]+)?\)/g, '\\$&'), command });

/** A terminal would run every line but the last, so each command is inserted alone. */
async function choose(commands: readonly string[], text: string): Promise<string | undefined> {
  const all = { label: `$(copy) Copy all ${commands.length} commands`, command: undefined };
  const chosen = await vscode.window.showQuickPick([...commands.map(asItem), all], {
    title: 'Insert into Terminal',
    placeHolder: 'Choose one command. It is inserted, not run.',
  });
  if (chosen === all) await vscode.env.clipboard.writeText(text);
  return chosen?.command;
}

async function offerCopy(why: string, text: string): Promise<void> {
  if (await vscode.window.showInformationMessage(why, 'Copy')) await vscode.env.clipboard.writeText(text);
}
