import { type ChunkNews, readChunk } from '../dialects/chatCompletions.ts';
import { UnknownShape } from '../dialects/content.ts';
import type { FinishWhy } from '../dialects/finish.ts';
import type { ReadUsage } from '../dialects/usage.ts';
import type { Piece, StreamEvent, UpstreamError } from '../stream.ts';
import { broken, malformed } from './exchange.ts';
import { failureInStream, redact } from './failures.ts';
import { parseJson } from './jsonSplitter.ts';
import { EventTooLong, NoStream, SseReader } from './sse.ts';

const NOTHING: Piece = { chunks: [], events: [] };

/** Reads one answer: bytes in, events out. It detects the end of the answer itself. */
export class Answer {
  /** Chunks read so far. */
  count = 0;
  readonly #reader = new SseReader();
  #finish: FinishWhy | 'failed' | null = null;
  /** Text came after a finish_reason, so with this service only the end of the stream counts. */
  #isEarly = false;
  #isRefusal = false;
  #hasDeltas = false;
  #hasThoughts = false;
  #hasTools = false;
  #usage: ReadUsage | null = null;
  #failure: UpstreamError | null = null;
  /** The last event was read, so the connection can be reused. */
  #isDone = false;

  constructor(private readonly key: string | undefined) {}

  /** True if nothing that follows would count. */
  get isOver(): boolean {
    return this.#isDone || this.#failure !== null;
  }

  /** True if the answer is complete and only its usage may follow. */
  get isFinished(): boolean {
    return this.#finish !== null && !this.#isEarly;
  }

  feed(bytes: Buffer): Piece {
    try {
      return this.#take(this.#reader.feed(bytes));
    } catch (error) {
      if (error instanceof EventTooLong) this.#failure = malformed('an event without end');
      else if (error instanceof NoStream) this.#failure = malformed('a page instead of an answer');
      else throw error;
      return NOTHING;
    }
  }

  /** Call when the body has ended. Returns the remaining events; an incomplete event is dropped. */
  end(): Piece {
    const datas: string[] = [];
    for (let data = this.#reader.rest(); data !== null; data = this.#reader.rest())
      if (data === '[DONE]' || parseJson(data) !== undefined) datas.push(data);
    return this.#take(datas);
  }

  /** The last events, up to `finish`. Throws if the answer is incomplete. */
  close(): Piece {
    if (this.#failure) throw this.#failure;
    if (this.#finish === 'failed') throw broken('the service gave up by its finish_reason');
    // Some gateways add [DONE] after their service has died. Half a tool call would be run.
    if (!this.#finish && this.#isDone && this.#hasTools) throw broken('a tool call without finish_reason');
    if (!this.#finish && !(this.#isDone && this.count > 0)) {
      throw this.count > 0 ? broken('end without finish_reason') : malformed('an answer without a single event');
    }
    const why = this.#isRefusal ? 'refusal' : (this.#finish ?? 'stop');
    return { chunks: [], events: [...this.rest().events, { type: 'finish', why }] };
  }

  /** Reads the events' data in order, up to a failure or the last event. Text that arrives together is one event. */
  #take(datas: readonly string[]): Piece {
    const told = new Told();
    for (const data of datas) {
      if (this.isOver) break;
      if (data === '[DONE]') this.#isDone = true;
      else this.#takeChunk(data, told);
    }
    // Leave out a usage that a later one replaces: many services send one with every chunk.
    const { chunks, before, usage, after } = told;
    if (usage) this.#usage = usage;
    return { chunks, events: after.length === 0 ? before : [...before, ...this.rest().events, ...after] };
  }

  /** The usage that was not reported yet. */
  rest(): Piece {
    const usage = this.#usage;
    this.#usage = null;
    return usage ? { chunks: [], events: [{ type: 'usage', ...usage }] } : NOTHING;
  }

  #takeChunk(data: string, told: Told): void {
    const chunk = parseJson(data);
    if (chunk === undefined) {
      this.#failure = malformed(`a chunk of ${data.length} characters is not JSON`);
      return;
    }
    let news: ChunkNews | null;
    try {
      news = readChunk(chunk);
    } catch (error) {
      if (!(error instanceof UnknownShape)) throw error;
      this.#failure = malformed(redact(error.message, this.key));
      return;
    }
    // Some services send other objects in between, such as pings.
    if (!news) return;
    this.count += 1;
    if (news.error) {
      this.#failure = failureInStream(JSON.parse(redact(JSON.stringify(news.error), this.key)));
      return;
    }
    // MiniMax ends a stream by repeating the whole answer.
    const isRepeated = news.isWhole && this.#hasDeltas;
    if (isRepeated) news = { ...news, text: '', thinking: '', tools: '' };
    else if (news.isWhole && this.#hasThoughts) news = { ...news, thinking: '' };
    this.#hasTools ||= news.tools !== '';
    this.#hasThoughts ||= !news.isWhole && news.thinking !== '';
    this.#hasDeltas ||= !news.isWhole && news.text + news.tools !== '';
    this.#note(news);
    told.add(news);
    if (!isRepeated) told.chunks.push(chunk as Record<string, unknown>);
  }

  #note(news: ChunkNews): void {
    if (this.#finish && news.text + news.thinking + news.tools !== '') {
      this.#finish = null;
      this.#isRefusal = false;
      this.#isEarly = true;
    }
    if (news.isRefusal) this.#isRefusal = true;
    if (news.finish) {
      // A plain "stop" after a refusal doesn't undo the refusal.
      if (news.finish === 'refusal') this.#isRefusal = true;
      this.#finish = news.finish;
    }
    if (news.isWhole && !news.finish) this.#finish = 'stop';
  }
}

/** The events from one piece of a body, merged as far as the order of text and usage allows. */
class Told {
  chunks: Record<string, unknown>[] = [];
  before: StreamEvent[] = [];
  usage: ReadUsage | null = null;
  #text = '';
  #thinking = '';
  #tools = '';

  add({ text, thinking, tools, usage }: ChunkNews): void {
    this.#text += text;
    this.#thinking += thinking;
    this.#tools += tools;
    if (!usage) return;
    this.before.push(...this.after);
    this.usage = usage;
    this.#text = '';
    this.#thinking = '';
    this.#tools = '';
  }

  /** The output that no usage includes yet. */
  get after(): StreamEvent[] {
    const events: StreamEvent[] = [];
    if (this.#thinking !== '') events.push({ type: 'thinking', text: this.#thinking });
    if (this.#text !== '') events.push({ type: 'text', text: this.#text });
    if (this.#tools !== '') events.push({ type: 'tools', text: this.#tools });
    return events;
  }
}
