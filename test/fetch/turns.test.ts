import assert from 'node:assert/strict';
import { Turns } from '../../server/fetch/turns.ts';
import { AppError } from '../../server/platform/errors.ts';

describe('the turns of web pages', () => {
  const never = new AbortController().signal;
  let turns: Turns;
  let begun: string[];
  let ends: Map<string, () => void>;
  beforeEach(() => {
    turns = new Turns();
    begun = [];
    ends = new Map();
  });

  /** `page`: "ada 1", a page of the account "ada". */
  const read = (page: string, signal = never) =>
    turns.take(page.split(' ')[0]!, signal, () => {
      begun.push(page);
      return new Promise<void>((resolve) => ends.set(page, resolve));
    });
  /** One page has been read, and whose turn it then is has begun. */
  const end = async (page: string, whole: Promise<void>) => {
    ends.get(page)!();
    await whole;
    await new Promise(setImmediate);
  };

  it('are two at once for an account, and four in all', async () => {
    const ada = [1, 2, 3].map((at) => read(`ada ${at}`));
    assert.deepEqual(begun, ['ada 1', 'ada 2']);
    for (const page of ['eve 1', 'bob 1', 'eve 2', 'bob 2']) void read(page);
    assert.deepEqual(begun, ['ada 1', 'ada 2', 'eve 1', 'bob 1']);
    await end('ada 2', ada[1]!);
    assert.deepEqual(begun.slice(4), ['ada 3'], 'who waited longest');
  });

  it('pass by an account that has two', async () => {
    const ada = [1, 2, 3, 4].map((at) => read(`ada ${at}`));
    const eve = read('eve 1');
    void read('bob 1');
    void read('bob 2');
    await end('eve 1', eve);
    assert.deepEqual(begun, ['ada 1', 'ada 2', 'eve 1', 'bob 1', 'bob 2']);
    await end('ada 1', ada[0]!);
    assert.deepEqual(begun.slice(5), ['ada 3']);
  });

  it('go on after a page that failed', async () => {
    await assert.rejects(
      turns.take('ada', never, () => Promise.reject(new Error('failed'))),
      /failed/,
    );
    void read('ada 1');
    void read('ada 2');
    assert.deepEqual(begun, ['ada 1', 'ada 2']);
  });

  it('are refused by name to what waited too long, which then takes none', async () => {
    const over = new AbortController();
    const ada = [read('ada 1'), read('ada 2')];
    const late = [read('ada 3', over.signal), read('ada 4', AbortSignal.abort())];
    over.abort();
    for (const one of late)
      await assert.rejects(one, (error) => error instanceof AppError && error.code === 'rate_limited');
    void read('ada 5');
    await end('ada 1', ada[0]!);
    assert.deepEqual(begun, ['ada 1', 'ada 2', 'ada 5']);
  });
});
