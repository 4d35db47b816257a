/** The text in one part of an answer. `isRefusal`: the model refuses to answer, and this is its explanation. */
export interface Said {
  text: string;
  thinking: string;
  isRefusal: boolean;
}

/**
 * A part of an answer in an undocumented form, so its text would be lost. `shape` describes the form without the text.
 */
export class UnknownShape extends Error {
  constructor(readonly shape: string) {
    super(`an answer in an unknown form: ${shape}`);
  }
}

const MAX_DEPTH = 8;

const TEXT = /^(text|output_text|text_delta|output_text_delta|text_chunk|markdown)$/;
const THINKING =
  /^(thinking|thinking_delta|redacted_thinking|thought|reasoning|reasoning_text|reasoning_content|reasoning_summary|summary_text|reasoning\.(text|summary|encrypted))$/;
/** Parts without text to show: citations, and calls of tools that were never offered. */
const SILENT =
  /^(reference|references|citation|citations|annotation|tool_use|tool_call|tool_calls|function_call|tool_result)$/;

/**
 * Reads the content of a message or delta: a string, or the parts that OpenAI, Anthropic, Mistral, Cohere and Gemini
 * send, which may be nested. Throws `UnknownShape`.
 */
export function readContent(content: unknown): Said {
  const said: Said = { text: '', thinking: '', isRefusal: false };
  collect(content, 'text', said, 0);
  return said;
}

/** Reads reasoning from its own field. An unknown form is skipped, because the answer does not depend on it. */
export function readThinking(...members: unknown[]): string {
  for (const member of members) {
    const said: Said = { text: '', thinking: '', isRefusal: false };
    try {
      collect(member, 'thinking', said, 0);
    } catch (error) {
      if (!(error instanceof UnknownShape)) throw error;
    }
    // Several fields may repeat the same reasoning for different clients: the first one counts.
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
