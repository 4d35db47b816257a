import { type Piece, ThoughtReader } from '../../../shared/answers/thoughts.ts';
import { MAX_THINKING } from '../../../shared/constants.ts';
import type { Thinking } from '../../../shared/conversations.ts';
import { type RunEvent, storable, type Usage } from '../../../shared/runs.ts';
import { countOf } from '../../platform/values/numbers.ts';
import type { StreamEvent } from '../stream.ts';
import { boundTokens, estimateTokens } from './tokens.ts';

/** What an answer adds to what its reader sees, as events of the run. */
export type ShownEvent = Extract<RunEvent, { type: 'text' | 'thinking' }>;

/** A report of less than this share of the received tokens is not believed. */
const PLAUSIBLE_PART = 0.5;

const NOTE = `\n\n*The model thought on. The first ${MAX_THINKING.toLocaleString('en')} characters are kept.*`;

/**
 * An answer with so many times its limit, and so many tokens more, is cut off. An estimate is off by a fifth at most on
 * long texts, and by more on a few words.
 */
const LIMIT_SLACK = { times: 1.5, tokens: 64 };
/** In UTF-16 units. No tokenizer averages longer tokens, and few texts that are read have shorter ones. */
const TOKEN_LENGTH = { longest: 16, shortest: 2 };

/** Tokens that a service may add before a prompt: its own system prompt, the date, how the model should think. */
const TEMPLATE_TOKENS = 1_024;

/**
 * What was received of one answer: its text, the thoughts apart from it, and its usage as far as it is known. Reasoning
 * counts as output, whether it is shown or not. Times are in milliseconds since the request.
 */
export class Received {
  readonly #text = new Growing();
  /** The thoughts as they came, for the count. */
  #thinking = '';
  readonly #thoughts = new Thoughts();
  /** The names and arguments of the tools it calls. */
  #tools = '';
  readonly #reader = new ThoughtReader();
  #reported: Usage | null = null;
  /** Estimated tokens since the last report, or of everything if there is none. */
  #since = 0;
  /** At least the tokens of everything that came: an estimate for each piece, or for the whole since it was recounted. */
  #heard = 0;
  /** When its first word or thought came. */
  #beganAt: number | undefined;

  constructor(private readonly inputEstimate: number) {}

  /** The text that is shown and stored. */
  get text(): string {
    return this.#text.text;
  }

  /** The thoughts that are shown and stored. None if they are blank. */
  get thinking(): Thinking | undefined {
    const { text, ms } = this.#thoughts;
    return text.trim() === '' ? undefined : { text, ms };
  }

