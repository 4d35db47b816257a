import assert from 'node:assert/strict';
import { forget, MAX_HISTORY, readHistory, remember } from '../../../extension/edit/words/promptHistory.ts';

describe('the history of requests', () => {
  it('has the most recent first', () => assert.deepEqual(remember(['b'], 'a'), ['a', 'b']));
  it('has each request once', () => assert.deepEqual(remember(['a', 'b', 'c'], 'c'), ['c', 'a', 'b']));
  it('trims, and ignores blank requests', () => {
    assert.deepEqual(remember([], ' a '), ['a']);
    assert.deepEqual(remember(['a'], '  '), ['a']);
  });
  it('is bounded', () => {
    let history: string[] = [];
    for (let n = 0; n < 50; n++) history = remember(history, `request ${n}`);
    assert.equal(history.length, MAX_HISTORY);
    assert.equal(history[0], 'request 49');
  });
  it('forgets one', () => assert.deepEqual(forget(['a', 'b'], 'a'), ['b']));
  it('reads whatever was stored', () => {
    assert.deepEqual(readHistory(undefined), []);
    assert.deepEqual(readHistory({ a: 1 }), []);
    assert.deepEqual(readHistory(['a', 3, '', 'a', 'b']), ['a', 'b']);
  });
});
