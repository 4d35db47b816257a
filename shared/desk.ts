import * as z from 'zod';
import { DecisionKindSchema, MAX_WHY, OwnAppealSchema, PictureSchema, writtenSchema } from './decisions.ts';
import { DossierSchema } from './risk.ts';
import { textSchema } from './texts.ts';

// What the reviewers' desk reads and writes. Nothing here has a text of a conversation.

/** How long the desk stays open without use, and at most. */
export const DESK_IDLE_MINUTES = 15;
export const DESK_HOURS = 4;

/** `GET /api/desk`, for reviewers alone: everybody else gets 404. */
export const DeskStateSchema = z
  .object({
    name: z.string().describe('who is at the desk'),
    hasFactor: z.boolean().describe('a second factor is set up: a right code of it has come'),
    needsFactor: z.boolean().describe('false on this machine itself'),
    openUntil: z.iso.datetime().nullable().describe('null: closed; a code opens it'),
    reviewers: z.int().describe('how many people can decide'),
    paused: z.object({ since: z.iso.datetime(), why: z.string() }).nullable().describe('flagging was stopped'),
    counts: z
      .object({ open: z.int(), asked: z.int(), appeals: z.int(), seconds: z.int() })
      .nullable()
      .describe('what waits, by list; null: the desk is closed'),
  })
  .meta({ id: 'DeskState' });
export type DeskState = z.infer<typeof DeskStateSchema>;

/** `POST /api/desk/factor`: begins to set a second factor up, with the code that the operator's command printed. */
export const FactorRequestSchema = z.strictObject({ setupCode: z.string().trim().min(8).max(100) });
export const FactorSchema = z
  .object({ secret: z.string().describe('base32'), uri: z.string().describe('otpauth:, for a picture of it') })
  .meta({ id: 'Factor' });
export type Factor = z.infer<typeof FactorSchema>;

/** `POST /api/desk/session`: opens the desk. The first right code also confirms a new factor. */
export const DeskOpenSchema = z.strictObject({
  code: z
    .string()
    .trim()
    .regex(/^\d{3} ?\d{3}$/, 'six digits')
    .optional(),
});

export const CASE_KINDS = ['sharing', 'not_enough', 'referrals', 'operator'] as const;
export const CaseKindSchema = z
  .enum(CASE_KINDS)
  .describe(
    'sharing: served to several people through a relay; not_enough: signs of several people that nothing corroborates; referrals: repeated sign-ups by one link; operator: decided by a command',
  );
export type CaseKind = z.infer<typeof CaseKindSchema>;

export const LISTS = ['open', 'asked', 'appeals', 'seconds', 'decided'] as const;
export const ListSchema = z
  .enum(LISTS)
  .describe('seconds: decided cases that another reviewer judges as well, without seeing how they were decided');
export type List = z.infer<typeof ListSchema>;

/** A case in a list. Whose it is, is said when it is opened. */
export const CaseLineSchema = z
  .object({
    number: z.int(),
    kind: CaseKindSchema,
    openedAt: z.iso.datetime(),
    /** Of this list: since when it waits, or when it was decided. */
    since: z.iso.datetime(),
    probability: z.number().nullable().describe('sharing: of a flag with these numbers'),
    for: z.int().describe('how many signs speak for it'),
    against: z.int(),
    summary: z.string().describe('the strongest sign, in a sentence'),
    decision: DecisionKindSchema.nullable().describe('the last one; null: none, or not to be seen in this list'),
    isReversed: z.boolean().optional().describe('an appeal has reversed the decision'),
    isAnswered: z.boolean().describe('asked: the owner has answered'),
    isOwn: z.boolean().describe('appeals: decided by the reviewer who looks, so that another one must hear it'),
  })
  .meta({ id: 'CaseLine' });
export type CaseLine = z.infer<typeof CaseLineSchema>;

/** `GET /api/desk/cases?list=&kind=&before=`. */
export const CasesSchema = z
  .object({ cases: z.array(CaseLineSchema), next: z.int().nullable().describe('`before` of the next page') })
  .meta({ id: 'Cases' });
export type Cases = z.infer<typeof CasesSchema>;

export const CaseDecisionSchema = z
  .object({
    id: z.uuid(),
    step: z.int(),
    kind: DecisionKindSchema,
    at: z.iso.datetime(),
    by: z.string().describe('the reviewer’s name, or "the operator"'),
    until: z.iso.datetime().nullable(),
    takenMicro: z.int().nullable(),
    why: z.string().nullable().describe('null: the account was deleted'),
    rule: z.string(),
    answer: z.string().nullable(),
    answeredAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'CaseDecision' });
export type CaseDecision = z.infer<typeof CaseDecisionSchema>;

/** The account of an opened case: enough to judge its use, and no more. */
export const CaseAccountSchema = z
  .object({
    id: z.uuid(),
    label: z.string().describe('its address or name'),
    createdAt: z.iso.datetime(),
    tier: z.int(),
    hasPlan: z.boolean(),
    hasPaid: z.boolean(),
    devices: z.int(),
    browsers: z.int(),
    keys: z.int(),
    declared: z.array(z.string()).describe('what its owner has declared, in words'),
    isTeam: z.boolean(),
    suspendedUntil: z.iso.datetime().nullable(),
    isSuspended: z.boolean(),
    earlier: z.array(
      z.object({
        number: z.int(),
        kind: CaseKindSchema,
        decision: DecisionKindSchema.nullable(),
        isReversed: z.boolean().optional().describe('an appeal has reversed the decision'),
      }),
    ),
  })
  .meta({ id: 'CaseAccount' });
