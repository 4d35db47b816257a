import { timeOrderedId } from '../../../shared/ids.ts';
import type { Problem } from '../../../shared/problems.ts';
import type { NotRefunded, Outcome, Reason, RunEvent, RunRequest } from '../../../shared/runs.ts';
import { AnswerText } from '../../platform/answerText.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { BackendError } from '../../platform/server/backendError.ts';
import type { EditRuns } from './runs.ts';

/** What an edit costs, when it is known; `reason` says why it was nothing, or less. */
export interface Charge {
  chargedMicro?: number;
  reason?: Reason;
  /** What came back, since nothing could be applied; else why nothing came back though nothing could. */
  refundedMicro?: number;
  notRefunded?: NotRefunded;
}

/** What several requests cost together; unknown when one of them is. */
export function sumCharges(charges: readonly Charge[]): Charge {
  const [only] = charges;
  if (charges.length <= 1) return only ?? {};
  const sum = (of: (charge: Charge) => number | undefined) =>
    charges.reduce<number | undefined>((all, charge) => {
      const part = of(charge);
      return all === undefined || part === undefined ? undefined : all + part;
    }, 0);
  const refundedMicro = sum(({ refundedMicro = 0 }) => refundedMicro);
  const notRefunded = charges.find((charge) => charge.notRefunded)?.notRefunded;
  return { chargedMicro: sum(({ chargedMicro }) => chargedMicro), refundedMicro, notRefunded };
}

export type EditRequest = RunRequest & { kind: 'edit' };

/** A request for `input`: a new one, or `resend` where an earlier try was for the same and was never answered. */
export function requestFor(input: EditRequest['input'], resend?: EditRequest): EditRequest {
  if (resend && JSON.stringify(resend.input) === JSON.stringify(input)) return resend;
  return { kind: 'edit', id: timeOrderedId(), conversationId: timeOrderedId(), input };
}

/** How an answer ended. */
export type Heard =
  /** `cutShort`: at its length limit, so that something may be missing. */
  | { kind: 'complete'; charge: Charge; cutShort: boolean }
  | { kind: 'stopped'; charge: Charge }
  | { kind: 'failed'; charge: Charge; problem: Problem };

/** How long after a stop the last event may take, which says what was charged. */
const LAST_EVENT_MS = 5_000;

/** One answer of the model, from its request to its outcome. Disposing it stops what still runs. */
export class AnswerRun extends Disposable {
  private readonly tail = new AbortController();
  private isStarted = false;
  private isOver = false;
  private isStopped = false;
  private readonly text = new AnswerText();

  constructor(
    private readonly runs: EditRuns,
    private readonly log: Log,
    readonly request: EditRequest,
  ) {
    super();
    this._register({
      dispose: () => {
        if (this.isStarted && !this.isOver) this.stop();
        this.tail.abort(new Error('disposed'));
      },
    });
  }

  /** For another try after a start that nobody answered: the server may have it. */
  get resend(): EditRequest | undefined {
    return this.isStarted ? undefined : this.request;
  }

  /** What the model wrote by now. */
  get answer(): string {
    return this.text.text;
  }

  /**
   * Asks the model. `onText` gets the answer piece by piece; `onAnew` is called when all of it so far was only thought, and
   * the answer begins after it. Never rejects.
   */
  async read(onText: (piece: string) => void, onAnew: () => void = () => {}): Promise<Heard> {
    let last: RunEvent | undefined;
    let problem: Problem | undefined;
    try {
      await this.runs.start(this.request);
      this.isStarted = true;
      if (this.isStopped) void this.tellStop();
      for await (const event of this.runs.events(this.request.id, this.tail.signal)) {
        for (const told of this.text.read(event)) {
          if (told.type !== 'text') last = told;
          else if (told.data.text === '') onAnew();
          else onText(told.data.text);
        }
      }
    } catch (error) {
      if (!this.isStopped) problem = BackendError.from(error).problem;
    }
    this.isOver = true;
    const charge: Charge = {};
    if (last?.type === 'done' || last?.type === 'error') charge.chargedMicro = last.data.chargedMicro;
    if (last?.type === 'done') charge.reason = last.data.reason;
    else if (!this.isStarted) charge.chargedMicro = 0;
    if (last?.type === 'done' && last.data.state === 'complete')
      return { kind: 'complete', charge, cutShort: last.data.cutShort === true };
    if (this.isStopped || (last?.type === 'done' && last.data.state === 'stopped')) return { kind: 'stopped', charge };
    return { kind: 'failed', charge, problem: last?.type === 'error' ? last.data : (problem ?? INTERRUPTED) };
  }

  /** Ends the answer; `read` resolves soon after. */
  stop(): void {
    if (this.isStopped || this.isOver) return;
    this.isStopped = true;
    if (this.isStarted) void this.tellStop();
    const late = setTimeout(() => this.tail.abort(new Error('the last event is late')), LAST_EVENT_MS);
    this._register({ dispose: () => clearTimeout(late) });
  }

  /** Tells what became of the answer; what it costs then. Never rejects. */
  async tellOutcome(outcome: Outcome, charge: Charge): Promise<Charge> {
    if (!this.isStarted) return charge;
    try {
      const { chargedMicro, refundedMicro, notRefunded } = await this.runs.tellOutcome(this.request.id, outcome);
      return { ...charge, chargedMicro, refundedMicro, notRefunded };
    } catch (error) {
      this.log.warn(`The outcome of an edit could not be told: ${BackendError.from(error).message}`);
      return charge;
    }
  }

  private async tellStop(): Promise<void> {
    try {
      await this.runs.stop(this.request.id);
    } catch (error) {
      this.log.warn(`A run could not be stopped: ${BackendError.from(error).message}`);
    }
  }
}

export const INTERRUPTED: Problem = {
  type: 'about:blank',
  title: 'The answer was interrupted',
  status: 0,
  detail: 'The server stopped in the middle of the answer.',
  code: 'internal',
  requestId: '',
};
