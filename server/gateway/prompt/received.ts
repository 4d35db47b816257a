import { type Piece, ThoughtReader } from '../../../shared/answers/thoughts.ts';
import { storable, type Usage } from '../../../shared/runs.ts';
import { countOf } from '../../platform/values/numbers.ts';
import type { PromptMessage, StreamEvent } from '../stream.ts';
import { boundPromptTokens, boundTokens, estimateTokens } from './tokens.ts';

/** New text of an answer, and where it stands in it. What stood from there on was taken back: it was thought. */
export interface NewText {
  text: string;
  at: number;
}

/** A report that names less than this part of what was received is no count of it. */
const PLAUSIBLE_PART = 0.5;

/** What a service may put before a prompt: a system prompt of its own, the day, how the model is to think. */
const TEMPLATE_TOKENS = 1_024;

/**
 * What came of one answer: its text without the thoughts in it, and what it used as far as that is known. Thoughts are output
 * like the text, shown or not.
 */
export class Received {
  /** What is shown, and stored. */
  text = '';
  #thinking = '';
  readonly #reader = new ThoughtReader();
  /** A service may cut between the halves of a pair: the first waits for the second. */
  #half = '';
  #reported: Usage | null = null;
  /** Estimated tokens of what came since that report; or of all, without one. */
  #since = 0;

  constructor(private readonly inputEstimate: number) {}

  /** Something was written, or thought. */
  get hasOutput(): boolean {
    return this.text.trim() !== '' || this.#thinking.trim() !== '';
  }

  get hasText(): boolean {
    return this.text.trim() !== '';
  }

  /** In UTF-16 units. */
  get thinkingLength(): number {
    return this.#thinking.length;
  }

  /** Takes one event; returns what is new to be shown. */
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
    this.#thinking += event.text;
    return null;
  }

  /** What was held back, for it might have been the mark of a thought. */
  end(): NewText | null {
    return this.#show(this.#reader.end());
  }

  /** What the answer used by now: as reported, and as estimated for what came since. */
  get usage(): Usage {
    const { inputEstimate } = this;
    if (!this.#reported)
      return { inputTokens: inputEstimate, cachedInputTokens: 0, outputTokens: this.#since, estimated: true };
    const { outputTokens, estimated, ...input } = this.#reported;
    return { ...input, outputTokens: outputTokens + this.#since, estimated: estimated || this.#since > 0 };
  }

  /** What a whole answer used. Without a report: of the whole, which is closer than the sum of its pieces. */
  get usageOfWhole(): Usage {
    return this.#reported ? this.usage : { ...this.usage, outputTokens: this.#estimate() };
  }

  /** What an answer used that was stopped: a report on the way to its end may be a mere beginning of one. */
  get usageOfPart(): Usage {
    const { usage } = this;
    const received = this.#estimate();
    if (this.#reported && usage.outputTokens >= received * PLAUSIBLE_PART) return usage;
    return { ...usage, outputTokens: received, estimated: true };
  }

  /** The most that this answer can have used, however much is reported. */
  boundUsage(messages: PromptMessage[], maxOutputTokens: number): { inputTokens: number; outputTokens: number } {
    return {
      inputTokens: boundPromptTokens(messages) + TEMPLATE_TOKENS,
      // Some services limit the text alone: thoughts that were received count beside it.
      outputTokens: maxOutputTokens + boundTokens(this.#thinking),
    };
  }

  #estimate(): number {
    return estimateTokens(this.text) + estimateTokens(this.#thinking);
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

/** Usage whose counts are such; undefined for anything else. */
export function usageOf(given: Partial<Usage>): Usage | undefined {
  const [inputTokens, cached, outputTokens] = [given.inputTokens, given.cachedInputTokens, given.outputTokens].map(
    (count) => countOf(count),
  );
  if (inputTokens === undefined || cached === undefined || outputTokens === undefined) return undefined;
  const cachedInputTokens = Math.min(cached, inputTokens);
  return { inputTokens, cachedInputTokens, outputTokens, estimated: given.estimated !== false };
}

/** Usage that is more than can be is cut to what can. `wrong` names what was too much. */
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
