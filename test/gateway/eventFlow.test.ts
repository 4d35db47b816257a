import assert from 'node:assert/strict';
import type { ShownEvent } from '../../server/gateway/prompt/received.ts';
import { EventFlow } from '../../server/gateway/runs/eventFlow.ts';

describe('the events of an answer that thinks', () => {
  const thinking = (text: string, at: number): ShownEvent => ({ type: 'thinking', data: { text, at, ms: at } });
  const text = (said: string, at: number): ShownEvent => ({ type: 'text', data: { text: said, at } });

  it('begin at once, are gathered, and stay in order', () => {
    const passed: ShownEvent[] = [];
    const flow = new EventFlow((event) => passed.push(event), 60_000);
    for (let at = 0; at < 500; at++) flow.add(thinking('x', at));
    assert.deepEqual(passed, [thinking('x', 0)]);
    flow.add(text('Yes', 0));
    flow.add(text('.', 3));
    const gathered = { type: 'thinking', data: { text: 'x'.repeat(499), at: 1, ms: 499 } };
    assert.deepEqual(passed.slice(1), [gathered, text('Yes', 0), text('.', 3)]);
    flow.add(thinking('more', 500));
    flow.add(thinking(' of it', 504));
    flow.flush();
    assert.deepEqual(passed.slice(4), [
      thinking('more', 500),
      { type: 'thinking', data: { text: ' of it', at: 504, ms: 504 } },
    ]);
    flow.flush();
    assert.equal(passed.length, 6);
  });

  it('come without a next piece, when the model pauses', async () => {
    const passed: ShownEvent[] = [];
    const flow = await new Promise<EventFlow>((resolve) => {
      const made = new EventFlow((event) => passed.push(event) === 2 && resolve(made), 1);
      made.add(thinking('a', 0));
      made.add(thinking('b', 1));
    });
    assert.deepEqual(passed, [thinking('a', 0), thinking('b', 1)]);
    flow.flush();
  });
});
