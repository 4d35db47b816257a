import { z } from '@hono/zod-openapi';
import type { Json } from '../dialects/chat/refused.ts';
import { readChatCall } from '../dialects/chat/request.ts';
import { NATIVE_RESPONSES } from '../dialects/native/responses.ts';
import { ResponsesStream } from '../dialects/responses/answer.ts';
import { readResponses } from '../dialects/responses/request.ts';
import type { AnswerHead, Dialect } from './dialect.ts';
import { openAiError, refusalOf } from './errors.ts';
import { eventFrames } from './frames.ts';

/** OpenAI's Responses. */
export const RESPONSES: Dialect = {
  path: '/v1/responses',
  summary: 'An answer in the dialect of OpenAI’s Responses, streamed or in one piece',
  body: z.looseObject({ model: z.string(), input: z.union([z.string(), z.array(z.looseObject({}))]) }),
  answer: 'a response as OpenAI defines it',
  silenceMs: 25_000,
  read(given, options) {
    const { body, context, leftOut } = readResponses(given);
    const call = readChatCall(body, options);
    const stream = (head: AnswerHead) => new ResponsesStream(head, context);
    return {
      call: { ...call, leftOut: [...leftOut, ...call.leftOut] },
      wantsUsage: true,
      cacheKey: null,
      native: { dialect: 'responses', words: NATIVE_RESPONSES, body: given as Json },
      stream(head) {
        const answer = stream(head);
        return {
          take: (chunk) => eventFrames(answer.take(chunk)),
          end: () => eventFrames(answer.end()),
          fail: (problem) => eventFrames(answer.fail(openAiError(refusalOf(problem), 'responses').body.error)),
          ping: () => `${eventFrames(answer.take({}))}: waiting for the model\n\n`,
        };
      },
      whole(head) {
        const answer = stream(head);
        return {
          add(chunk) {
            answer.take(chunk);
          },
          end() {
            answer.end();
            return answer.response;
          },
        };
      },
    };
  },
};
