/** What a node knows of a model service since its start. */
export interface ServiceHealth {
  /** `well`, `out`, `resting`, `probing` or `draining`. */
  condition: string;
  requests: number;
  /** Requests that failed before an answer began. */
  failures: number;
  /** Half of the answers began within so many seconds; null if none did, or if it took longer than is measured. */
  halfWithinSeconds: number | null;
}

/** Of each service in a node's metrics, by its id. */
export function serviceHealth(metrics: string): Map<string, ServiceHealth> {
  const samples = metrics.split('\n').flatMap(sampleOf);
  const of = (name: string, service: string) =>
    samples.filter((sample) => sample.name === name && sample.labels.service === service);
  const found = new Map<string, ServiceHealth>();
  for (const { name, labels, value } of samples) {
    const { service, condition } = labels;
    if (name !== 'perigee_service_condition' || value !== 1 || !service || !condition) continue;
    const attempts = of('perigee_service_attempts_total', service);
    const sum = (some: typeof attempts) => some.reduce((all, one) => all + one.value, 0);
    const began = sum(attempts.filter((one) => one.labels.outcome === 'began'));
    const half = of('perigee_service_first_seconds_bucket', service)
      .filter((bucket) => began > 0 && bucket.value >= began / 2)
      .map((bucket) => Number(bucket.labels.le))
      .filter(Number.isFinite);
    found.set(service, {
      condition,
      requests: sum(attempts),
      failures: sum(attempts) - began,
      halfWithinSeconds: half.length > 0 ? Math.min(...half) : null,
    });
  }
  return found;
}

/** As a cell of the operator's table. */
export function tellHealth({ condition, requests, failures, halfWithinSeconds }: ServiceHealth): string {
  const failed = failures > 0 ? `, ${failures} failed` : '';
  const speed = halfWithinSeconds === null ? '' : `, half begin within ${halfWithinSeconds} s`;
  return `${condition}, ${requests} ${requests === 1 ? 'request' : 'requests'}${failed}${speed}`;
}

/** One line of Prometheus' text format; nothing for a comment. */
function sampleOf(line: string): { name: string; labels: Record<string, string>; value: number }[] {
  const [, name, inner, value] = /^([a-z_]+)\{([^}]*)\} (\S+)$/.exec(line) ?? [];
  if (name === undefined) return [];
  const labels = [...inner!.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key, text]) => [key!, text!] as const);
  return [{ name, labels: Object.fromEntries(labels), value: Number(value) }];
}
