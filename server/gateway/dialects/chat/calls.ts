import { isObject, type Json } from './refused.ts';

/** One tool call of an answer. */
interface Call {
  /** The id that the client knows. */
  id: string;
  /** The service gave no id yet. */
  isUnnamed: boolean;
  /** The service's index, if it gave one. */
  at: number | undefined;
  name: string;
  /** The index that the client knows; -1: the call was not sent yet, because its name is missing. */
  index: number;
  /** What came before the name. */
  held: string;
  more: Json;
  isCustom: boolean;
  extent: Extent;
  /** Its arguments were an empty object, which was not sent: some services begin every call with it. */
  isEmpty: boolean;
}

/** Follows the text of a JSON value, to tell whether it is complete. */
export class Extent {
  hasText = false;
  isWhole = false;
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  feed(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (this.#isEscaped) this.#isEscaped = false;
      else if (this.#isInText) {
        if (code === BACKSLASH) this.#isEscaped = true;
        else if (code === QUOTE) this.#isInText = false;
      } else if (code > SPACE) {
        this.hasText = true;
        if (code === QUOTE) this.#isInText = true;
        else if (code === OPEN || code === LIST) this.#depth++;
        else if ((code === CLOSE || code === END) && --this.#depth === 0) this.isWhole = true;
      }
    }
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const OPEN = 0x7b;
const LIST = 0x5b;
const CLOSE = 0x7d;
const END = 0x5d;

/**
 * The tool calls of one streamed answer, as OpenAI's clients read them: indices count from 0, a call keeps its index, and
 * its id, type and name come once, with its first delta.
 */
export class ToolCalls {
  /** Calls that the client knows. */
  count = 0;
  /** UTF-16 units of all names and arguments. */
  units = 0;
  readonly #calls: Call[] = [];
  readonly #byId = new Map<string, Call>();
  readonly #byIndex = new Map<number, Call>();
  #current: Call | undefined;

  constructor(private readonly answerId: string) {}

  /** Mends the deltas of one chunk. Returns the same list if it is right. */
  take(given: unknown): unknown[] {
    const deltas: unknown[] = Array.isArray(given) ? given : [given];
    let mended: unknown[] | null = Array.isArray(given) ? null : [];
    for (let i = 0; i < deltas.length; i++) {
      const delta = isObject(deltas[i]) ? this.#take(deltas[i] as Json) : null;
      if (!delta || delta !== deltas[i]) mended ??= deltas.slice(0, i);
      if (delta) mended?.push(delta);
    }
    return mended ?? deltas;
  }

  /** The arguments of calls that have none. `isCut`: the answer broke off, so a call without a text is half a call. */
  rest(isCut: boolean): Json[] {
    const empty = this.#calls.filter(
      (call) => call.index >= 0 && !call.isCustom && !call.extent.hasText && (call.isEmpty || !isCut),
    );
    return empty.map(({ index }) => ({ index, function: { arguments: '{}' } }));
  }

  #take(delta: Json): Json | null {
    const isCustom = isObject(delta.custom);
    const named = isCustom ? delta.custom : delta.function;
    const { name: givenName, arguments: args, input } = isObject(named) ? named : NOTHING;
    const id = typeof delta.id === 'string' && delta.id !== '' ? delta.id : undefined;
    const index = typeof delta.index === 'number' ? delta.index : undefined;
    const name = typeof givenName === 'string' ? givenName : '';
    let text = textOf(isCustom ? input : args);

    const call = this.#route(id, index, name, text);
    this.#current = call;
    if (index !== undefined) this.#byIndex.set(index, call);
    call.isCustom ||= isCustom;

    if (!call.isCustom) {
      if (!call.extent.hasText && text.trim() === '{}') {
        call.isEmpty = true;
        text = '';
      }
      // The service repeats a call that is complete.
      if (call.extent.isWhole && id !== undefined && text.trim() !== '') text = '';
      call.extent.feed(text);
    }
    this.units += text.length;
    if (call.index >= 0) return continued(delta, call, text);
    call.more = { ...call.more, ...moreOf(delta) };
    call.held += text;
    if (name === '') return null;
    this.units += name.length;
    call.name = name;
    call.index = this.count++;
    return begun(delta, call);
  }

  /** The call that a delta belongs to. Its id decides, then its index, then which call came last. */
  #route(id: string | undefined, index: number | undefined, name: string, text: string): Call {
    const there = index === undefined ? this.#current : this.#byIndex.get(index);
    if (id !== undefined) {
      const known = this.#byId.get(id);
      if (known) {
        const isOther = name !== '' && index !== undefined && index !== known.at;
        if (!isOther || (name === known.name && !known.extent.isWhole)) return known;
        // Two calls by one id: the client would answer both with the same result.
        return this.#begin(undefined, index);
      }
      const isLate = there?.isUnnamed && !there.extent.hasText && (name === '' || name === there.name);
      // vLLM made a new id for each delta of a call. A call can't begin without a name.
      const isFresh = there && name === '' && there.name !== '' && text !== '' && !there.extent.isWhole;
      if (!there || !(isLate || isFresh)) return this.#begin(id, index);
      if (isLate && there.index < 0) there.id = id;
      there.isUnnamed = false;
      this.#byId.set(id, there);
      return there;
    }
    const call = there ?? (name === '' ? this.#current : undefined);
    if (!call) return this.#begin(undefined, index);
    const isNamedAgain = name !== '' && call.name !== '';
    const isNext = isNamedAgain && (name !== call.name || (call.extent.isWhole && text.trim() !== ''));
    return isNext ? this.#begin(undefined, index) : call;
  }

  #begin(id: string | undefined, at: number | undefined): Call {
    const call: Call = {
      id: id ?? `call_${this.answerId}_${this.#calls.length}`,
      isUnnamed: id === undefined,
      at,
      name: '',
      index: -1,
      held: '',
      more: NOTHING,
      isCustom: false,
      extent: new Extent(),
      isEmpty: false,
    };
    this.#calls.push(call);
    this.#byId.set(call.id, call);
    return call;
  }
}

const NOTHING: Json = {};

function begun(delta: Json, { index, id, isCustom, name, held, more }: Call): Json {
  const type = typeof delta.type === 'string' && delta.type !== '' ? delta.type : isCustom ? 'custom' : 'function';
  const head = { ...more, index, id, type };
  if (isCustom) return { ...head, custom: { ...(delta.custom as Json), name, input: held } };
  return { ...head, function: { ...(isObject(delta.function) ? delta.function : NOTHING), name, arguments: held } };
}

/** The id, type and name stand in the first delta alone: clients add them up, or refuse a null. */
function continued(delta: Json, { index, isCustom }: Call, text: string): Json | null {
  const named = (isCustom ? delta.custom : delta.function) as Json | undefined;
  const given = isObject(named) ? named[isCustom ? 'input' : 'arguments'] : undefined;
  const isRight =
    given === text &&
    delta.index === index &&
    !('id' in delta) &&
    !('type' in delta) &&
    !('name' in (named ?? NOTHING));
  if (isRight) return delta;
  const more = moreOf(delta);
  if (text === '' && Object.keys(more).length === 0) return null;
  return isCustom ? { ...more, index, custom: { input: text } } : { ...more, index, function: { arguments: text } };
}

/** Fields that a service adds to a call: Google's clients return them with the call's result. */
function moreOf({ index, id, type, function: named, custom, ...more }: Json): Json {
  return more;
}

/** Ollama's arguments are an object. */
function textOf(given: unknown): string {
  if (typeof given === 'string') return given;
  return typeof given === 'object' && given !== null ? JSON.stringify(given) : '';
}
