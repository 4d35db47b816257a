/** The part of a file for a request: a symbol or lines, counted from 1, both ends included. Undefined: all of it. */
export interface Part {
  name?: string;
  first: number;
  last: number;
}

/** The instruction to write documentation comments. */
export function documentInstruction(part: Part | undefined): string {
  return [
    part ? `Document ${tellPart(part)}.` : 'Document this file.',
    'Write documentation comments in the form that the language and this file have for them: what it is for, and where it is not plain from the names, its parameters, results, units, errors and side effects. Correct comments that are there and wrong; leave good ones as they are. Do not comment what the code says itself.',
    `Change nothing else, not a character of code${part ? ', and nothing outside of what was named and the comments that belong to it' : ''}. Lines count from 1.`,
  ].join('\n');
}

export interface TestsRequest {
  path: string;
  part?: Part;
  /** The file's existing tests, which the model extends. One of the sent files. */
  existing?: string;
  /** Tests of another file, as an example. One of the sent files. */
  example?: string;
  /** The place for a new test file. */
  place?: string;
}

/** The instruction to write tests. */
export function testsInstruction({ path, part, existing, example, place }: TestsRequest): string {
  const of = part ? `${tellPart(part)} of ${path}` : path;
  const isOwn = existing === path;
  const where = existing
    ? `Add them to ${existing}, in its style, and leave its tests as they are; leave out what they test already.`
    : place
      ? `Put them into the new file ${place}.`
      : 'Put them into a new file where the tests of this workspace have their place, named as they are.';
  return [
    isOwn ? `Write the tests that are missing in ${of}.` : `Write tests for ${of}.`,
    where,
    ...(example
      ? [`${example} shows how tests are written here: the same framework and style. Do not change it.`]
      : []),
    'Test what it promises: the usual case, the edges, what is refused. Each test says in its name what must hold, and fails when it does not. Use only packages that the workspace uses already.',
    ...(isOwn ? [] : [`Do not change ${path}.`]),
    'Lines count from 1.',
  ].join('\n');
}

function tellPart({ name, first, last }: Part): string {
  const lines = first === last ? `line ${first}` : `lines ${first} to ${last}`;
  return name ? `\`${name}\` (${lines})` : lines;
}
