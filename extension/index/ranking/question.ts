import { TermReader } from './terms.ts';

/** What a question asks for: how much each of its terms counts. */
export type Question = Map<number, number>;

/** The terms that are looked for: the text of a whole log makes no better question. */
const MOST_TERMS = 64;
/** In UTF-16 units. */
const MOST_LENGTH = 10_000;
/** Names in a question are meant exactly: in backticks, or of a form that only code has. */
const QUOTED = /`[^`\n]{1,200}`/g;
const TOKEN = /[\p{L}_$][\p{L}\p{N}_$.]{0,100}/gu;
const IS_NAME = /[\p{L}\p{N}_$][._][\p{L}_$]|\p{Ll}\p{Lu}/u;
const NAMED = 1.5;
const WORD = /[\p{L}\p{N}]+/gu;
/** What stands between words that can be one name. */
const JOINS = /^[ \-_./]$/;
const JOINED = 1;

/** Reads a question. Without a term it is empty, and finds nothing. */
export function readQuestion(text: string, reader = new TermReader()): Question {
  const question: Question = new Map();
  const add = (part: string, weight: number) =>
    reader.read(part, (hash) => {
      if (question.size < MOST_TERMS || question.has(hash))
        question.set(hash, Math.max(weight, question.get(hash) ?? 0));
    });
  const asked = text.slice(0, MOST_LENGTH);
  for (const [name] of asked.matchAll(QUOTED)) add(name, NAMED);
  for (const [name] of asked.matchAll(TOKEN)) if (IS_NAME.test(name)) add(name, NAMED);
  add(asked, 1);
  // "server handshake" may be `serverHandshake` in code.
  const words = [...asked.matchAll(WORD)];
  for (const [at, [word]] of words.entries()) {
    const next = words[at + 1];
    const between = next && asked.slice(words[at]!.index + word.length, next.index);
    if (between && JOINS.test(between)) add(word + next[0], JOINED);
  }
  return question;
}