  /** An estimate. */
  get thinkingTokens(): number {
    return estimateTokens(this.#thinking);
  }

  /** True if the model wrote or thought anything. */
  get hasOutput(): boolean {
    return this.hasResult || this.#thinking.trim() !== '';
  }

  /** True if there is a text or a tool call: something to use. */
  get hasResult(): boolean {
    return this.text.trim() !== '' || this.#tools !== '';
  }

  /**
   * Whether more has come than fits a limit of so many tokens, thoughts and tool calls included. A service that does not
   * count them would think on at the house's expense: only what fits the limit is held.
   */
  isBeyond(limitTokens: number): boolean {
    const most = limitTokens * LIMIT_SLACK.times + LIMIT_SLACK.tokens;
    if (this.#heard <= most) return false;
    // The sum of many pieces is too high.
    this.#heard = countIn(this.text) + countIn(this.#thinking) + countIn(this.#tools);
    return this.#heard > most;
  }

  /** Takes one event; returns what it adds to what is shown. */
  take(event: StreamEvent, at: number): ShownEvent[] {
    if (event.type === 'usage') {
      const reported = usageOf(event.usage);
      if (!reported) return [];
      this.#reported = reported;
      this.#since = 0;
      return [];
    }
    if (event.type === 'finish') return [];
    const tokens = estimateTokens(event.text);
    this.#since += tokens;
    this.#heard += Math.max(tokens, event.text.length / TOKEN_LENGTH.longest);
    this.#beganAt ??= at;
    if (event.type === 'text') return this.#show(this.#reader.feed(event.text), at);
    if (event.type === 'thinking') return this.#think(event.text, at);
    this.#tools += event.text;
    return [];
  }

  /** Returns what was held back because it might have started a thinking tag. */
  end(at: number): ShownEvent[] {
    const events = this.#show(this.#reader.end(), at);
    this.#thoughts.pause(at);
    return events;
  }

  /** The usage so far: the last report, plus an estimate for everything since. */
  get usage(): Usage {
    const { inputEstimate } = this;
    if (!this.#reported)
      return { inputTokens: inputEstimate, cachedInputTokens: 0, outputTokens: this.#since, estimated: true };
    const { outputTokens, estimated, ...input } = this.#reported;
    return { ...input, outputTokens: outputTokens + this.#since, estimated: estimated || this.#since > 0 };
  }

  /**
   * The usage of a complete answer. Without a report, estimates the whole text, which is closer than the sum of its
   * pieces.
   */
  get usageOfWhole(): Usage {
    return this.#reported ? this.usage : { ...this.usage, outputTokens: this.#estimate() };
  }

  /** The usage of an answer that was stopped: a report before the end may cover only its beginning. */
  get usageOfPart(): Usage {
    const { usage } = this;
    const received = this.#estimate();
    if (this.#reported && usage.outputTokens >= received * PLAUSIBLE_PART) return usage;
    return { ...usage, outputTokens: received, estimated: true };
  }

  /** The most that this answer can have used, whatever the service reports. */
  boundUsage(inputBound: number, maxOutputTokens: number): { inputTokens: number; outputTokens: number } {
    return {
      inputTokens: inputBound + TEMPLATE_TOKENS,
      // Some services limit only the text, so received reasoning counts on top.
      outputTokens: maxOutputTokens + boundTokens(this.#thinking),
    };
  }

  #estimate(): number {
    return estimateTokens(this.text) + estimateTokens(this.#thinking) + estimateTokens(this.#tools);
  }

  #show(pieces: readonly Piece[], at: number): ShownEvent[] {
    const [only] = pieces;
    if (only?.kind === 'text' && pieces.length === 1) return this.#say(only.text, at);
    // A retracted piece repeats the text before it, which need not be shown then.
    const retractedAt = pieces.findLastIndex(({ kind }) => kind === 'retracted');
    return pieces.flatMap(({ kind, text }, i) => {
      if (kind === 'thinking') return this.#think(text, at);
      if (kind === 'retracted') return [...this.#withdraw(at), ...this.#think(text, at)];
      return i > retractedAt ? this.#say(text, at) : [];
    });
  }

  #say(piece: string, at: number): ShownEvent[] {
    this.#thoughts.pause(at);
    const place = this.text.length;
    const text = this.#text.add(piece);
    return text === '' ? [] : [{ type: 'text', data: { text, at: place } }];
  }

  /** In an event of its own: readers could mistake new text for the withdrawn text if both begin alike. */
  #withdraw(at: number): ShownEvent[] {
    const wasShown = this.text !== '';
    this.#text.clear();
    this.#thoughts.countFrom(this.#beganAt ?? at, at);
    return wasShown ? [{ type: 'text', data: { text: '', at: 0 } }] : [];
  }

  #think(piece: string, at: number): ShownEvent[] {
    this.#thinking += piece;
    const place = this.#thoughts.text.length;
    const text = this.#thoughts.add(piece, at);
    return text === '' ? [] : [{ type: 'thinking', data: { text, at: place, ms: this.#thoughts.ms } }];
  }
}

/** The tokens of a text, not more of them than it plausibly has. */
const countIn = (text: string) =>
  Math.max(Math.min(estimateTokens(text), text.length / TOKEN_LENGTH.shortest), text.length / TOKEN_LENGTH.longest);

/** A text that grows by pieces which may be cut anywhere, also between the halves of a surrogate pair. */
class Growing {
  text = '';
  /** The first half of a pair, waiting for the second. */
  #half = '';

  /** Returns what was added. */
  add(piece: string): string {
    const all = this.#half + piece;
    const end = all.length - (endsInHalf(all) ? 1 : 0);
    this.#half = all.slice(end);
    const text = storable(all.slice(0, end));
    this.text += text;
    return text;
  }

  clear(): void {
    this.text = '';
    this.#half = '';
  }
}

/** Whether a text ends with the first half of a surrogate pair. */
function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

/** The thoughts of one answer as they are shown, and how long they took. */
class Thoughts {
  readonly #kept = new Growing();
  /** The time of thinking up to the last thought or pause. */
  ms = 0;
  /** When the last thought came, while no text has come since. */
  #lastAt: number | undefined;
  #isCut = false;

  get text(): string {
    return this.#kept.text;
  }

  /** Returns what was added: nothing once the thoughts are too long. */
  add(piece: string, at: number): string {
    const begins = this.#lastAt === undefined;
    // Some templates send empty thoughts.
    const thought = begins ? piece.trimStart() : piece;
    if (thought === '') return '';
    this.#pass(at);
    this.#lastAt = at;
    if (this.#isCut) return '';
    // Thoughts before and after a text are paragraphs of their own.
    const text = begins && this.text !== '' ? `\n\n${thought}` : thought;
    const room = MAX_THINKING - this.text.length;
    if (text.length <= room) return this.#kept.add(text);
    this.#isCut = true;
    const last = text.slice(0, room);
    return this.#kept.add((endsInHalf(last) ? last.slice(0, -1) : last) + NOTE);
  }

  /** A text begins, or the answer has ended. */
  pause(at: number): void {
    this.#pass(at);
    this.#lastAt = undefined;
  }

  /** All from `begun` to now was thinking. */
  countFrom(begun: number, at: number): void {
    this.ms = at - begun;
    this.#lastAt = undefined;
  }

  #pass(at: number): void {
    if (this.#lastAt !== undefined) this.ms += at - this.#lastAt;
  }
}

/** The usage if all its counts are valid; undefined otherwise. */
export function usageOf(given: Partial<Usage>): Usage | undefined {
  const [inputTokens, cached, outputTokens] = [given.inputTokens, given.cachedInputTokens, given.outputTokens].map(
    (count) => countOf(count),
  );
  if (inputTokens === undefined || cached === undefined || outputTokens === undefined) return undefined;
  const cachedInputTokens = Math.min(cached, inputTokens);
  return { inputTokens, cachedInputTokens, outputTokens, estimated: given.estimated !== false };
}

/** Cuts usage to the possible maximum. `wrong` names the counts that were too high. */
export function clampUsage(
  usage: Usage,
  bound: { inputTokens: number; outputTokens: number },
): { usage: Usage; wrong: ('input' | 'output')[] } {
  const wrong = (['input', 'output'] as const).filter((side) => usage[`${side}Tokens`] > bound[`${side}Tokens`]);
  if (wrong.length === 0) return { usage, wrong };
  const inputTokens = Math.min(usage.inputTokens, bound.inputTokens);
  return {
    usage: {
      inputTokens,
      cachedInputTokens: Math.min(usage.cachedInputTokens, inputTokens),
      outputTokens: Math.min(usage.outputTokens, bound.outputTokens),
      estimated: true,
    },
    wrong,
  };
}
