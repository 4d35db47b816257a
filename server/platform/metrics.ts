import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ProblemCode } from '../../shared/problems.ts';
import type { NotRefunded, Reason, RunState, Usage } from '../../shared/runs.ts';

/** What was wrong with an upstream's usage report: its parts, or an input or output above the possible maximum. */
export type UsageFault = 'parts' | 'input' | 'output';

/** The metrics of `/metrics`. No label names an account, and no path contains an id: routes are labelled by pattern. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests = new Histogram({
    name: 'perigee_http_request_seconds',
    help: 'Time to the answer’s head, by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers: [this.registry],
  });
  readonly #runs = new Counter({
    name: 'perigee_runs_total',
    help: 'Runs that ended, by state',
    labelNames: ['state'],
    registers: [this.registry],
  });
  readonly #tokens = new Counter({
    name: 'perigee_tokens_total',
    help: 'Tokens of ended runs',
    labelNames: ['direction'],
    registers: [this.registry],
  });
  readonly #recovered = new Counter({
    name: 'perigee_runs_recovered_total',
    help: 'Runs whose node died, ended by recovery',
    registers: [this.registry],
  });

  readonly #faults = new Counter({
    name: 'perigee_faults_total',
    help: 'Failures that only the last catch has caught, by the work in which they happened',
    labelNames: ['work'],
    registers: [this.registry],
  });
  readonly #usage = new Counter({
    name: 'perigee_usage_corrected_total',
    help: 'Usage of a model service that was not taken as reported, by what was wrong with it',
    labelNames: ['wrong'],
    registers: [this.registry],
  });

  readonly #firstToken = new Histogram({
    name: 'perigee_upstream_first_token_seconds',
    help: 'Time from the request to the first piece of an answer, by model',
    labelNames: ['model'],
    buckets: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40, 80],
    registers: [this.registry],
  });
  readonly #answers = new Histogram({
    name: 'perigee_upstream_answer_seconds',
    help: 'Time from the request to the end of an answer that the model service completed, by model',
    labelNames: ['model'],
    buckets: [0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1280],
    registers: [this.registry],
  });
  readonly #upstreamFailures = new Counter({
    name: 'perigee_upstream_failures_total',
    help: 'Answers in which the model service failed, by the code of the failure',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly #attempts = new Counter({
    name: 'perigee_service_attempts_total',
    help: 'Requests to one of several model services: `began`, or the code of the failure before an answer',
    labelNames: ['service', 'outcome'],
    registers: [this.registry],
  });
  readonly #serviceFirst = new Histogram({
    name: 'perigee_service_first_seconds',
    help: 'Time from the request to the first content of an answer, by service',
    labelNames: ['service'],
    buckets: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40, 80],
    registers: [this.registry],
  });
  readonly #absorbed = new Counter({
    name: 'perigee_absorbed_micro_total',
    help: 'Micro-credits that answers cost and nobody was charged for, by the reason',
    labelNames: ['reason'],
    registers: [this.registry],
  });

  readonly #houseMicro = new Counter({
    name: 'perigee_house_use_micro_total',
    help: 'Micro-credits of what the house asked models for itself, by purpose',
    labelNames: ['purpose'],
    registers: [this.registry],
  });
  readonly #houseTokens = new Counter({
    name: 'perigee_house_use_tokens_total',
    help: 'Tokens of what the house asked models for itself, by purpose and direction',
    labelNames: ['purpose', 'direction'],
    registers: [this.registry],
  });
  readonly #outcomes = new Counter({
    name: 'perigee_edit_outcomes_total',
    help: 'Edits whose outcome was told, by whether the charge was refunded or why it was not',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly #refunded = new Counter({
    name: 'perigee_refunded_micro_total',
    help: 'Micro-credits given back for edits of which nothing could be applied',
    registers: [this.registry],
  });

  readonly #observations = new Counter({
    name: 'perigee_risk_observations_total',
    help: 'Observed requests; those that were dropped because too many came at once; those that could not be stored',
    labelNames: ['result'],
    registers: [this.registry],
  });

  readonly #violations = new Gauge({
    name: 'perigee_audit_violations',
    help: 'Invariants of the books that the last audit found broken; -1 before the first',
    registers: [this.registry],
  });
  readonly #auditedAt = new Gauge({
    name: 'perigee_audit_last_run_timestamp_seconds',
    help: 'When the last audit of the books came to its end',
    registers: [this.registry],
  });

  constructor(gauges: { runningRuns: () => number; openTails: () => number }) {
    collectDefaultMetrics({ register: this.registry });
    this.#violations.set(-1);
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(read());
        },
      });
    gauge('perigee_runs_running', 'Runs that this node answers now', gauges.runningRuns);
    gauge('perigee_tails_open', 'Readers of running answers', gauges.openTails);
  }

  request(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status: String(status) }, seconds);
  }

  runEnded(state: RunState, usage: Usage): void {
    this.#runs.inc({ state });
    this.#tokens.inc({ direction: 'input' }, usage.inputTokens - usage.cachedInputTokens);
    this.#tokens.inc({ direction: 'cached_input' }, usage.cachedInputTokens);
    this.#tokens.inc({ direction: 'output' }, usage.outputTokens);
  }

  /** `model` is an id from the operator's list, never the client's text. */
  upstreamBegan(model: string, seconds: number): void {
    this.#firstToken.observe({ model }, seconds);
  }

  upstreamCompleted(model: string, seconds: number): void {
    this.#answers.observe({ model }, seconds);
  }

  upstreamFailed(code: ProblemCode): void {
    this.#upstreamFailures.inc({ code });
  }

  /** What became of a request to one of several model services. */
  attempted(service: string, outcome: string, seconds: number): void {
    this.#attempts.inc({ service, outcome });
    if (outcome === 'began') this.#serviceFirst.observe({ service }, seconds);
  }

  /** Shows the state of several model services, read when the metrics are. */
  showServices(read: () => readonly { id: string; condition: string; load: number }[]): void {
    const gauge = (name: string, help: string, value: (state: ReturnType<typeof read>[number]) => number) =>
      new Gauge({
        name,
        help,
        labelNames: ['service'],
        registers: [this.registry],
        collect() {
          for (const state of read()) this.set({ service: state.id }, value(state));
        },
      });
    gauge('perigee_service_up', '1: a model service is asked; 0: it is out, resting or draining', ({ condition }) =>
      condition === 'well' || condition === 'probing' ? 1 : 0,
    );
    new Gauge({
      name: 'perigee_service_condition',
      help: '1 for the condition that a model service is in: well, out, resting, probing or draining',
      labelNames: ['service', 'condition'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { id, condition } of read()) this.set({ service: id, condition }, 1);
      },
    });
    gauge('perigee_service_load', 'Requests that a model service is answering', ({ load }) => load);
  }

  absorbed(reason: Reason, micro: number): void {
    this.#absorbed.inc({ reason }, micro);
  }

  housePaid(purpose: 'title', micro: number, usage: Usage): void {
    this.#houseMicro.inc({ purpose }, micro);
    this.#houseTokens.inc({ purpose, direction: 'input' }, usage.inputTokens);
    this.#houseTokens.inc({ purpose, direction: 'output' }, usage.outputTokens);
  }

  outcomeTold(result: 'refunded' | NotRefunded, refundedMicro: number): void {
    this.#outcomes.inc({ result });
    this.#refunded.inc(refundedMicro);
  }

  audited(violations: number, at: number): void {
    this.#violations.set(violations);
    this.#auditedAt.set(at / 1000);
  }

  faulted(work: string): void {
    this.#faults.inc({ work });
  }

  usageCorrected(wrong: UsageFault): void {
    this.#usage.inc({ wrong });
  }

  observed(result: 'seen' | 'dropped' | 'lost', observations = 1): void {
    this.#observations.inc({ result }, observations);
  }

  runRecovered(): void {
    this.#recovered.inc();
    this.#runs.inc({ state: 'interrupted' });
  }
}
