import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { AttachmentRefused, estimateTokens, type StoredChip } from './attachments.ts';
import { endOf, plainOutput } from './terminalText.ts';

/** The end of an output that is kept of each terminal, in characters. */
const MOST = 64 * 1024;
const MOST_TERMINALS = 10;

/** The last command of a terminal. */
interface Ran {
  /** Also names its chip, which lives longer than this window. */
  id: string;
  execution: vscode.TerminalShellExecution;
  command: string;
  raw: string;
  isCut: boolean;
  /** Undefined while it runs, and where the shell does not tell. */
  exitCode?: number;
  isRunning: boolean;
}

/**
 * The output of the last command in each terminal, as shell integration tells it; only in memory. The editor hands out
 * an output only while it is written, so it is kept from the beginning.
 */
export class Terminals extends Disposable {
  /** The newest last. */
  private readonly runs = new Map<vscode.Terminal, Ran>();

  constructor() {
    super();
    this._register(vscode.window.onDidStartTerminalShellExecution((event) => void this.keep(event)));
    this._register(
      vscode.window.onDidEndTerminalShellExecution(({ terminal, execution, exitCode }) => {
        const ran = this.runs.get(terminal);
        if (ran?.execution !== execution) return;
        // At the end, the shell may know it better.
        ran.command = execution.commandLine.value;
        ran.exitCode = exitCode;
        ran.isRunning = false;
      }),
    );
    this._register(vscode.window.onDidCloseTerminal((terminal) => this.runs.delete(terminal)));
  }

  /** The last commands, newest first. */
  get last(): { id: string; command: string; detail: string }[] {
    return [...this.runs.values()].reverse().map((ran) => ({
      id: ran.id,
      command: nameOf(ran),
      detail: ran.isRunning ? 'Still running' : ran.exitCode ? `Failed with ${ran.exitCode}` : 'What it wrote',
    }));
  }

  /** A chip for the output of an offered command. Throws `AttachmentRefused` if it is gone or wrote nothing. */
  chip(id: string): StoredChip {
    const ran = [...this.runs.values()].find((one) => one.id === id);
    if (!ran) throw new AttachmentRefused('That output is gone: its terminal was closed, or ran another command.');
    const output = plainOutput(endOf(ran.raw, MOST));
    if (output.trim() === '') throw new AttachmentRefused(`${nameOf(ran)} has written nothing.`);
    const end = ran.isRunning ? ['(still running)'] : ran.exitCode === undefined ? [] : [`(exit code ${ran.exitCode})`];
    const cut = ran.isCut || ran.raw.length > MOST ? ['(the beginning is left out)'] : [];
    const text = [`$ ${ran.command}`, ...cut, output, ...end].join('\n');
    return {
      id: `terminal ${id}`,
      kind: 'terminal',
      label: nameOf(ran),
      path: nameOf(ran),
      text,
      tokens: estimateTokens(text),
    };
  }

  private async keep({ terminal, execution }: vscode.TerminalShellExecutionStartEvent): Promise<void> {
    const ran: Ran = {
      id: crypto.randomUUID(),
      execution,
      command: execution.commandLine.value,
      raw: '',
      isCut: false,
      isRunning: true,
    };
    this.runs.delete(terminal);
    this.runs.set(terminal, ran);
    const [oldest] = this.runs.keys();
    if (this.runs.size > MOST_TERMINALS) this.runs.delete(oldest!);
    for await (const data of execution.read()) {
      if (this.isDisposed || this.runs.get(terminal) !== ran) return;
      ran.raw += data;
      // Not at each piece: cutting copies all of it.
      if (ran.raw.length > 2 * MOST) this.cut(ran);
    }
    if (ran.raw.length > MOST) this.cut(ran);
  }

  private cut(ran: Ran): void {
    ran.raw = endOf(ran.raw, MOST);
    ran.isCut = true;
  }
}

const nameOf = ({ command }: Ran) => command.split('\n', 1)[0]!.trim().slice(0, 200) || 'a command';
