/** A word's shortest stem. */
const LEAST = 3;

/**
 * The stem of an English word in lower case, so that "retries", "retried", "retrying" and "retry" are one term. It is
 * light: a wrong stem joins two words, and a missed one loses a match.
 */
export function stem(word: string): string {
  if (word.length <= LEAST || !/^[a-z]+$/.test(word)) return word;
  return withoutEnd(withoutTense(withoutPlural(word)));
}

function withoutPlural(word: string): string {
  if (word.endsWith('ies')) return word.length > 4 ? `${word.slice(0, -3)}y` : word;
  if (/(?:ss|x|ch|sh|zz)es$/.test(word)) return word.slice(0, -2);
  return word.endsWith('s') && !/[aius]s$/.test(word) ? word.slice(0, -1) : word;
}

function withoutTense(word: string): string {
  if (word.endsWith('ied') && word.length > 4) return `${word.slice(0, -3)}y`;
  const end = /(?:ing|ed)$/.exec(word)?.[0];
  if (!end || word.endsWith('eed')) return word;
  const rest = word.slice(0, -end.length);
  // "string" and "red" have no tense.
  if (rest.length < LEAST || !/[aeiouy]/.test(rest)) return word;
  return /([^aeiouls])\1$/.test(rest) ? rest.slice(0, -1) : rest;
}

function withoutEnd(word: string): string {
  for (const [end, instead] of ENDS) {
    if (word.endsWith(end) && word.length - end.length + instead.length > LEAST)
      return word.slice(0, -end.length) + instead;
  }
  return word;
}

/** The first that fits. */
const ENDS: readonly [end: string, instead: string][] = [
  ['ization', 'iz'],
  ['isation', 'iz'],
  ['ation', ''],
  ['ator', ''],
  ['ate', ''],
  ['ction', 'ct'],
  ['ption', 'pt'],
  ['sion', 's'],
  ['ise', 'iz'],
  ['ily', 'i'],
  ['ly', ''],
  ['e', ''],
  ['y', 'i'],
];
