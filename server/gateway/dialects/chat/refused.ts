/** OpenAI's codes for a request that is wrong. */
export type CallRefusal =
  | 'invalid_type'
  | 'invalid_value'
  | 'missing_required_parameter'
  | 'unsupported_parameter'
  | 'unsupported_value'
  | 'empty_array'
  | 'array_above_max_length'
  | 'integer_below_min_value'
  | 'string_above_max_length'
  | 'previous_response_not_found';

/**
 * A request that can't be sent on. `param` is the path of the field, as in OpenAI's errors; null: the body itself. The
 * message says what is wrong and what to do. Neither of them repeats a value of the request.
 */
export class CallRefused extends Error {
  constructor(
    readonly code: CallRefusal,
    readonly param: string | null,
    message: string,
  ) {
    super(message);
    this.name = 'CallRefused';
  }
}

export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a field that is absent or null: both mean "not set" in every dialect. */
export function isUnset(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

/** The object without these fields. The others keep their order. */
export function without(object: Json, fields: ReadonlySet<string>): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !fields.has(key)));
}

/** Names as services in Go read them: without regard to case, and the last of two names wins. */
const folded = (name: string) => name.normalize('NFKC').toLowerCase();

/** Checks the names of one kind of object. */
export class Names {
  readonly #exact: ReadonlySet<string>;
  readonly #folded: ReadonlyMap<string, string>;

  constructor(names: Iterable<string>) {
    this.#exact = new Set(names);
    this.#folded = new Map([...this.#exact].map((name) => [folded(name), name]));
  }

  /**
   * Throws `CallRefused` if a name is a known one in other letter case: some services would take it for that one, and
   * answer with another model or at another price than was asked for here. `param` is the path of the object.
   */
  check(object: Json, param: string | null): void {
    for (const name of Object.keys(object)) {
      if (this.#exact.has(name)) continue;
      const known = this.#folded.get(folded(name));
      if (known === undefined) continue;
      const path = param === null ? known : `${param}.${known}`;
      throw new CallRefused('unsupported_parameter', path, `${path} is written in other letters. Write "${known}".`);
    }
  }
}

export function wrongType(param: string, expected: string): CallRefused {
  return new CallRefused('invalid_type', param, `${param} must be ${expected}.`);
}

export function missing(param: string, hint = ''): CallRefused {
  return new CallRefused('missing_required_parameter', param, `${param} is missing.${hint && ` ${hint}`}`);
}
