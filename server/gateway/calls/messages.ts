import { z } from '@hono/zod-openapi';
import type { Json } from '../dialects/chat/refused.ts';
import { readChatCall } from '../dialects/chat/request.ts';
import { MessagesStream, PING, WholeMessage } from '../dialects/messages/answer.ts';
import { messagesError } from '../dialects/messages/errors.ts';
import { readMessages } from '../dialects/messages/request.ts';
import { NATIVE_MESSAGES } from '../dialects/native/messages.ts';
import type { AnswerHead, Dialect } from './dialect.ts';
import { eventFrames } from './frames.ts';

/** Anthropic's Messages. */
export const MESSAGES: Dialect = {
  path: '/v1/messages',
  summary: 'An answer in the dialect of Anthropic’s Messages, streamed or in one piece',
  body: z.looseObject({
    model: z.string(),
    max_tokens: z.number(),
    messages: z.array(z.looseObject({ role: z.string() })),
  }),
  answer: 'a message as Anthropic defines it',
  // Claude Code warns of silence after 20 s.
  silenceMs: 15_000,
  read(given, options) {
    const { body, context, leftOut } = readMessages(given);
    const call = readChatCall(body, options);
    const stream = (head: AnswerHead) => new MessagesStream(head, context);
    return {
      call: { ...call, leftOut: [...leftOut, ...call.leftOut] },
      wantsUsage: true,
      cacheKey: context.cacheKey,
      native: { dialect: 'messages', words: NATIVE_MESSAGES, body: given as Json },
      stream(head) {
        const answer = stream(head);
        return {
          take: (chunk) => eventFrames(answer.take(chunk)),
          end: () => eventFrames(answer.end()),
          // The problem has the run's id; the client knows its request by the id in the header.
          fail: (problem) => eventFrames([messagesError({ ...problem, requestId: head.requestId }).body]),
          ping: () => eventFrames([...answer.begin(), PING]),
        };
      },
      whole(head) {
        const answer = stream(head);
        const whole = new WholeMessage();
        const add = (events: readonly Json[]) => {
          for (const event of events) whole.add(event);
        };
        return {
          add: (chunk) => add(answer.take(chunk)),
          end() {
            add(answer.end());
            return whole.answer;
          },
        };
      },
    };
  },
};
