import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** More than an operator mends before the next try. */
const MOST = 20;

/**
 * What is wrong with the file of PERIGEE_CONFIG, in one line for one mistake, else with a line for each: its path and
 * what to write. No value of the file is repeated but numbers and single words, because it may hold secrets.
 */
export function tellIssues(file: string, json: unknown, issues: readonly Issue[]): string {
  const lines = issues.flatMap((issue) => told(json, issue));
  const [only] = lines;
  if (lines.length === 1) return `PERIGEE_CONFIG: ${file}, at ${only}`;
  const more = lines.length > MOST ? [`  and ${lines.length - MOST} more`] : [];
  const shown = lines.slice(0, MOST).map((line) => `  ${line}`);
  return [`PERIGEE_CONFIG: ${file} has ${lines.length} mistakes:`, ...shown, ...more].join('\n');
}

function told(json: unknown, issue: Issue): string[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(
      (key) => `${nameOf([...path, key])}: there is no such setting. Check its name, or leave it out`,
    );
  return [`${nameOf(path)}: ${wordsFor(issue, valueAt(json, path))}`];
}

/** As in JavaScript: `models[2].price.inputMicro`. */
function nameOf(path: readonly PropertyKey[]): string {
  const name = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return name === '' ? 'the top' : name.replace(/^\./, '');
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((at: unknown, step) => (at as Record<PropertyKey, unknown> | null | undefined)?.[step], json);
}

function wordsFor(issue: Issue, value: unknown): string {
  // Words of our own schemas.
  if (!/^(Invalid|Too (small|big)|Unrecognized)\b/.test(issue.message)) return issue.message;
  if (value === undefined) return 'is missing';
  const but = `, not ${shownAs(value)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}${but}`;
    case 'too_small':
      return `must ${sized(issue.origin, 'at least', Number(issue.minimum))}, not ${sizeOf(value)}`;
    case 'too_big':
      return `must ${sized(issue.origin, 'at most', Number(issue.maximum))}, not ${sizeOf(value)}`;
    case 'invalid_format':
      return `must be ${FORMATS[issue.format] ?? 'written in another way'}`;
    case 'invalid_value':
      return `must be ${oneOf(issue.values)}${but}`;
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options)
        ? `must be ${oneOf(issue.options)}${but}`
        : `has the wrong form${but}`;
    default:
      return issue.message;
  }
}

const KINDS: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const FORMATS: Record<string, string> = {
  url: 'an address such as https://example.org/v1',
  datetime: 'an instant in UTC such as 2027-01-31T12:00:00Z',
};

function sized(origin: string, bound: string, count: number): string {
  if (origin === 'string') return `have ${bound} ${count} ${count === 1 ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set') return `have ${bound} ${count} ${count === 1 ? 'entry' : 'entries'}`;
  return `be ${bound} ${count}`;
}

const sizeOf = (value: unknown) =>
  typeof value === 'string' || Array.isArray(value) ? String(value.length) : shownAs(value);

const oneOf = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join(' or ');

function shownAs(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (typeof value === 'string') return /^[a-z0-9_.-]{1,20}$/i.test(value) ? JSON.stringify(value) : 'a text';
  return Array.isArray(value) ? 'a list' : 'an object';
}
