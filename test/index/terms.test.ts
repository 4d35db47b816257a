import assert from 'node:assert/strict';
import { stem } from '../../extension/index/ranking/stem.ts';
import { hashOf, TermReader, termsOf } from '../../extension/index/ranking/terms.ts';

const terms = (text: string) => {
  const found: number[] = [];
  new TermReader().read(text, (hash) => found.push(hash));
  return found;
};

describe('terms of names', () => {
  for (const [name, ...expected] of [
    ['retry', 'retri'],
    ['parseURL', 'pars', 'url', 'parseurl'],
    ['HTTPServer', 'http', 'server', 'httpserver'],
    ['parse_url', 'pars', 'url', 'parseurl'],
    ['MAX_SIZE', 'max', 'size', 'maxsiz'],
    ['sha256', 'sha', '256', 'sha256'],
    ['$state', 'stat'],
    ['x'],
    ['the'],
    ['café', 'cafe'],
    ['Größe', 'große'],
    ['Übertragung', 'ubertragung'],
    ['сервера', 'сервера'],
    ['重试逻辑', '重试', '试逻', '逻辑'],
    ['再', '再'],
    ['サーバー', 'サー', 'ーバ', 'バー'],
    ['a'.repeat(65)],
  ] as [string, ...string[]][])
    it(`are [${expected.join(', ')}] of ${name.slice(0, 20)}`, () => assert.deepEqual(termsOf(name), expected));

  it('are the same in text, one after the other', () => {
    assert.deepEqual(
      terms('src/retryPolicy.ts: 重试'),
      ['src', 'retri', 'polici', 'retrypolici', 'ts', '重试'].map(hashOf),
    );
  });

  it('are read in bounded time from one endless name', () => {
    assert.deepEqual(terms('a'.repeat(5_000_000)), []);
  });
});

describe('a stem', () => {
  for (const same of [
    ['retry', 'retries', 'retried', 'retrying'],
    ['cache', 'caches', 'cached', 'caching'],
    ['stop', 'stops', 'stopped', 'stopping'],
    ['validate', 'validation', 'validates'],
    ['connect', 'connection', 'connections', 'connecting'],
    ['serialize', 'serialization', 'serialise'],
    ['match', 'matches', 'matching'],
  ])
    it(`is one for ${same.join(', ')}`, () =>
      assert.deepEqual([...new Set(same.map(stem))].length, 1, same.map(stem).join()));

  for (const [one, other] of [
    ['string', 'str'],
    ['red', 'r'],
    ['class', 'clas'],
    ['status', 'statu'],
    ['need', 'ne'],
    ['utf8', 'utf'],
  ] as const)
    it(`of ${one} is not that of ${other}`, () => assert.notEqual(stem(one), stem(other)));
});
