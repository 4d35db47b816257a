import * as z from 'zod';
import { BackendError, localProblem } from '../platform/server/backendError.ts';

/** What a chunk of an answer in chat completions has that we pass on. Everything else is left aside. */
const ChunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({
            content: z.string().nullish(),
            reasoning_content: z.string().nullish(),
            tool_calls: z
              .array(
                z.object({
                  index: z.int().nonnegative(),
                  id: z.string().nullish(),
                  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
                }),
              )
              .nullish(),
          })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .optional(),
  error: z.object({ message: z.string() }).optional(),
});

export interface ToolCall {
  id: string;
  name: string;
  input: object;
}

/** The model gave no answer, or one that can't be passed on. The message is a sentence for the user. */
export class AnswerRefused extends Error {}

/** Reads the chunks of one answer. Text and thoughts are passed on as they come, tool calls once they are whole. */
export class Answer {
  private readonly calls: { id: string; name: string; json: string }[] = [];
  private finish: string | undefined;

  constructor(private readonly out: { text(text: string): void; thought(text: string): void }) {}

  /** Throws a `BackendError` if the chunk tells of a failure. */
  take(chunk: unknown): void {
    const parsed = ChunkSchema.safeParse(chunk);
    if (!parsed.success) throw BackendError.wrongServer('The server answered with something that is no completion.');
    const { choices = [], error } = parsed.data;
    if (error) throw new BackendError('refused', localProblem('The answer failed', error.message, 'upstream_failed'));
    for (const { delta, finish_reason } of choices) {
      if (delta?.reasoning_content) this.out.thought(delta.reasoning_content);
      if (delta?.content) this.out.text(delta.content);
      for (const { index, id, function: part } of delta?.tool_calls ?? []) {
        this.calls[index] ??= { id: '', name: '', json: '' };
        const call = this.calls[index];
        call.id ||= id ?? '';
        call.name ||= part?.name ?? '';
        call.json += part?.arguments ?? '';
      }
      this.finish ??= finish_reason ?? undefined;
    }
  }

  /** The tool calls of the whole answer. Throws `AnswerRefused` if one can't be carried out as the model wrote it. */
  end(): ToolCall[] {
    if (this.finish === 'content_filter') throw new AnswerRefused('The model refused to answer this.');
    return Object.values(this.calls).map(({ id, name, json }) => {
      const input = parseObject(json);
      if (input && id !== '' && name !== '') return { id, name, input };
      const why = this.finish === 'length' ? 'it reached the longest answer of the model' : 'it is not valid';
      throw new AnswerRefused(`The model called the tool "${name.slice(0, 64)}", but the call is of no use: ${why}.`);
    });
  }
}

/** No arguments at all are an empty object. */
function parseObject(json: string): object | undefined {
  if (json.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
