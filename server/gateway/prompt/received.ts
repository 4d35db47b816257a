import { type Piece, ThoughtReader } from '../../../shared/answers/thoughts.ts';
import { storable, type Usage } from '../../../shared/runs.ts';
import { countOf } from '../../platform/values/numbers.ts';
import type { StreamEvent } from '../stream.ts';
import { boundTokens, estimateTokens } from './tokens.ts';

/** New text of an answer and its position. Any earlier text from that position on was reasoning and is withdrawn. */
export interface NewText {
  text: string;
  at: number;
}

/** A report of less than this share of the received tokens is not believed. */
const PLAUSIBLE_PART = 0.5;

/** Tokens that a service may add before a prompt: its own system prompt, the date, how the model should think. */
const TEMPLATE_TOKENS = 1_024;

/**
 * What was received of one answer: its text without reasoning, and its usage as far as it is known. Reasoning counts as
 * output, whether it is shown or not.
 */
export class Received {
  /** The text that is shown and stored. */
  text = '';
  #thinking = '';
  /** The names and arguments of the tools it calls. */
  #tools = '';
  readonly #reader = new ThoughtReader();
  /** The first half of a surrogate pair, waiting for the second: a service may cut between them. */
  #half = '';
  #reported: Usage | null = null;
  /** Estimated tokens since the last report, or of everything if there is none. */
  #since = 0;

  constructor(private readonly inputEstimate: number) {}

  /** True if the model wrote or thought anything. */
  get hasOutput(): boolean {
    return this.hasResult || this.#thinking.trim() !== '';
  }

  /** True if there is a text or a tool call: something to use. */
  get hasResult(): boolean {
    return this.text.trim() !== '' || this.#tools !== '';
  }

  /** Of thoughts and tool calls, in UTF-16 units. */
  get hiddenLength(): number {
    return this.#thinking.length + this.#tools.length;
  }

  /** Takes one event; returns the new text to show. */
  take(event: StreamEvent): NewText | null {
    if (event.type === 'usage') {
      const reported = usageOf(event.usage);
      if (!reported) return null;
      this.#reported = reported;
      this.#since = 0;
      return null;
    }
    if (event.type === 'finish') return null;
    this.#since += estimateTokens(event.text);
    if (event.type === 'text') return this.#show(this.#reader.feed(event.text));
    if (event.type === 'tools') this.#tools += event.text;
    else this.#thinking += event.text;
    return null;
  }

  /** Returns the text that was held back because it might have started a thinking tag. */
  end(): NewText | null {
    return this.#show(this.#reader.end());
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

  #show(pieces: readonly Piece[]): NewText | null {
    const before = this.text.length;
    let isTakenBack = false;
    let fresh = '';
    for (const piece of pieces) {
      if (piece.kind === 'text') {
        fresh += piece.text;
        continue;
      }
      this.#thinking += piece.text;
      if (piece.kind === 'thinking') continue;
      isTakenBack = true;
      fresh = '';
      this.text = '';
      this.#half = '';
    }
    const [, whole = '', rest = ''] = /^(.*?)([\uD800-\uDBFF]?)$/s.exec(this.#half + fresh) ?? [];
    this.#half = rest;
    const text = storable(whole);
    this.text += text;
    if (isTakenBack && before > 0) return { text, at: 0 };
    return text === '' ? null : { text, at: before };
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
