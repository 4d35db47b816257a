import assert from 'node:assert/strict';
import { Absent, fromNpm } from '../../relays/obtain.ts';
import { ifHad } from './peers.ts';

describe('the bench beside other gateways', () => {
  it('goes on without a gateway that can’t be fetched, and says so', async () => {
    const absences: string[] = [];
    const registry = process.env.npm_config_registry;
    const retries = process.env.npm_config_fetch_retries;
    // Nothing listens there.
    process.env.npm_config_registry = 'http://127.0.0.1:1';
    process.env.npm_config_fetch_retries = '0';
    try {
      const fetched = await ifHad(
        () => fromNpm('@portkey-ai/gateway', '0.0.0'),
        'Portkey’s gateway is left out',
        absences,
      );
      assert.equal(fetched, null);
    } finally {
      restore('npm_config_registry', registry);
      restore('npm_config_fetch_retries', retries);
    }
    assert.equal(absences.length, 1);
    assert.match(absences[0]!, /^Portkey’s gateway is left out \(@portkey-ai\/gateway can't be had: /);
  });

  it('names one that does not start as well', async () => {
    const absences: string[] = [];
    const start = () => Promise.reject(new Absent('it does not listen'));
    assert.equal(await ifHad(start, 'nginx isn’t installed: apt-get install nginx-light', absences), null);
    assert.deepEqual(absences, ['nginx isn’t installed: apt-get install nginx-light (it does not listen)']);
  });

  it('hides no other failure', async () => {
    const absences: string[] = [];
    await assert.rejects(
      ifHad(() => Promise.reject(new Error('a fault of ours')), 'left out', absences),
      /a fault of ours/,
    );
    assert.deepEqual(absences, []);
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
