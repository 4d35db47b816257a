import assert from 'node:assert/strict';
import { importsOf, sources } from '../support/imports.ts';

/** What refuses, delays, prices or answers. */
const HOT = [
  'server/gateway',
  'server/credits',
  'server/conversations',
  'server/accounts/sessions',
  'server/accounts/keys',
];
/** The way in: it takes what a request shows, and gives nothing back. */
const SEEN = ['server/risk/observer.ts', 'server/risk/observe/turn.ts'];

describe('what is judged of an account', () => {
  it('is read by nothing that refuses, delays or charges a request', () => {
    const read = sources(HOT)
      .flatMap((file) => importsOf(file))
      .filter(({ to }) => to.startsWith('server/risk'));
    assert.deepEqual([...new Set(read.map(({ to }) => to))].sort(), [...SEEN].sort());
    assert.deepEqual(
      read.filter(({ from }) => !from.startsWith('server/gateway')),
      [],
    );
  });

  it('does not reach the observer either', () => {
    const [observer] = sources(['server/risk']).filter(({ path }) => path === 'server/risk/observer.ts');
    const judged = importsOf(observer!).filter(({ to }) => to.startsWith('server/risk/score'));
    assert.deepEqual(judged, []);
  });
});
