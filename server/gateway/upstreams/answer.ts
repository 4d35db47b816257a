import { type ChunkNews, readChunk } from '../dialects/chatCompletions.ts';
import { UnknownShape } from '../dialects/content.ts';
import type { FinishWhy } from '../dialects/finish.ts';
import type { ReadUsage } from '../dialects/usage.ts';
import type { StreamEvent, UpstreamError } from '../stream.ts';
import { broken, malformed } from './exchange.ts';
import { failureInStream, redact } from './failures.ts';
import { parseJson } from './jsonSplitter.ts';
import { EventTooLong, NoStream, SseReader } from './sse.ts';

/** One answer as it is read: bytes in, events out. It knows by itself whether the answer has come to its end. */
export class Answer {
  /** Chunks read. */
  count = 0;
  readonly #reader = new SseReader();
  #finish: FinishWhy | 'failed' | null = null;
  /** Text came after a finish_reason: this service's say nothing before the stream has ended. */
  #isEarly = false;
  #isRefusal = false;
  #hasDeltas = false;
  #usage: ReadUsage | null = null;
  #failure: UpstreamError | null = null;
  /** Read to its last event, so that the connection can be used again. */
  #isDone = false;

  constructor(private readonly key: string | undefined) {}

  /** Nothing that follows would count. */
  get isOver(): boolean {
    return this.#isDone || this.#failure !== null;
  }

  /** The answer is there, and what may follow is its usage. */
  get isFinished(): boolean {
    return this.#finish !== null && !this.#isEarly;
  }

  feed(bytes: Buffer): StreamEvent[] {
    try {
      return this.#take(this.#reader.feed(bytes));
    } catch (error) {
      if (error instanceof EventTooLong) this.#failure = malformed('an event without end');
      else if (error instanceof NoStream) this.#failure = malformed('a page instead of an answer');
      else throw error;
      return [];
    }
  }

  /** The body has ended: what it had left. Half an event is none. */
  end(): StreamEvent[] {
    const datas: string[] = [];
    for (let data = this.#reader.rest(); data !== null; data = this.#reader.rest())
      if (data === '[DONE]' || parseJson(data) !== undefined) datas.push(data);
    return this.#take(datas);
  }

  /** The last event, finish; throws if the answer has not come to an end. */
  *close(): Generator<StreamEvent, void, undefined> {
    yield* this.rest();
    if (this.#failure) throw this.#failure;
    if (this.#finish === 'failed') throw broken('the service gave up by its finish_reason');
    if (!this.#finish && !(this.#isDone && this.count > 0)) {
      throw this.count > 0 ? broken('end without finish_reason') : malformed('an answer without a single event');
    }
    yield { type: 'finish', why: this.#isRefusal ? 'refusal' : (this.#finish ?? 'stop') };
  }

  /** Takes the events' data in order, up to a failure or the last event. What comes at once is told at once. */
  #take(datas: readonly string[]): StreamEvent[] {
    const told = new Told();
    for (const data of datas) {
      if (this.isOver) break;
      if (data === '[DONE]') this.#isDone = true;
      else this.#takeChunk(data, told);
    }
    // A usage that the next one replaces is not told: many services send one with every chunk.
    const { before, usage, after } = told;
    if (usage) this.#usage = usage;
    return [...before, ...(after.length > 0 ? this.rest() : []), ...after];
  }

  /** The usage that was not told yet. */
  rest(): StreamEvent[] {
    const usage = this.#usage;
    this.#usage = null;
    return usage ? [{ type: 'usage', ...usage }] : [];
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
    // Some services send objects of their own in between, such as pings.
    if (!news) return;
    this.count += 1;
    if (news.error) {
      this.#failure = failureInStream(JSON.parse(redact(JSON.stringify(news.error), this.key)));
      return;
    }
    // MiniMax ends a stream with the whole answer once more.
    if (news.isWhole && this.#hasDeltas) news = { ...news, text: '', thinking: '' };
    this.#hasDeltas ||= !news.isWhole && news.text !== '';
    this.#note(news);
    told.add(news);
  }

  #note(news: ChunkNews): void {
    if (this.#finish && news.text + news.thinking !== '') {
      this.#finish = null;
      this.#isRefusal = false;
      this.#isEarly = true;
    }
    if (news.isRefusal) this.#isRefusal = true;
    if (news.finish) {
      // A refusal is not undone by the plain "stop" that may follow it.
      if (news.finish === 'refusal') this.#isRefusal = true;
      this.#finish = news.finish;
    }
    if (news.isWhole && !news.finish) this.#finish = 'stop';
  }
}

/** What one piece of a body says, in as few events as keep the order of text and usage. */
class Told {
  before: StreamEvent[] = [];
  usage: ReadUsage | null = null;
  #text = '';
  #thinking = '';

  add({ text, thinking, usage }: ChunkNews): void {
    this.#text += text;
    this.#thinking += thinking;
    if (!usage) return;
    this.before.push(...this.after);
    this.usage = usage;
    this.#text = '';
    this.#thinking = '';
  }

  /** What no usage counts yet. */
  get after(): StreamEvent[] {
    const events: StreamEvent[] = [];
    if (this.#thinking !== '') events.push({ type: 'thinking', text: this.#thinking });
    if (this.#text !== '') events.push({ type: 'text', text: this.#text });
    return events;
  }
}
