/** What a part of an answer says. `isRefusal`: the words of a model that withholds its answer. */
export interface Said {
  text: string;
  thinking: string;
  isRefusal: boolean;
}

/** A part of an answer in a form that nobody has documented: what it says would be lost. `shape` names it, without its text. */
export class UnknownShape extends Error {
  constructor(readonly shape: string) {
    super(`an answer in an unknown form: ${shape}`);
  }
}

const MAX_DEPTH = 8;

const TEXT = /^(text|output_text|text_delta|output_text_delta|text_chunk|markdown)$/;
const THINKING =
  /^(thinking|thinking_delta|redacted_thinking|thought|reasoning|reasoning_text|reasoning_content|reasoning_summary|summary_text|reasoning\.(text|summary|encrypted))$/;
/** They say nothing that could be shown: sources of what is said, and calls of tools that were never offered. */
const SILENT =
  /^(reference|references|citation|citations|annotation|tool_use|tool_call|tool_calls|function_call|tool_result)$/;

/**
 * The content of a message or delta: a string, or parts as OpenAI, Anthropic, Mistral, Cohere and Gemini send them, also
 * one within another. Throws `UnknownShape`.
 */
export function readContent(content: unknown): Said {
  const said: Said = { text: '', thinking: '', isRefusal: false };
  collect(content, 'text', said, 0);
  return said;
}

/** Thoughts in a member of their own. They are only counted, so an unknown form of them loses nothing. */
export function readThinking(...members: unknown[]): string {
  for (const member of members) {
    const said: Said = { text: '', thinking: '', isRefusal: false };
    try {
      collect(member, 'thinking', said, 0);
    } catch (error) {
      if (!(error instanceof UnknownShape)) throw error;
    }
    // Several of them are the same thoughts, told for different clients.
    if (said.thinking !== '') return said.thinking;
  }
  return '';
}

function collect(value: unknown, as: 'text' | 'thinking', said: Said, depth: number): void {
  if (value === null || value === undefined) return;
  if (typeof value === 'string') {
    said[as] += value;
    return;
  }
  if (depth > MAX_DEPTH) throw new UnknownShape('parts within parts without end');
  if (Array.isArray(value)) {
    for (const part of value) collect(part, as, said, depth + 1);
    return;
  }
  if (typeof value !== 'object') throw new UnknownShape(typeof value);
  const part = value as Record<string, unknown>;
  const type = typeof part.type === 'string' ? part.type.toLowerCase() : '';
  if (SILENT.test(type)) return;
  if (type === 'refusal') {
    said.isRefusal = true;
    collect(part.refusal ?? part.text, 'text', said, depth + 1);
    return;
  }
  const isThinking = as === 'thinking' || THINKING.test(type) || part.thought === true;
  if (!isThinking && type !== '' && !TEXT.test(type)) throw new UnknownShape(`a part of type ${type.slice(0, 40)}`);
  const inner = isThinking
    ? [part.thinking, part.reasoning, part.reasoning_content, part.text, part.summary, part.content, part.value]
    : [part.text, part.content, part.value, part.output_text];
  const found = inner.find((member) => member !== null && member !== undefined);
  if (found !== undefined) collect(found, isThinking ? 'thinking' : 'text', said, depth + 1);
  else if (!isThinking && type === '' && Object.keys(part).length > 0) throw new UnknownShape('a part without a type');
}
