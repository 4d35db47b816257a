import { z } from 'zod';

/** One signal of a dossier, in words that an operator and the account's owner can read. */
export const DossierLineSchema = z
  .object({
    signal: z.int(),
    /** Speaks for sharing, or against it. */
    speaks: z.enum(['for', 'against', 'neither']),
    name: z.string(),
    sentence: z.string(),
    /** What heavy users who are alone show, in the words of the sentence's number. */
    heavyUsers: z.string(),
    nats: z.number(),
    /** The numbers behind the sentence. `value`: what the signal's curve was applied to; absent: not enough to say. */
    seen: z.record(z.string(), z.number()).optional(),
    firstSeen: z.iso.datetime().nullable(),
    lastSeen: z.iso.datetime().nullable(),
    wouldClear: z.string(),
  })
  .meta({ id: 'DossierLine' });
export type DossierLine = z.infer<typeof DossierLineSchema>;

/** Why an account was flagged. It never changes: the counters that it was made from decay. */
export const DossierSchema = z
  .object({
    /** referrals: made of a link's sign-ups, operator: of nothing. Both have no nats, and the probability 0. */
    kind: z.enum(['sharing', 'not_enough', 'referrals', 'operator']),
    madeAt: z.iso.datetime(),
    observedSince: z.iso.datetime(),
    nats: z.object({
      all: z.number(),
      persons: z.number(),
      transport: z.number(),
      identity: z.number(),
      against: z.number(),
    }),
    probability: z.number(),
    /** What had to hold, in words with numbers. */
    rule: z.string(),
    rulesVersion: z.int(),
    thresholdVersion: z.int(),
    lines: z.array(DossierLineSchema),
    /** A person's turns in each of the last 168 hours, by the hour of the week, UTC, from Monday 00:00 on; absent: none. */
    week: z.array(z.int()).length(168).optional(),
    /**
     * The projects by a person's turns in them, largest first, without their names. Projects of different groups share no
     * client; groups are numbered from 1, and 0 is a project with too few turns to belong to one.
     */
    projects: z
      .array(z.object({ turns: z.int(), days: z.int(), clients: z.int(), group: z.int() }))
      .max(64)
      .optional(),
  })
  .meta({ id: 'Dossier' });
export type Dossier = z.infer<typeof DossierSchema>;

/** What an account's owner says about its use. It speaks against a flag, and is never required. */
export const UseSchema = z
  .strictObject({
    ownGateway: z.boolean().describe('a gateway or proxy of one’s own stands in front of one’s tools'),
    severalMachines: z.boolean().describe('one works on several machines, in containers or in the cloud'),
    automationKeys: z
      .array(z.uuid())
      .max(100)
      .describe('API keys that programs use by themselves, such as CI: their requests are no person’s'),
  })
  .meta({ id: 'Use' });
export type Use = z.infer<typeof UseSchema>;

export const UseAnswerSchema = UseSchema.extend({
  isTeam: z.boolean().describe('the operator sold the plan to several people: it is not flagged'),
}).meta({ id: 'UseAnswer' });
export type UseAnswer = z.infer<typeof UseAnswerSchema>;
