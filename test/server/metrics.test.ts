import assert from 'node:assert/strict';
import { get } from 'node:http';
import { endOf } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';
import { startServer } from '../support/server.ts';

/** The value of a sample, or undefined where there is none. */
function sampleOf(metrics: string, sample: string): number | undefined {
  const line = metrics.split('\n').find((line) => line.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

onBothEngines('what /metrics tells', (server, engine) => {
  const scrape = async () => (await fetch(`${server().url}/metrics`)).text();

  it('how soon a model service begins and ends an answer, by model', async () => {
    const guest = await server().guest();
    server().double.script({ pieces: ['one ', 'two'], everyMs: 1 });
    await guest.run(guest.chat('hello'));
    const metrics = await scrape();
    for (const name of ['first_token', 'answer'])
      assert.equal(sampleOf(metrics, `perigee_upstream_${name}_seconds_count{model="double"}`), 1, name);
    assert.equal(sampleOf(metrics, 'perigee_absorbed_micro_total{reason="upstream_failed"}'), undefined);
  });

  it('how an answer failed, and what the house paid for it; it counts as no answer of the service', async () => {
    const guest = await server().guest();
    const before = await scrape();
    server().double.script({ pieces: ['one ', 'two'], end: 'destroy' });
    assert.equal(endOf(await guest.run(guest.chat('hello'))).type, 'error');
    const after = await scrape();
    const rise = (sample: string) => (sampleOf(after, sample) ?? 0) - (sampleOf(before, sample) ?? 0);
    assert.equal(rise('perigee_runs_total{state="failed"}'), 1);
    assert.equal(rise('perigee_upstream_failures_total{code="upstream_failed"}'), 1);
    // A guest pays 1 credit an answer.
    assert.equal(rise('perigee_absorbed_micro_total{reason="upstream_failed"}'), 1_000_000);
    assert.equal(rise('perigee_upstream_first_token_seconds_count{model="double"}'), 1);
    assert.equal(rise('perigee_upstream_answer_seconds_count{model="double"}'), 0);
  });

  it('how large the database is, and for an embedded one how much room it has', async () => {
    const metrics = await scrape();
    assert.ok(sampleOf(metrics, 'perigee_database_bytes')! > 50_000);
    const [free, all] = ['perigee_disk_free_bytes', 'perigee_disk_bytes'].map((name) => sampleOf(metrics, name));
    if (engine === 'postgres') return assert.deepEqual([free, all], [undefined, undefined]);
    assert.ok(free! > 0 && free! < all!);
  });
});

describe('Prometheus', () => {
  it('scrapes a node by its address with METRICS_TOKEN, and no stranger does without', async () => {
    const server = await startServer('sqlite', {
      env: { PUBLIC_URL: 'https://perigee.example.org', METRICS_TOKEN: 'a token for tests' },
    });
    try {
      const { port } = new URL(server.url);
      const ask = (path: string, headers: Record<string, string>) =>
        new Promise<number | undefined>((resolve, reject) => {
          const options = { port, host: '127.0.0.1', path, headers: { host: `node-1:${port}`, ...headers } };
          get(options, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
        });
      const token = { authorization: 'Bearer a token for tests' };
      assert.equal(await ask('/metrics', token), 200);
      assert.equal(await ask('/metrics', { ...token, 'x-forwarded-for': '203.0.113.5' }), 200);
      assert.equal(await ask('/metrics', {}), 421);
      assert.equal(await ask('/metrics', { authorization: 'Bearer another token' }), 421);
      assert.equal(await ask('/api/models', token), 421);
    } finally {
      await server.stop();
    }
  });
});
