import { z } from '@hono/zod-openapi';
import { readChatCall } from '../dialects/chat/request.ts';
import { WholeAnswer } from '../dialects/chat/whole.ts';
import type { Dialect, Writer } from './dialect.ts';
import { openAiError, refusalOf } from './errors.ts';

const frame = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;

/** An answer has no events of its own here: the chunks are the answer. */
const WRITER: Writer = {
  take: frame,
  end: () => 'data: [DONE]\n\n',
  // Without `[DONE]` and with a cut connection, no client takes the half for the whole.
  fail: (problem) => frame(openAiError(refusalOf(problem)).body),
  ping: () => ': waiting for the model\n\n',
};

/** OpenAI's chat completions. `readChatCall` lets unknown fields pass. */
export const CHAT: Dialect = {
  path: '/v1/chat/completions',
  summary: 'An answer in the dialect of OpenAI’s chat completions, streamed or in one piece',
  body: z.looseObject({ model: z.string(), messages: z.array(z.looseObject({ role: z.string() })) }),
  answer: 'an answer as OpenAI defines it',
  silenceMs: 25_000,
  read(given, options) {
    const call = readChatCall(given, options);
    return {
      call,
      wantsUsage: call.wantsUsage,
      cacheKey: null,
      native: null,
      stream: () => WRITER,
      whole() {
        const whole = new WholeAnswer();
        return { add: (chunk) => whole.add(chunk), end: () => whole.answer };
      },
    };
  },
};