export type CaseAccount = z.infer<typeof CaseAccountSchema>;

/** `GET /api/desk/cases/:number`: an opened case. That it was opened, and by whom, is kept. */
export const CaseSchema = z
  .object({
    number: z.int(),
    kind: CaseKindSchema,
    openedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
    account: CaseAccountSchema.nullable().describe('null: it was deleted'),
    dossier: DossierSchema,
    decisions: z.array(CaseDecisionSchema).describe('oldest first; empty in a second look that is not given yet'),
    may: z.array(DecisionKindSchema).describe('what can be decided now, by who looks'),
    whyNot: z.string().nullable().describe('why nothing can be decided here'),
    appeal: OwnAppealSchema.extend({
      decidedBy: z.string().nullable(),
      mayDecide: z.boolean(),
      pictures: z.array(PictureSchema),
    }).nullable(),
    second: z
      .object({ mayGive: z.boolean(), given: DecisionKindSchema.nullable(), why: z.string().nullable() })
      .nullable()
      .describe('null: no second look is wanted'),
  })
  .meta({ id: 'Case' });
export type Case = z.infer<typeof CaseSchema>;

/** `POST /api/desk/cases/:number/decisions`. Of two reviewers at once, the second is refused: `already_decided`. */
export const DecideSchema = z
  .strictObject({
    step: z.int().min(0).describe('how many decisions the reviewer has seen'),
    kind: DecisionKindSchema,
    why: writtenSchema(MAX_WHY).describe('the owner reads it'),
    until: z.iso.datetime().optional().describe('suspend: the end, at most a year from now'),
  })
  .meta({ id: 'Decide' });
export type Decide = z.infer<typeof DecideSchema>;

/** `POST /api/desk/cases/:number/appeal`. */
export const HearSchema = z
  .strictObject({ outcome: z.enum(['upheld', 'reversed']), why: writtenSchema(MAX_WHY) })
  .meta({ id: 'Hear' });
export type Hear = z.infer<typeof HearSchema>;

/** `POST /api/desk/cases/:number/second`. */
export const SecondSchema = z
  .strictObject({ kind: DecisionKindSchema.exclude(['ask']), why: writtenSchema(MAX_WHY) })
  .meta({ id: 'Second' });

/** `POST /api/desk/pause` stops flagging on every node, `DELETE` goes on with it. */
export const PauseRequestSchema = z.strictObject({ why: textSchema(500) });

/** Who saw and did what. */
export const ACTS = [
  ...(['factor_set', 'opened_desk', 'wrong_code', 'closed_desk'] as const),
  ...(['opened_case', 'decided', 'saw_picture', 'heard_appeal', 'second_look', 'paused', 'resumed'] as const),
  ...(['added_reviewer', 'ended_reviewer', 'new_setup_code'] as const),
] as const;
export const ActSchema = z.enum(ACTS);
export type Act = z.infer<typeof ActSchema>;
/** `GET /api/desk/trail?before=`, newest first. */
export const TrailSchema = z
  .object({
    acts: z.array(
      z.object({
        id: z.int(),
        at: z.iso.datetime(),
        who: z.string(),
        act: ActSchema,
        case: z.int().nullable(),
        detail: z.string().nullable(),
      }),
    ),
    next: z.int().nullable(),
  })
  .meta({ id: 'Trail' });
export type Trail = z.infer<typeof TrailSchema>;

/** How the flags and decisions of a time turned out. `GET /api/desk/numbers?days=`; without the rules at `/api/fair-use`. */
export const NumbersSchema = z
  .object({
    days: z.int(),
    cases: z.array(
      z.object({
        kind: CaseKindSchema,
        opened: z.int(),
        decided: z.int(),
        decisions: z.array(z.object({ kind: DecisionKindSchema, count: z.int() })),
        hoursToDecision: z.number().nullable().describe('the middle one'),
      }),
    ),
    rules: z.array(
      z.object({
        rulesVersion: z.int(),
        thresholdVersion: z.int(),
        kind: CaseKindSchema,
        decided: z.int(),
        cameToNothing: z.int().describe('decided as nothing, or reversed by an appeal'),
      }),
    ),
    appeals: z.object({
      made: z.int(),
      decided: z.int(),
      reversed: z.int(),
      hoursToDecision: z.number().nullable(),
    }),
    agreement: z.object({ looked: z.int(), agreed: z.int() }).describe('second looks that came to the same decision'),
  })
  .meta({ id: 'Numbers' });
export type Numbers = z.infer<typeof NumbersSchema>;

/** `GET /api/fair-use`: the numbers that the operator shows to everybody. */
export const FairUseSchema = NumbersSchema.omit({ rules: true }).meta({ id: 'FairUse' });
export type FairUse = z.infer<typeof FairUseSchema>;
