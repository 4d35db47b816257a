// Separates a model's thoughts from its answer. The server reads each stream with this reader, and stored answers are
// read by the same rules.

/**
 * A piece of a model's output. `retracted`: all text since the last thought was a thought, too, because its closing tag
 * came only now. The text is taken back before more comes.
 */
export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'thinking'; text: string }
  | { kind: 'retracted'; text: string };

interface Mark {
  open: string;
  close: string;
  /** Whether the closing mark alone may end a thought that the chat template has opened. */
  byTemplate: boolean;
}

const pair = (name: string, left = '<', right = '>'): Mark => ({
  open: `${left}${name}${right}`,
  close: `${left}/${name}${right}`,
  byTemplate: true,
});

const HARMONY_FINAL = '<|channel|>final<|message|>';

/** How models mark thoughts, by their chat templates and the reasoning parsers of vLLM and SGLang. */
const MARKS: readonly Mark[] = [
  // DeepSeek, Qwen, GLM, MiniMax, Nemotron, ERNIE and most others. The following pairs are variants.
  pair('think'),
  pair('thinking'),
  pair('thought'),
  pair('thoughts'),
  pair('reasoning'),
  // Seed-OSS; Kimi; Magistral.
  pair('seed:think'),
  pair('think', '◁', '▷'),
  pair('THINK', '[', ']'),
  { open: '<|begin_of_thought|>', close: '<|end_of_thought|>', byTemplate: true },
  // Cohere.
  { open: '<|start_thinking|>', close: '<|end_thinking|>', byTemplate: true },
  // gpt-oss: every channel but the last is a thought.
  { open: '<|channel|>analysis<|message|>', close: HARMONY_FINAL, byTemplate: false },
  { open: '<|start|>assistant<|channel|>analysis<|message|>', close: HARMONY_FINAL, byTemplate: false },
  { open: '<|channel|>commentary<|message|>', close: HARMONY_FINAL, byTemplate: false },
];

/** Marks before an answer that are not part of it. No one writes them by hand. */
const WRAPPERS = ['<|begin_of_solution|>', '<|start_response|>', '<|start|>assistant', HARMONY_FINAL];

const OPENERS = [...MARKS.map(({ open }) => open), ...WRAPPERS].sort((a, b) => b.length - a.length);
const CLOSERS = MARKS.filter(({ byTemplate }) => byTemplate).map(({ close }) => close);
const MAX_MARK = Math.max(...[...OPENERS, ...CLOSERS].map((mark) => mark.length));

const OPENS = new RegExp(`^(?:${OPENERS.map(whole).join('|')})`);
const MAY_OPEN = new RegExp(`^(?:${OPENERS.map(begun).join('|')})`);
const CLOSES = new RegExp(CLOSERS.map(whole).join('|'));
const MAY_CLOSE = new RegExp(CLOSERS.map(begun).join('|'));
const STRAYS = new RegExp(`^(?:\\s|${CLOSERS.map(whole).join('|')})*`);
/** For each mark: a pattern for its end, and one for a prefix of that. */
const ENDS = new Map(
  MARKS.map((mark) => [mark, [new RegExp(whole(mark.close)), new RegExp(begun(mark.close))] as const]),
);

/** Each closing mark is checked against the text before it. An answer with more of them is about such marks. */
const MOST_WEIGHED = 16;
/** More blanks than this before a decision are no layout: they are passed on, so that they are not scanned again. */
const MOST_HELD = 10_000;
const BLANKS = /^[\s\uFEFF\u200B]*/;

/**
 * Reads an answer in pieces that may be cut anywhere. Thoughts are at its beginning, one or several. Each runs from its
 * opening mark to the closing one, or to the end of a cut-off answer. Later marks are text: an answer may be about them.
 *
 * One exception: some templates open the thought in the prompt, so that the answer has only the closing mark. The text
 * before it is then a thought, if the mark is at the beginning of a line or directly after a word, outside of code,
 * without an opening mark before it, and with an answer after it.
 */
