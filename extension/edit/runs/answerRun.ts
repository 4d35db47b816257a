import { timeOrderedId } from '../../../shared/ids.ts';
import type { Problem } from '../../../shared/problems.ts';
import type { NotRefunded, Outcome, Reason, RunEvent, RunRequest } from '../../../shared/runs.ts';
import { AnswerText } from '../../platform/answerText.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { BackendError } from '../../platform/server/backendError.ts';
import { LAST_EVENT_MS } from '../../platform/server/backoff.ts';
import type { EditRuns } from './runs.ts';

/** The cost of an edit, if known; `reason` says why it is zero or reduced. */
export interface Charge {
  chargedMicro?: number;
  reason?: Reason;
  /** The refund, because nothing could be applied; else the reason why there is no refund in that case. */
  refundedMicro?: number;
  notRefunded?: NotRefunded;
}

/** The total cost of several requests; unknown if one of them is unknown. */
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

/**
 * The request for `input`: a new one, or `resend` itself if that is an unanswered earlier try of the same. Without a
 * `model`, it asks the one that is chosen when it is first sent.
 */
export function requestFor(
  input: EditRequest['input'],
  resend?: EditRequest,
  { model, effort }: Pick<EditRequest, 'model' | 'effort'> = {},
): EditRequest {
  const asked = { input, model, effort };
  const isSame = ({ input, model, effort }: EditRequest) =>
    JSON.stringify({ input, model, effort }) === JSON.stringify(asked);
  if (resend && isSame(resend)) return resend;
  return { kind: 'edit', id: timeOrderedId(), conversationId: timeOrderedId(), ...asked };
}

/** How an answer ended. */
export type Heard =
  /** `cutShort`: the answer reached its length limit, so some of it may be missing. */
  | { kind: 'complete'; charge: Charge; cutShort: boolean }
  | { kind: 'stopped'; charge: Charge }
  | { kind: 'failed'; charge: Charge; problem: Problem };

/** One answer of the model, from its request to its outcome. Disposing it stops the run. */
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

  /** The request for another try, if its start was never answered: the server may have it. */
  get resend(): EditRequest | undefined {
    return this.isStarted ? undefined : this.request;
  }

  /** The answer so far. */
  get answer(): string {
    return this.text.text;
  }

  /**
   * Asks the model. `onText` gets the answer piece by piece. `onAnew` is called when all text so far was only thought,
   * and the answer begins after it. Never rejects.
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
    const interrupted = { ...INTERRUPTED, requestId: this.request.id };
    return { kind: 'failed', charge, problem: last?.type === 'error' ? last.data : (problem ?? interrupted) };
  }

  /** Stops the answer; `read` resolves soon after. */
  stop(): void {
    if (this.isStopped || this.isOver) return;
    this.isStopped = true;
    if (this.isStarted) void this.tellStop();
    const late = setTimeout(() => this.tail.abort(new Error('the last event is late')), LAST_EVENT_MS);
    this._register({ dispose: () => clearTimeout(late) });
  }

  /** Reports the outcome of the answer, and resolves to the final charge. Never rejects. */
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
