import type * as http from 'node:http';
import { type BillEntry, errorBody, type ReportedUsage, type Script, type Scripted, USUAL } from './script.ts';

const HALF_A_CHUNK = '{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"br';

const SIGN_MS = 20_000;

/** Writes one answer as its script describes. */
export class AnswerWriter {
  readonly #script: Script;
  readonly #pieces: string[];
  #cut = false;

  constructor(
    private readonly scripted: Scripted,
    private readonly entry: BillEntry,
    private readonly response: http.ServerResponse,
  ) {
    this.#script = scripted.script;
    const pieces = this.#script.pieces ?? (this.#script.text ?? USUAL.text!).match(/\s*\S+\s*?/g) ?? [];
    const limit = (entry.body.max_tokens ?? entry.body.max_completion_tokens ?? Number.POSITIVE_INFINITY) as number;
    this.#cut = pieces.length > limit;
    this.#pieces = pieces.slice(0, limit);
  }

  async write(): Promise<void> {
    const { entry, response } = this;
    const streams = entry.body.stream === true && !this.#script.whole;
    if (!streams) return this.#writeWhole();
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    response.socket?.setNoDelay(true);
    this.#chunk({ role: 'assistant', content: '' });
    for (const thought of this.#script.thoughts ?? []) {
      entry.outputTokens += 1;
      this.#chunk({ reasoning_content: thought });
    }
    for (const [index, piece] of this.#pieces.entries()) {
      if (this.scripted.isGate(index)) await this.#waitAtGate();
      else if (index > 0 && this.#script.everyMs) await pause(this.#script.everyMs);
      if (response.destroyed) return;
      entry.firstPieceAtMs ??= now();
      entry.outputTokens += 1;
      this.#chunk({ content: piece });
    }
    for (const [index, { id, name, arguments: pieces }] of (this.#script.tools ?? []).entries()) {
      const call = (more: object) => this.#chunk({ tool_calls: [{ index, ...more }] });
      call({ id, type: 'function', function: { name, arguments: '' } });
      for (const piece of pieces) {
        entry.outputTokens += 1;
        call({ function: { arguments: piece } });
      }
    }
    if (this.scripted.isGate(this.#pieces.length)) await this.#waitAtGate();
    if (!response.destroyed) this.#end();
  }

  /** On a slow machine, a test may hold the gate longer than the server accepts silence, so send comments meanwhile. */
  async #waitAtGate(): Promise<void> {
    const signs = setInterval(() => this.response.destroyed || this.response.write(': still here\n\n'), SIGN_MS);
    try {
      await this.scripted.pass(this.entry);
    } finally {
      clearInterval(signs);
    }
  }

  #writeWhole(): void {
    const { entry } = this;
    const { tools = [], thoughts = [] } = this.#script;
    entry.outputTokens =
      thoughts.length + this.#pieces.length + tools.reduce((sum, tool) => sum + tool.arguments.length, 0);
    entry.reported = this.#script.usage !== 'none';
    entry.state = 'complete';
    json(this.response, 200, {
      id: this.#id,
      object: 'chat.completion',
      created: 0,
      model: entry.body.model,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            ...(thoughts.length > 0 && { reasoning_content: thoughts.join('') }),
            content: this.#pieces.join('') || null,
            refusal: null,
            ...(tools.length > 0 && {
              tool_calls: tools.map(({ id, name, arguments: pieces }) => ({
                id,
                type: 'function',
                function: { name, arguments: pieces.join('') },
              })),
            }),
          },
          logprobs: null,
          finish_reason: this.#finish,
        },
      ],
      ...(entry.reported ? { usage: this.#counted() } : {}),
    });
  }

  #end(): void {
    const { entry, response } = this;
    const script = this.#script;
    switch (script.end ?? 'done') {
      case 'destroy':
        entry.state = 'failed';
        // Wait until the last piece is sent, or it would be lost with the connection.
        response.write('', () => response.destroy());
        return;
      case 'eof':
        entry.state = 'failed';
        response.end();
        return;
      case 'hang':
        return;
      case 'hang after finish':
        entry.state = 'complete';
        this.#chunk({}, this.#finish);
        return;
      case 'malformed':
        entry.state = 'failed';
        this.#send(HALF_A_CHUNK);
        response.end();
        return;
      case 'half an event':
        entry.state = 'failed';
        response.end(`data: ${HALF_A_CHUNK}`);
        return;
      case 'error':
        entry.state = 'failed';
        this.#send(JSON.stringify(script.error ?? errorBody('The server had an error', 'server_error')));
        response.end();
        return;
      case 'endless line':
        entry.state = 'failed';
        response.write(`data: {"choices":[{"delta":{"content":"${'x'.repeat(5_000_000)}`);
        return;
      case 'comments':
        this.#comment();
        return;
    }
    entry.state = 'complete';
    const usage = script.usage ?? 'chunk';
    entry.reported = usage !== 'none';
    const inChoice = usage === 'choices' ? { usage: this.#counted() } : {};
    this.#chunk({}, this.#finish, inChoice);
    const asked = entry.body.stream_options?.include_usage === true;
    if (usage === 'chunk' && asked) this.#usageChunk(this.#counted());
    else if (usage === 'moonshot') this.#usageChunk(this.#countedByMoonshot());
    else if (usage === 'zero') this.#usageChunk({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });
    else if (typeof usage === 'object') this.#usageChunk(usage);
    else if (usage === 'chunk') entry.reported = false;
    if (script.end !== 'no [DONE]') this.#send('[DONE]');
    response.end();
  }

  /** Sends comments until the client leaves. */
  #comment(): void {
    if (this.response.destroyed) return;
    this.response.write(': still working\n\n');
    setTimeout(() => this.#comment(), 2);
  }

  get #finish(): string | null {
    return this.#script.finish === undefined
      ? this.#cut
        ? 'length'
        : this.#script.tools
          ? 'tool_calls'
          : 'stop'
      : this.#script.finish;
  }

