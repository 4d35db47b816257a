import type { RequestOutcome } from '../../shared/requests.ts';
import { cleanName } from '../../shared/texts.ts';
import type { RequestRow, RunRow } from '../platform/db/schema.ts';
import type { RequestNotes, RunEnd } from '../platform/http/env.ts';
import { withoutAnyKeys } from '../platform/values/apiKeys.ts';
import { outcomeOfRun } from './outcome.ts';

/** The longest name of a model that is kept, as its client wrote it. */
const MAX_ASKED = 100;

interface Description {
  accountId: string;
  route: string;
  tool: string;
  keyId: string | null;
  status: number | null;
}

interface Sink {
  add(row: RequestRow): void;
  addFree(row: RequestRow): void;
}

const ms = (since: number) => Math.round(performance.now() - since);

/** What is noted of one request until it has ended. */
export class Notes implements RequestNotes {
  readonly id: string;
  readonly #began = performance.now();
  #asked: string | null = null;
  #runId: string | null = null;
  #service: string | null = null;
  #attempts: number | null = null;
  #firstMs: number | null = null;
  #wholeMs = 0;
  #thinkingTokens = 0;
  #described: Description | null = null;
  #end: RunEnd | null = null;

  constructor(
    private readonly sink: Sink,
    private readonly head: { id: string; at: number },
  ) {
    this.id = head.id;
  }

  get isAdmitted(): boolean {
    return this.#runId !== null;
  }

  asks(model: string): void {
    this.#asked = withoutAnyKeys(cleanName(model.slice(0, MAX_ASKED))) || null;
  }

  admitted(runId: string): void {
    this.#runId = runId;
  }

  tries(service: string): void {
    this.#service = service;
    this.#attempts = (this.#attempts ?? 0) + 1;
  }

  begins(): void {
    this.#firstMs ??= ms(this.#began);
  }

  thought(tokens: number): void {
    this.#thinkingTokens = tokens;
  }

  ends(end: RunEnd): void {
    this.#end = end;
    this.#wholeMs = ms(this.#began);
    this.#recordRun();
  }

  /** Who asked, by what, and what the client was told: known when the answer begins. */
  describe(described: Description): void {
    this.#described = described;
    this.#recordRun();
  }

  /** Ends a request that started nothing. */
  endFree(ended: { outcome: RequestOutcome; code: string | null }): void {
    this.#wholeMs = ms(this.#began);
    if (this.#described) this.sink.addFree({ ...this.#row(this.#described), ...ended });
  }

  /** A refusal ends the run before it is told, and a stream after it has begun. */
  #recordRun(): void {
    const [end, described] = [this.#end, this.#described];
    if (!end || !described) return;
    const thinking_tokens = Math.min(this.#thinkingTokens, end.usage.outputTokens);
    this.sink.add({ ...this.#row(described), ...ofRun(end), thinking_tokens });
  }

  #row({ accountId, route, tool, keyId, status }: Description): RequestRow {
    return {
      ...NOTHING,
      id: this.id,
      run_id: this.#runId,
      account_id: accountId,
      at: this.head.at,
      route,
      tool,
      key_id: keyId,
      asked: this.#asked,
      service: this.#service,
      attempts: this.#attempts,
      first_ms: this.#firstMs,
      whole_ms: this.#wholeMs,
      status,
    };
  }
}

/** The request of a run whose node died. What its client was told, and when its first word came, nobody knows. */
export const recoveredRequest = (run: RunRow, keyId: string | null, end: RunEnd, endedAt: number): RequestRow => ({
  ...NOTHING,
  id: run.request_id ?? run.id,
  run_id: run.id,
  at: run.created_at,
  route: run.kind === 'call' ? '/v1/*' : '/api/runs',
  tool: run.device,
  key_id: keyId,
  ...ofRun(end),
  whole_ms: Math.max(0, endedAt - run.created_at),
});

const ofRun = (end: RunEnd) => ({
  account_id: end.accountId,
  model: end.model,
  input_tokens: end.usage.inputTokens,
  cached_input_tokens: end.usage.cachedInputTokens,
  output_tokens: end.usage.outputTokens,
  estimated: end.usage.estimated ? 1 : 0,
  charged: end.chargedMicro,
  ...outcomeOfRun(end),
});

const NOTHING = {
  asked: null,
  service: null,
  attempts: null,
  first_ms: null,
  status: null,
  model: null,
  input_tokens: null,
  cached_input_tokens: null,
  output_tokens: null,
  thinking_tokens: null,
  estimated: null,
  outcome: 'answered' as const,
  code: null,
  charged: 0,
  times: 1,
};
