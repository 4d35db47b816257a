import type { OwnAppeal, OwnDecision, Picture } from '../../shared/decisions.ts';
import type { Case, CaseLine, DeskState, Numbers, Trail } from '../../shared/desk.ts';
import type { Dossier, DossierLine } from '../../shared/risk.ts';

const HOUR = 3_600_000;
export const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();

const line = (part: Partial<DossierLine>): DossierLine => ({
  signal: 1,
  speaks: 'for',
  name: 'Independent projects',
  sentence:
    'Somebody comes back to 14 projects that share no files; the heaviest single users come back to 6 in the same time.',
  heavyUsers: 'half: 0 more than that; all but 1 in 1,000: 3 more than that',
  nats: 4,
  firstSeen: ago(260),
  lastSeen: ago(3),
  wouldClear: 'Fewer projects in work, or an explanation such as a consultant with many clients.',
  ...part,
});

/** Two people who write by day and three by night, in one week of UTC hours. */
const week = Array.from({ length: 168 }, (_, i) => {
  const [day, hour] = [Math.floor(i / 24), i % 24];
  const byDay = day < 5 && hour >= 7 && hour < 17 ? 6 + ((i * 7) % 9) : 0;
  const byNight = hour >= 18 || hour < 4 ? 2 + ((i * 5) % 6) : 0;
  return byDay + byNight;
});

export const dossier: Dossier = {
  kind: 'sharing',
  madeAt: ago(3),
  observedSince: ago(300),
  nats: { all: 16.4, persons: 9.8, transport: 5.4, identity: 2.2, against: -1 },
  probability: 0.998,
  rule: 'At least 13.7 nats in all; of several people at least 5 from 2 different signals; and at least 2 from the way here or from contradictions. No family of signals is enough by itself.',
  rulesVersion: 3,
  thresholdVersion: 7,
  lines: [
    line({}),
    line({
      signal: 2,
      name: 'People’s turns at the same time',
      sentence:
        'Of 412 turns of a person, 96 came within 60 seconds of a turn in other work. In the busiest half hours a person wrote in 7 projects.',
      heavyUsers: 'half: -0.8 nats; all but 1 in 1,000: 1.1 nats',
      nats: 3.6,
      wouldClear:
        'Turns in different work that keep apart as one author’s do, or a script that sends them and is declared.',
    }),
    line({
      signal: 7,
      name: 'Clients on one connection',
      sentence:
        '231 requests came on a connection that had carried another client of this account. No VPN or tunnel does that; a gateway does, and a company’s inspection that keeps connections.',
      heavyUsers: 'half: 0 requests; all but 1 in 1,000: 40 requests, some of them behind a gateway of their own',
      nats: 4,
      wouldClear: 'Nothing needs to: alone it only says that a gateway is in between.',
    }),
    line({
      signal: 3,
      name: 'Quiet hours',
      sentence: 'On the middle day nobody wrote for 2 hours at most.',
      heavyUsers: 'half: 9 quiet hours; all but 1 in 1,000: 4 quiet hours',
      nats: 2.2,
      wouldClear: 'A daily quiet time of 5 hours or more.',
    }),
    line({
      signal: 14,
      speaks: 'against',
      name: 'Proof of an installation',
      sentence: '12 % of a person’s turns came with the proof of an installation that the owner signed in on.',
      heavyUsers: 'half: 96 %; all but 1 in 1,000: 18 %',
      nats: -1,
      wouldClear: 'Its absence says nothing; more of them speak for one person.',
    }),
    line({
      signal: 16,
      speaks: 'neither',
      name: 'Declared use',
      sentence: 'The owner has declared no gateway, CI or further machines.',
      heavyUsers: 'half: not needed; all but 1 in 1,000: not needed',
      nats: 0,
      firstSeen: null,
      lastSeen: null,
      wouldClear: 'Nothing needs to be declared.',
    }),
  ],
  week,
  projects: Array.from({ length: 14 }, (_, n) => ({
    turns: Math.round(180 / (n + 1)) + 3,
    days: Math.max(1, 12 - n),
    clients: 1 + (n % 3),
    group: n > 11 ? 0 : 1 + (n % 4),
  })),
};

export const deskState = (part: Partial<DeskState> = {}): DeskState => ({
  name: 'reviewer@example.org',
  hasFactor: true,
  needsFactor: true,
  openUntil: new Date(Date.now() + 14.5 * 60_000).toISOString(),
  reviewers: 2,
  paused: null,
  counts: { open: 3, asked: 1, appeals: 2, seconds: 1 },
  ...part,
});

export const caseLine = (number: number, part: Partial<CaseLine> = {}): CaseLine => ({
  number,
  kind: 'sharing',
  openedAt: ago(3),
  since: ago(3),
  probability: 0.998,
  for: 4,
  against: 1,
  summary: dossier.lines[0]!.sentence,
  decision: null,
  isAnswered: false,
  isOwn: false,
  ...part,
});

