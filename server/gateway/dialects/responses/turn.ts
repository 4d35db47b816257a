import type { Json } from '../chat/refused.ts';
import type { LeftOut } from './leftOut.ts';

/**
 * What an assistant says between two items of others, as one message: chat completions want the text and the reasoning of
 * a turn in the message with its calls.
 */
export class Turn {
  #reasoning = '';
  #reasoningParam = '';
  #said: string | null = null;
  #calls: Json[] = [];
  #wasMessage = false;

  constructor(
    private readonly messages: Json[],
    private readonly leftOut: LeftOut,
  ) {}

  think(text: string, param: string): void {
    this.#wasMessage = false;
    if (text === '') return;
    this.#reasoning += text;
    this.#reasoningParam = param;
  }

  /** Two messages in a row are two answers. The texts around a call or reasoning are one that was interrupted. */
  say(text: string): void {
    if (this.#wasMessage) this.end();
    this.#wasMessage = true;
    this.#said = (this.#said ?? '') + text;
  }

  call(id: string, name: string, args: string): void {
    this.#wasMessage = false;
    this.#calls.push({ id, type: 'function', function: { name, arguments: args } });
  }

  /** Adds the message, if anything was said. Reasoning alone is no message: services refuse an empty one. */
  end(): void {
    const [reasoning, said, calls] = [this.#reasoning, this.#said, this.#calls];
    if (said === null && calls.length === 0) {
      if (reasoning !== '')
        this.leftOut.add('reasoning alone', `${this.#reasoningParam} (reasoning without an answer)`);
    } else {
      this.messages.push({
        role: 'assistant',
        content: said,
        ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      });
    }
    this.#reasoning = '';
    this.#said = null;
    this.#calls = [];
    this.#wasMessage = false;
  }
}
