import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openAiUpstream } from '../../server/gateway/upstreams/openai.ts';
import { type ControlOrder, UpstreamDouble } from '../doubles/upstream.ts';
import { eventsIn } from '../support/pieces.ts';

describe('the double of a model service', () => {
  it('goes from gate to gate as it is told, and then to its end', async () => {
    const double = await new UpstreamDouble().start();
    try {
      const call = double.script({ pieces: ['a', 'b', 'c', 'd'], gateAt: [1, 3, 4] });
      let heard = '';
      const waiting: { length: number; resolve: () => void }[] = [];
      const hears = (length: number) =>
        new Promise<void>((resolve) => {
          if (heard.length >= length) resolve();
          else waiting.push({ length, resolve });
        });
      const request = {
        model: 'm',
        messages: [{ role: 'user' as const, text: 'x' }],
        maxOutputTokens: 9,
        cacheKey: '',
      };
      const reading = (async () => {
        const upstream = openAiUpstream({ url: double.url });
        for await (const event of eventsIn(upstream.stream(request, new AbortController().signal))) {
          if (event.type !== 'text') continue;
          heard += event.text;
          for (const { length, resolve } of waiting) if (heard.length >= length) resolve();
        }
      })();
      for (const part of ['a', 'abc', 'abcd']) {
        assert.equal((await (part === 'a' ? call.atGate : call.step())).state, 'open');
        await hears(part.length);
        assert.equal(heard, part);
      }
      assert.equal((await call.step()).state, 'complete');
      await reading;
      assert.equal(heard, 'abcd');
    } finally {
      await double.stop();
    }
  });
});

describe('the double of a model service, in a process of its own', () => {
  it('is scripted and followed over HTTP, and ends when told to', async () => {
    const file = fileURLToPath(new URL('../doubles/upstream.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', file, '--tokens', '3', '--every', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const url = line.replace('upstream double: ', '');
    const control = async (order: ControlOrder) => {
      const answer = await fetch(new URL('/control', url), { method: 'POST', body: JSON.stringify(order) });
      return (await answer.json()) as { running: number; waiting: number };
    };
    const upstream = openAiUpstream({ url });
    const ask = async (text: string, onText = async () => {}) => {
      let heard = '';
      const request = { model: 'm', messages: [{ role: 'user' as const, text }], maxOutputTokens: 9, cacheKey: '' };
      for await (const event of eventsIn(upstream.stream(request, new AbortController().signal))) {
        if (event.type !== 'text') continue;
        heard += event.text;
        await onText();
      }
      return heard;
    };

    assert.equal(await ask('anything'), 'token0 token1 token2 ');
    await control({ reset: true, scripts: [{ when: 'gate', pieces: ['a', 'b'], gateAt: 1 }, { pieces: ['x'] }] });
    assert.equal(await ask('else'), 'x');
    let opened = false;
    const heard = await ask('gate', async () => {
      if (!opened) assert.equal((await control({ open: true })).running, 1);
      opened = true;
    });
    assert.equal(heard, 'ab');
    const bill = (await (await fetch(new URL('/control/bill', url))).json()) as { total: { outputTokens: number } };
    assert.equal(bill.total.outputTokens, 3);

    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
