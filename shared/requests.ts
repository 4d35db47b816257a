import * as z from 'zod';
import { MicroSchema } from './account.ts';
import { UsageSchema } from './runs.ts';
import { textSchema } from './texts.ts';

/**
 * How a request ended. `answered`: whole. `stopped`: by its client, or with its account. `refused`: nothing was started,
 * or the model service refused what was sent. `failed`: by a fault of ours or of the model service. `interrupted`: the
 * server stopped in the middle.
 */
export const RequestOutcomeSchema = z.enum(['answered', 'stopped', 'refused', 'failed', 'interrupted']);
export type RequestOutcome = z.infer<typeof RequestOutcomeSchema>;

/** The outcomes of requests that brought no answer, against the client's will. */
export const UNANSWERED = ['refused', 'failed', 'interrupted'] as const satisfies readonly RequestOutcome[];

/** What is kept of one request: never its text, and none of its headers' values but the tool's name. */
export const RequestRecordSchema = z
  .object({
    id: z.string().describe('the x-request-id of the answer'),
    runId: z.string().optional().describe('of an answer: the id of its run, by which the token log names it'),
    at: z.iso.datetime().describe('when it came'),
    route: z.string().describe('what was called, such as /v1/messages'),
    tool: z.string().describe('the device or tool that asked, as it named itself'),
    key: z
      .object({ id: z.uuid(), name: z.string().nullable().describe('null: it was deleted') })
      .optional()
      .describe('the API key that the call was made by'),
    asked: z.string().optional().describe('the model that was asked for, as the client wrote it'),
    model: z.string().optional().describe('the model that answered, or would have'),
    attempts: z.int().optional().describe('how many attempts at model services it took, if there are several'),
    firstMs: z.int().optional().describe('until the first word, thought or tool call'),
    wholeMs: z.int().describe('until the end'),
    usage: UsageSchema.extend({
      thinkingTokens: z.int().describe('the part of the output that was thoughts, estimated'),
    }).optional(),
    outcome: RequestOutcomeSchema,
    code: z
      .string()
      .optional()
      .describe('why it was not answered: a problem’s code, `empty_answer`, or `node_lost` if a server broke down'),
    status: z.int().optional().describe('the HTTP status that the client had; none if it had left, or was never told'),
    chargedMicro: MicroSchema.describe('less what was refunded'),
    times: z
      .int()
      .describe('more than 1: so many alike within a minute or, in a flood, a day, of which only the first is kept'),
  })
  .meta({ id: 'RequestRecord' });
export type RequestRecord = z.infer<typeof RequestRecordSchema>;

export const RequestsAnswerSchema = z
  .object({ requests: z.array(RequestRecordSchema), before: z.string().nullable() })
  .meta({ id: 'RequestsAnswer' });
export type RequestsAnswer = z.infer<typeof RequestsAnswerSchema>;

const OUTCOMES = RequestOutcomeSchema.options.join('|');

/** Filters the record of requests. */
export const RequestFilterSchema = z.object({
  outcome: z
    .string()
    .regex(
      new RegExp(`^(${OUTCOMES})(,(${OUTCOMES})){0,4}$`),
      `one of ${RequestOutcomeSchema.options.join(', ')}, or several with commas`,
    )
    .optional()
    .describe('one outcome, or several with commas between them'),
  tool: textSchema(60).optional(),
  key: z.uuid().optional().describe('the id of an API key'),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional().describe('not included'),
});