export class ThoughtReader {
  /** `gap`: before the answer's first word. `thought`: inside `#mark`. `text`: in the answer. */
  #state: 'gap' | 'thought' | 'text' = 'gap';
  #mark: Mark = MARKS[0]!;
  /** Read but undecided: blanks, or a possible start of a mark. */
  #held = '';
  /** The text passed on since the last thought. */
  #text = '';
  #weighed = 0;
  /** A thought came before, so empty lines before the answer are dropped. */
  #isAfterThought = false;

  /** Returns the pieces that are decided by now, in order. */
  feed(piece: string): Piece[] {
    return this.#read(piece, false);
  }

  /** Returns what was still undecided when the answer ended. */
  end(): Piece[] {
    return this.#read('', true);
  }

  #read(piece: string, isLast: boolean): Piece[] {
    const pieces: Piece[] = [];
    this.#held += piece;
    let goesOn = true;
    while (goesOn && this.#held !== '') {
      if (this.#state === 'thought') goesOn = this.#passThought(pieces, isLast);
      else if (this.#state === 'text') goesOn = this.#passText(pieces, isLast);
      else goesOn = this.#passGap(isLast);
      if (!goesOn && !isLast && this.#held.length > MOST_HELD) return [...pieces, ...this.#read('', true)];
    }
    return pieces;
  }

  /** Each of these methods decides one thing. False if it needs more input. */
  #passGap(isLast: boolean): boolean {
    const blanks = BLANKS.exec(this.#held)![0];
    const rest = this.#held.slice(blanks.length);
    if (!isLast && (rest === '' || MAY_OPEN.test(rest))) return false;
    const open = OPENS.exec(rest)?.[0];
    if (open !== undefined) {
      const mark = MARKS.find((one) => isMark(one.open, open));
      if (mark) {
        this.#mark = mark;
        this.#state = 'thought';
      }
      this.#isAfterThought = true;
      this.#held = rest.slice(open.length);
      return true;
    }
    this.#state = 'text';
    if (this.#isAfterThought) {
      // Keep the indentation of the answer's first line; drop the rest of the mark's line.
      const lineAt = blanks.lastIndexOf('\n') + 1;
      this.#held = (lineAt > 0 ? blanks.slice(lineAt) : '') + rest;
    }
    return true;
  }

  #passThought(pieces: Piece[], isLast: boolean): boolean {
    const [ends, mayEnd] = ENDS.get(this.#mark)!;
    const found = ends.exec(this.#held);
    const end = found?.index ?? (isLast ? this.#held.length : decidedUpTo(mayEnd, this.#held));
    if (end > 0) pieces.push({ kind: 'thinking', text: this.#held.slice(0, end) });
    this.#held = this.#held.slice(end + (found?.[0].length ?? 0));
    if (found) this.#state = 'gap';
    return found !== null;
  }

  #passText(pieces: Piece[], isLast: boolean): boolean {
    const found = this.#weighed < MOST_WEIGHED ? CLOSES.exec(this.#held) : null;
    if (!found) {
      const isDecided = isLast || this.#weighed >= MOST_WEIGHED;
      this.#say(pieces, isDecided ? this.#held.length : decidedUpTo(MAY_CLOSE, this.#held));
      return false;
    }
    this.#say(pieces, found.index);
    const [close] = found;
    const after = this.#held.slice(close.length);
    const following = after.slice(STRAYS.exec(after)![0].length);
    if (!isLast && (following === '' || following === MAY_CLOSE.exec(following)?.[0])) return false;
    this.#weighed += 1;
    if (!closesThought(close, this.#text, after)) {
      this.#say(pieces, close.length);
      return true;
    }
    if (following === '') {
      // There is no other answer than the text before it: the mark is a stray.
      this.#held = '';
      return false;
    }
    if (this.#text !== '') pieces.push({ kind: 'retracted', text: this.#text });
    this.#text = '';
    this.#weighed = 0;
    this.#held = after;
    this.#state = 'gap';
    this.#isAfterThought = true;
    return true;
  }

  #say(pieces: Piece[], length: number): void {
    if (length === 0) return;
    const text = this.#held.slice(0, length);
    pieces.push({ kind: 'text', text });
    this.#text += text;
    this.#held = this.#held.slice(length);
  }
}

/** "Thought for 12 s", "Thought for 2 min 5 s"; "Thought" if nobody measured it. */
export function saysThought(ms: number): string {
  return ms === 0 ? 'Thought' : `Thought for ${saysSeconds(Math.max(1, Math.round(ms / 1000)))}`;
}

/** "12 s", "2 min 5 s", "3 min". */
export function saysSeconds(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return [minutes > 0 && `${minutes} min`, (rest > 0 || minutes === 0) && `${rest} s`].filter(Boolean).join(' ');
}

/** Splits a whole answer into its text and its thoughts. Splitting the text again gives the same text. */
export function splitThoughts(answer: string): { text: string; thinking: string } {
  const reader = new ThoughtReader();
  let text = '';
  let thinking = '';
  for (const piece of [...reader.feed(answer), ...reader.end()]) {
    if (piece.kind === 'text') text += piece.text;
    else thinking += piece.text;
    if (piece.kind === 'retracted') text = '';
  }
  return { text, thinking };
}

/** Whether a closing mark without an opening one ends a thought. `text` is before it, `after` follows it. */
function closesThought(close: string, text: string, after: string): boolean {
  if (text.trim() === '') return true;
  const mark = MARKS.find((one) => isMark(one.close, close))!;
  if (opensBefore(mark, text)) return false;
  const line = text.slice(text.lastIndexOf('\n') + 1);
  const beginsLine = line.trim() === '' && /^(?:[ \t]*\r?\n|\S)/.test(after);
  // A mark that is mentioned in a sentence has a space or quotation mark before it.
  const isGlued = /[^\s`"'“‘«(\\]$/.test(line);
  const endsLine = /[.!?…。！？][ \t]+$/.test(line) && /^[ \t]*\r?\n/.test(after);
  return (beginsLine || isGlued || endsLine) && !isInCode(text, line);
}

/** A tag with attributes is no mark, but its closing tag looks like one: `<Reasoning open>…</Reasoning>`. */
function opensBefore({ open }: Mark, text: string): boolean {
  const opening =
    open.startsWith('<') && !open.startsWith('<|') ? `${whole(open.slice(0, -1))}(?:\\s[^>]*)?>` : whole(open);
  return new RegExp(opening).test(text);
}

function isInCode(text: string, line: string): boolean {
  // Fences may also be in quotations and list items.
  const fences = text.match(/^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+){0,8}(?:`{3,}|~{3,})/gm)?.length ?? 0;
  const ticks = line.match(/`/g)?.length ?? 0;
  return fences % 2 === 1 || ticks % 2 === 1;
}

/** The end of the part of `text` that contains no possible start of a mark. */
function decidedUpTo(mayBecome: RegExp, text: string): number {
  const from = Math.max(0, text.length - MAX_MARK);
  const begins = mayBecome.exec(text.slice(from));
  return begins ? from + begins.index : text.length;
}

/** A mark as a regular expression. Angle brackets match any case; square brackets don't: `[think](…)` is a link. */
function whole(mark: string): string {
  return characters(mark).join('');
}

/** Matches a mark that is cut off at the end of a text. */
function begun(mark: string): string {
  const [first, ...others] = characters(mark);
  return `${first}${others.reduceRight((rest, one) => `(?:${one}${rest}|$)`, '(?!)')}`;
}

function characters(mark: string): string[] {
  return [...mark].map((one) => {
    if (mark.startsWith('[') || one.toLowerCase() === one.toUpperCase()) return one.replace(/[[\]|/]/, '\\$&');
    return `[${one.toLowerCase()}${one.toUpperCase()}]`;
  });
}

function isMark(mark: string, written: string): boolean {
  return new RegExp(`^${whole(mark)}$`).test(written);
}