export const lines = {
  open: [
    caseLine(41),
    caseLine(40, {
      kind: 'not_enough',
      since: ago(19),
      probability: 0.41,
      for: 3,
      against: 2,
      summary: dossier.lines[3]!.sentence,
    }),
    caseLine(38, {
      kind: 'referrals',
      since: ago(51),
      probability: null,
      for: 2,
      against: 0,
      summary: 'In 30 days, 5 of 6 sign-ups by this link were refused as the same person’s.',
    }),
  ],
  asked: [caseLine(36, { since: ago(70), decision: 'ask', isAnswered: true })],
  appeals: [
    caseLine(33, { since: ago(30), decision: 'suspend' }),
    caseLine(31, { since: ago(90), decision: 'reset', isOwn: true }),
  ],
  seconds: [caseLine(35, { since: ago(60) })],
  decided: [caseLine(34, { since: ago(80), decision: 'warn' }), caseLine(32, { since: ago(130), decision: 'nothing' })],
} as const;

export const exampleCase = (part: Partial<Case> = {}): Case => ({
  number: 41,
  kind: 'sharing',
  openedAt: ago(3),
  endedAt: null,
  account: {
    id: '0b8f3c1e-8f0e-4d59-9a53-0f5b3a3f1c11',
    label: 'ada@example.org',
    createdAt: ago(24 * 200),
    tier: 1,
    hasPlan: false,
    hasPaid: true,
    devices: 3,
    browsers: 1,
    keys: 2,
    declared: [],
    isTeam: false,
    suspendedUntil: null,
    isSuspended: false,
    earlier: [{ number: 22, kind: 'not_enough', decision: 'nothing' }],
  },
  dossier,
  decisions: [],
  may: ['nothing', 'ask', 'warn', 'reset', 'referrals', 'suspend', 'close'],
  whyNot: null,
  appeal: null,
  second: null,
  ...part,
});

export const pictures: Picture[] = [
  { id: '6a0ed7f6-6c0a-4f26-9d4c-3d4cde0a4f01', width: 1280, height: 800, bytes: 48_120 },
  { id: '6a0ed7f6-6c0a-4f26-9d4c-3d4cde0a4f02', width: 600, height: 900, bytes: 30_044 },
];

export const appeal: OwnAppeal = {
  at: ago(20),
  time: 'The week from 16 November',
  useCase:
    'I work alone. In that week I moved from a laptop to a cloud machine, and my CI ran 40 jobs a night with the key “Nightly”. The picture shows the list of its runs.',
  pictures,
  numbersMayBeUsed: true,
  heardBy: 'another reviewer',
  outcome: null,
  decidedAt: null,
  why: null,
};

export const suspended: Case['decisions'][number] = {
  id: '9c9e6a62-57f3-44f8-9d5d-0f6f0e0c0001',
  step: 0,
  kind: 'suspend',
  at: ago(60),
  by: 'other@example.org',
  until: ago(-24 * 20),
  takenMicro: null,
  why: 'Several people use your account through one relay, also after our warning. It is suspended until that day.',
  rule: 'Fair use: an account is for one person, and its access is not passed on.',
  answer: null,
  answeredAt: null,
};

export const ownDecision = (part: Partial<OwnDecision> = {}): OwnDecision => ({
  id: suspended.id,
  case: 41,
  kind: 'suspend',
  at: ago(60),
  until: ago(-24 * 20),
  deletedAt: null,
  takenMicro: null,
  why: suspended.why!,
  rule: suspended.rule,
  answer: null,
  hasNumbers: true,
  mayAppealUntil: ago(-24 * 27),
  appeal: null,
  waiting: [],
  ...part,
});

export const trail: Trail = {
  acts: [
    { id: 9, at: ago(0.1), who: 'reviewer@example.org', act: 'opened_case', case: 41, detail: null },
    { id: 8, at: ago(0.2), who: 'reviewer@example.org', act: 'opened_desk', case: null, detail: null },
    { id: 7, at: ago(0.25), who: 'reviewer@example.org', act: 'wrong_code', case: null, detail: null },
    { id: 6, at: ago(30), who: 'other@example.org', act: 'decided', case: 33, detail: 'suspend' },
    { id: 5, at: ago(31), who: 'other@example.org', act: 'saw_picture', case: 31, detail: null },
    { id: 4, at: ago(50), who: 'the operator', act: 'added_reviewer', case: null, detail: null },
  ],
  next: null,
};

export const numbers: Numbers = {
  days: 90,
  cases: [
    {
      kind: 'sharing',
      opened: 24,
      decided: 21,
      decisions: [
        { kind: 'nothing', count: 3 },
        { kind: 'warn', count: 9 },
        { kind: 'suspend', count: 7 },
        { kind: 'close', count: 2 },
      ],
      hoursToDecision: 9.4,
    },
    {
      kind: 'not_enough',
      opened: 11,
      decided: 10,
      decisions: [
        { kind: 'nothing', count: 9 },
        { kind: 'warn', count: 1 },
      ],
      hoursToDecision: 52,
    },
    { kind: 'referrals', opened: 2, decided: 1, decisions: [{ kind: 'referrals', count: 1 }], hoursToDecision: 20 },
    { kind: 'operator', opened: 0, decided: 0, decisions: [], hoursToDecision: null },
  ],
  rules: [
    { rulesVersion: 3, thresholdVersion: 7, kind: 'sharing', decided: 15, cameToNothing: 2 },
    { rulesVersion: 2, thresholdVersion: 6, kind: 'sharing', decided: 6, cameToNothing: 2 },
    { rulesVersion: 3, thresholdVersion: 7, kind: 'not_enough', decided: 10, cameToNothing: 9 },
  ],
  appeals: { made: 4, decided: 3, reversed: 1, hoursToDecision: 30 },
  agreement: { looked: 5, agreed: 4 },
};
