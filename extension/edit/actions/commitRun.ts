import { timeOrderedId } from '../../../shared/ids.ts';
import type { SelectionEdit } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { AnswerRun, type EditRequest } from '../runs/answerRun.ts';
import type { EditRuns } from '../runs/runs.ts';
import type { CommitEnding } from './commitEnding.ts';
import type { MessageBox } from './messageBox.ts';
import { readMessage } from './texts/commitText.ts';

/** Writes a commit message into its box until it ends or something else changes the box. */
export class CommitRun extends Disposable {
  private readonly answer: AnswerRun;
  private readonly before: string;
  private isStopped = false;

  /** `resend`: the unanswered request of an earlier try. If it is sent again, the server starts it only once. */
  constructor(
    runs: EditRuns,
    log: Log,
    private readonly box: MessageBox,
    input: SelectionEdit,
    resend?: EditRequest,
  ) {
    super();
    const isSame = resend && JSON.stringify(resend.input) === JSON.stringify(input);
    const ids = { id: timeOrderedId(), conversationId: timeOrderedId() };
    this.answer = this._register(new AnswerRun(runs, log, isSame ? resend : { kind: 'edit', ...ids, input }));
    box.begin(() => this.answer.stop());
    this.before = box.before;
    this._register({ dispose: () => box.end() });
  }

  /** The request for another try, if its start was never answered. */
  get resend(): EditRequest | undefined {
    return this.answer.resend;
  }

  /** Stops the run and restores the box. */
  stop(): void {
    this.isStopped = true;
    this.restore();
    this.answer.stop();
  }

  /** Restores the box's earlier text. False if something else has changed it since. */
  restore(): boolean {
    return this.box.write(this.before);
  }

  /** Asks for the message and writes it as it arrives. Never rejects. */
  async run(): Promise<CommitEnding> {
    const { answer, box } = this;
    const heard = await answer.read(() => this.show(false));
    const { charge } = heard;
    if (box.isTouched) return { kind: 'touched', ...(await answer.tellOutcome({ applied: 0, refused: 1 }, charge)) };
    if (heard.kind === 'complete' && !this.isStopped) {
      const message = this.show(true);
      if (message === '') {
        this.restore();
        return { kind: 'empty', ...(await answer.tellOutcome({ applied: 0, refused: 0 }, charge)) };
      }
      const told = await answer.tellOutcome({ applied: 1, refused: 0 }, charge);
      const start = this.before.trim();
      return message === start ? { kind: 'same', ...told } : { kind: 'written', hadStart: start !== '', ...told };
    }
    this.restore();
    return heard.kind === 'failed' && !this.isStopped
      ? { kind: 'failed', problem: heard.problem, ...charge }
      : { kind: 'stopped', ...charge };
  }

  /** Writes the text so far into the box, and returns it. */
  private show(ended: boolean): string {
    const message = readMessage(this.answer.answer, ended, this.before);
    if (message !== '' && !this.isStopped) this.box.write(message);
    return message;
  }
}
