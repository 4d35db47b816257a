import fc from 'fast-check';

/** A text of few different words, one to a line, as lines. */
export const lines = (text: string) => (text === '' ? [] : text.split(' '));

/** Few different lines, so that they often repeat: the hard case for anything that looks for lines by their text. */
export const someLine: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', '', '}', '  d', 'e f');
export const someLines = fc.array(someLine, { maxLength: 12 });