  get #id(): string {
    return `chatcmpl-${this.entry.id}`;
  }

  #counted(): ReportedUsage {
    const { inputTokens, cachedInputTokens, outputTokens } = this.entry;
    return {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
      prompt_tokens_details: { cached_tokens: cachedInputTokens },
      completion_tokens_details: { reasoning_tokens: this.#script.thoughts?.length ?? 0 },
    };
  }

  #countedByMoonshot(): ReportedUsage {
    const { prompt_tokens, completion_tokens, total_tokens } = this.#counted();
    return { prompt_tokens, completion_tokens, total_tokens, cached_tokens: this.entry.cachedInputTokens };
  }

  #chunk(delta: Record<string, unknown>, finish: string | null = null, inChoice: Record<string, unknown> = {}): void {
    const isReported = this.#script.usage === 'every chunk';
    const usage = isReported ? { usage: this.#counted() } : {};
    if (isReported) this.entry.reported = true;
    this.#send(
      JSON.stringify({
        id: this.#id,
        object: 'chat.completion.chunk',
        created: 0,
        model: this.entry.body.model,
        choices: [{ index: 0, delta, logprobs: null, finish_reason: finish, ...inChoice }],
        ...usage,
      }),
    );
  }

  #usageChunk(usage: ReportedUsage): void {
    const { model } = this.entry.body;
    const head = { id: this.#id, object: 'chat.completion.chunk', created: 0, model };
    this.#send(JSON.stringify({ ...head, choices: [], usage }));
  }

  #send(data: string): void {
    const wire = this.#script.wire ?? [];
    const comment = wire.includes('comments') ? ': keep-alive\n\n' : '';
    const text = `${comment}data: ${data}\n\n`;
    const bytes = Buffer.from(wire.includes('crlf') ? text.replaceAll('\n', '\r\n') : text);
    if (!wire.includes('bytes')) {
      this.response.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at += 1) this.response.write(bytes.subarray(at, at + 1));
  }
}

/** Epoch milliseconds with fractions. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

export function json(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
