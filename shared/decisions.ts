import * as z from 'zod';
import { textSchema } from './texts.ts';

/** What a person can decide about an account. All but `ask` end the case. */
export const DECISIONS = ['nothing', 'ask', 'warn', 'reset', 'referrals', 'suspend', 'close'] as const;
export const DecisionKindSchema = z
  .enum(DECISIONS)
  .describe(
    'nothing: all is well; ask: the owner is asked; warn; reset: promotional credits are taken back; referrals: the link earns nothing more; suspend: no answers until a day; close: no answers, and after 30 days for an appeal the account is deleted',
  );
export type DecisionKind = z.infer<typeof DecisionKindSchema>;

/** How long an owner can appeal against a decision, and how long a closed account waits for that, in days. */
export const APPEAL_DAYS = 30;
export const MAX_PICTURES = 4;
/** Bytes of one picture as it is sent. */
export const MAX_PICTURE_BYTES = 5 * 1024 * 1024;
export const PICTURE_TYPES = ['image/png', 'image/jpeg', 'image/webp'] as const;
export const MAX_WHY = 2_000;
export const MAX_APPEAL_TEXT = 4_000;

/** A text that somebody has to write: not empty, without space around it. */
export const writtenSchema = (max: number) => textSchema(max).trim().min(1, 'write a text');

export const PictureSchema = z
  .object({ id: z.uuid(), width: z.int(), height: z.int(), bytes: z.int().describe('as it is kept, encoded anew') })
  .meta({ id: 'Picture' });
export type Picture = z.infer<typeof PictureSchema>;

/** An appeal as its owner sees it. */
export const OwnAppealSchema = z
  .object({
    at: z.iso.datetime(),
    time: z.string().describe('which time it is about, in the owner’s words'),
    useCase: z.string(),
    pictures: z.array(PictureSchema),
    numbersMayBeUsed: z.boolean(),
    heardBy: z
      .enum(['another reviewer', 'operator'])
      .describe(
        'who decides it: never the reviewer who decided first; the operator where there is no other reviewer, also about a decision of their own',
      ),
    outcome: z.enum(['upheld', 'reversed']).nullable().describe('null: not decided yet'),
    decidedAt: z.iso.datetime().nullable(),
    why: z.string().nullable(),
  })
  .meta({ id: 'OwnAppeal' });
export type OwnAppeal = z.infer<typeof OwnAppealSchema>;

/** A decision about an account, as its owner sees it. */
export const OwnDecisionSchema = z
  .object({
    id: z.uuid(),
    case: z.int().describe('the number of the case, to name it by'),
    hasNumbers: z.boolean().describe('signs of several people, as numbers, led to it: an appeal may allow their use'),
    kind: DecisionKindSchema,
    at: z.iso.datetime(),
    until: z.iso.datetime().nullable().describe('suspend: the end; null: until further notice'),
    deletedAt: z.iso.datetime().nullable().describe('close: when the account is deleted, unless an appeal is open'),
    takenMicro: z.int().nullable().describe('reset: what was taken back'),
    why: z.string(),
    rule: z.string().describe('the rule of the terms that it follows from'),
    answer: z.string().nullable().describe('ask: what the owner has answered'),
    mayAppealUntil: z.iso.datetime().nullable().describe('null: there is nothing to appeal against, or it is too late'),
    appeal: OwnAppealSchema.nullable(),
    waiting: z.array(PictureSchema).describe('pictures that were sent ahead of the appeal'),
  })
  .meta({ id: 'OwnDecision' });
export type OwnDecision = z.infer<typeof OwnDecisionSchema>;

/** `GET /api/account/decisions`, newest first. */
export const OwnDecisionsSchema = z.object({ decisions: z.array(OwnDecisionSchema) }).meta({ id: 'OwnDecisions' });
export type OwnDecisions = z.infer<typeof OwnDecisionsSchema>;

/** `POST /api/account/decisions/:id/answer`: the owner's answer to a question. */
export const AnswerRequestSchema = z.strictObject({ text: writtenSchema(MAX_APPEAL_TEXT) });

/** `POST /api/account/decisions/:id/appeal`. Its pictures were sent ahead, each to `…/pictures`. */
export const AppealRequestSchema = z
  .strictObject({
    time: writtenSchema(200),
    useCase: writtenSchema(MAX_APPEAL_TEXT),
    pictures: z.array(z.uuid()).max(MAX_PICTURES),
    numbersMayBeUsed: z
      .boolean()
      .describe('whether the numbers of the case, without a name or text, may help to test the rules'),
  })
  .meta({ id: 'AppealRequest' });
export type AppealRequest = z.infer<typeof AppealRequestSchema>;
