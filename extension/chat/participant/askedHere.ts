import type { Memento } from 'vscode';

/** Twenty conversations of ten questions. Runs that are forgotten count as asked elsewhere, which supersedes nothing. */
const MOST_RUNS = 200;

const KEY = 'participant.runs';

/** The runs that `@perigee` started in this workspace, to tell them from what was asked elsewhere. */
export class AskedHere {
  constructor(private readonly memory: Memento) {}

  add(runId: string): void {
    void this.memory.update(KEY, [...this.runs, runId].slice(-MOST_RUNS));
  }

  /** Whether all these messages, questions as well as answers, belong to such runs. */
  hasAll(messages: readonly { runId?: string }[]): boolean {
    const { runs } = this;
    return messages.every(({ runId }) => runId !== undefined && runs.includes(runId));
  }

  private get runs(): readonly string[] {
    return this.memory.get<string[]>(KEY, []);
  }
}
