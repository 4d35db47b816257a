import nodeAssert from 'node:assert/strict';
import webAssert from './assert.ts';

type Assert = typeof nodeAssert;

class Odd extends Error {}
const fails = (error: unknown) => () => {
  throw error;
};
const rejected = (error: unknown) => async () => {
  throw error;
};

/** Each case must pass or fail exactly as with Node's own assert. */
const cases: [title: string, check: (assert: Assert) => unknown][] = [
  ['ok 1', (a) => a.ok(1)],
  ['ok 0', (a) => a.ok(0)],
  ['the function itself', (a) => a('')],
  ['equal', (a) => a.equal(1, 1)],
  ['equal with another type', (a) => a.equal(1, '1' as never)],
  ['equal NaN', (a) => a.equal(Number.NaN, Number.NaN)],
  ['equal objects', (a) => a.equal({}, {})],
  ['notEqual', (a) => a.notEqual(1, 2)],
  ['notEqual of the same', (a) => a.notEqual(1, 1)],
  ['deepEqual in another order', (a) => a.deepEqual({ a: 1, b: [2, { c: 3 }] }, { b: [2, { c: 3 }], a: 1 })],
  ['deepEqual with another number', (a) => a.deepEqual({ a: [1] }, { a: [2] })],
  ['deepEqual with one property more', (a) => a.deepEqual({ a: 1 }, { a: 1, b: 2 } as never)],
  ['deepEqual with undefined and nothing', (a) => a.deepEqual({ a: undefined }, {})],
  ['deepEqual of an array and an object', (a) => a.deepEqual([1], { 0: 1 } as never)],
  ['deepEqual of arrays of other lengths', (a) => a.deepEqual([1], [1, 2])],
  ['deepEqual of other classes', (a) => a.deepEqual(new Odd('x'), new Error('x'))],
  ['deepEqual of errors', (a) => a.deepEqual(new Error('x'), new Error('y'))],
  ['deepEqual of sets', (a) => a.deepEqual(new Set([1, { a: 2 }]), new Set([{ a: 2 }, 1]))],
  ['deepEqual of other sets', (a) => a.deepEqual(new Set([1]), new Set([2]))],
  ['deepEqual of maps', (a) => a.deepEqual(new Map([['a', [1]]]), new Map([['a', [1]]]))],
  ['deepEqual of other maps', (a) => a.deepEqual(new Map([['a', 1]]), new Map([['a', 2]]))],
  ['deepEqual of dates', (a) => a.deepEqual(new Date(1), new Date(2))],
  ['deepEqual of bytes', (a) => a.deepEqual(new Uint8Array([1, 2]), new Uint8Array([1, 2]))],
  ['deepEqual of other bytes', (a) => a.deepEqual(new Uint8Array([1, 2]), new Uint8Array([1, 3]))],
  ['notDeepEqual', (a) => a.notDeepEqual([1], [2])],
  ['notDeepEqual of the same', (a) => a.notDeepEqual([1], [1])],
  ['match', (a) => a.match('abc', /b/)],
  ['match of nothing', (a) => a.match('abc', /x/)],
  ['doesNotMatch', (a) => a.doesNotMatch('abc', /x/)],
  ['doesNotMatch of something', (a) => a.doesNotMatch('abc', /b/)],
  ['throws', (a) => a.throws(fails(new Error('x')))],
  ['throws of what does not', (a) => a.throws(() => {})],
  ['throws with a pattern', (a) => a.throws(fails(new Error('no way')), /no/)],
  ['throws with another pattern', (a) => a.throws(fails(new Error('no way')), /yes/)],
  ['throws with a class', (a) => a.throws(fails(new Odd()), Odd)],
  ['throws with another class', (a) => a.throws(fails(new Error()), Odd)],
  ['throws with a function', (a) => a.throws(fails(new Error('x')), (e: Error) => e.message === 'x')],
  ['throws with a function that says no', (a) => a.throws(fails(new Error('x')), () => false)],
  ['throws with properties', (a) => a.throws(fails(new Error('x')), { message: 'x' })],
  ['throws with a property as a pattern', (a) => a.throws(fails(new Error('xyz')), { message: /y/ })],
  ['throws with other properties', (a) => a.throws(fails(new Error('x')), { message: 'y' })],
  ['rejects', (a) => a.rejects(rejected(new Error('x')), /x/)],
  ['rejects a promise', (a) => a.rejects(rejected(new Error('x'))())],
  ['rejects with another pattern', (a) => a.rejects(rejected(new Error('x')), /y/)],
  ['rejects of what does not', (a) => a.rejects(async () => {})],
  ['fail', (a) => a.fail('x')],
];

describe('assert in a web worker', () => {
  const passes = async (check: (assert: Assert) => unknown, assert: Assert) => {
    try {
      await check(assert);
      return true;
    } catch {
      return false;
    }
  };
  for (const [title, check] of cases)
    it(`judges as Node does: ${title}`, async () => {
      nodeAssert.equal(await passes(check, webAssert as unknown as Assert), await passes(check, nodeAssert));
    });
});
