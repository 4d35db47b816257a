// The part of `node:assert/strict` that suites use, for the web worker extension host. Errors carry `actual` and
// `expected`, from which mocha's reporters make a diff.

type Message = string | Error | undefined;

class AssertionError extends Error {
  override readonly name = 'AssertionError';
  readonly code = 'ERR_ASSERTION';
  readonly showDiff: boolean;

  constructor(
    message: string,
    readonly actual?: unknown,
    readonly expected?: unknown,
  ) {
    super(message);
    this.showDiff = expected !== undefined;
  }
}

function fail(message: Message, otherwise: string, actual?: unknown, expected?: unknown): never {
  if (message instanceof Error) throw message;
  throw new AssertionError(message ?? otherwise, actual, expected);
}

function ok(value: unknown, message?: Message): asserts value {
  if (!value) fail(message, `not truthy: ${show(value)}`, value, true);
}

function equal(actual: unknown, expected: unknown, message?: Message): void {
  if (!Object.is(actual, expected)) fail(message, `${show(actual)} is not ${show(expected)}`, actual, expected);
}

function notEqual(actual: unknown, expected: unknown, message?: Message): void {
  if (Object.is(actual, expected)) fail(message, `it is ${show(actual)}`);
}

function deepEqual(actual: unknown, expected: unknown, message?: Message): void {
  if (!same(actual, expected)) fail(message, `${show(actual)} does not equal ${show(expected)}`, actual, expected);
}

function notDeepEqual(actual: unknown, expected: unknown, message?: Message): void {
  if (same(actual, expected)) fail(message, `it equals ${show(actual)}`);
}

function match(actual: string, pattern: RegExp, message?: Message): void {
  if (!pattern.test(actual)) fail(message, `${show(actual)} does not match ${pattern}`, actual, pattern);
}

function doesNotMatch(actual: string, pattern: RegExp, message?: Message): void {
  if (pattern.test(actual)) fail(message, `${show(actual)} matches ${pattern}`, actual, pattern);
}

type Expected = RegExp | ((error: never) => unknown) | (new (...args: never[]) => Error) | object;

function throws(body: () => unknown, expected?: Expected | string, message?: Message): void {
  let thrown: unknown;
  try {
    body();
  } catch (error) {
    thrown = { error };
  }
  judge(thrown as { error: unknown } | undefined, expected, message);
}

async function rejects(
  body: PromiseLike<unknown> | (() => PromiseLike<unknown>),
  expected?: Expected | string,
  message?: Message,
): Promise<void> {
  let thrown: { error: unknown } | undefined;
  const promise = typeof body === 'function' ? body() : body;
  await promise.then(
    () => {},
    (error: unknown) => {
      thrown = { error };
    },
  );
  judge(thrown, expected, message);
}

function judge(thrown: { error: unknown } | undefined, expected: Expected | string | undefined, message: Message) {
  if (!thrown) fail(typeof expected === 'string' ? expected : message, 'nothing was thrown');
  const { error } = thrown;
  if (expected === undefined || typeof expected === 'string') return;
  if (expected instanceof RegExp) return match(String(error), expected, message);
  if (typeof expected === 'function') {
    if (expected.prototype !== undefined && error instanceof expected) return;
    // An error of another class is rethrown as it is; any other `expected` is called with the error.
    if (expected.prototype instanceof Error || (expected as (error: unknown) => unknown)(error) !== true) throw error;
    return;
  }
  for (const [key, value] of Object.entries(expected)) {
    const found = (error as Record<string, unknown>)[key];
    if (value instanceof RegExp && typeof found === 'string') match(found, value, message);
    else deepEqual(found, value, message);
  }
}

/** Compares like Node's strict comparison: own enumerable properties, prototypes, the contents of maps and sets. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date) return a.getTime() === (b as Date).getTime();
  if (a instanceof RegExp) return String(a) === String(b);
  if (a instanceof Error && (a.name !== (b as Error).name || a.message !== (b as Error).message)) return false;
  if (a instanceof Set || a instanceof Map) return sameMembers([...a], [...(b as Set<unknown>)]);
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same(a[key as never], b[key as never]));
}

function sameMembers(a: unknown[], b: unknown[]): boolean {
  const left = [...b];
  return (
    a.length === b.length &&
    a.every((one) => {
      const at = left.findIndex((other) => same(one, other));
      if (at >= 0) left.splice(at, 1);
      return at >= 0;
    })
  );
}

function show(value: unknown): string {
  const text = typeof value === 'object' && !(value instanceof Error) ? JSON.stringify(value) : String(value);
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}

export default Object.assign(ok, {
  ok,
  fail: (message?: Message) => fail(message, 'failed'),
  equal,
  notEqual,
  strictEqual: equal,
  notStrictEqual: notEqual,
  deepEqual,
  notDeepEqual,
  deepStrictEqual: deepEqual,
  match,
  doesNotMatch,
  throws,
  rejects,
});
