import type { Page } from 'playwright-core';
import type { OwnDecision } from '../../shared/decisions.ts';
import {
  type Case,
  CaseSchema,
  CasesSchema,
  type DeskState,
  DeskStateSchema,
  NumbersSchema,
  TrailSchema,
} from '../../shared/desk.ts';
import type { Member } from '../support/member.ts';
import { answer } from './creditsScene.ts';
import * as examples from './deskExamples.ts';
import { appeal, deskState, exampleCase, ownDecision, suspended } from './deskExamples.ts';
import type { State } from './pictureStates.ts';

/** A picture of an appeal, as the server would send it. */
const SVG = (width: number, height: number) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#e8eef7"/><rect x="8%" y="12%" width="84%" height="10%" fill="#7da4d8"/><rect x="8%" y="30%" width="60%" height="6%" fill="#b9c9de"/><rect x="8%" y="42%" width="72%" height="6%" fill="#b9c9de"/><rect x="8%" y="54%" width="48%" height="6%" fill="#b9c9de"/></svg>`;

/** Answers what the desk reads, by its contracts. */
export async function deskAnswers(
  page: Page,
  { state = deskState(), one = exampleCase(), empty = false }: { state?: DeskState; one?: Case; empty?: boolean } = {},
) {
  const json = (body: unknown) => ({ contentType: 'application/json', body: JSON.stringify(body) });
  await page.route('**/api/desk', (route) => route.fulfill(json(DeskStateSchema.parse(state))));
  await page.route('**/api/desk/**', (route) => {
    const { pathname, searchParams } = new URL(route.request().url());
    const list = (searchParams.get('list') ?? 'open') as keyof typeof examples.lines;
    if (pathname.endsWith('/cases')) {
      const cases = empty ? [] : examples.lines[list];
      return route.fulfill(json(CasesSchema.parse({ cases, next: null })));
    }
    if (/\/pictures\//.test(pathname)) {
      const { width, height } = examples.pictures.find(({ id }) => pathname.endsWith(id))!;
      return route.fulfill({ contentType: 'image/svg+xml', body: SVG(width, height) });
    }
    if (/\/cases\/\d+$/.test(pathname)) return route.fulfill(json(CaseSchema.parse(one)));
    if (pathname.endsWith('/trail')) return route.fulfill(json(TrailSchema.parse(examples.trail)));
    if (pathname.endsWith('/numbers')) return route.fulfill(json(NumbersSchema.parse(examples.numbers)));
    if (pathname.endsWith('/factor')) {
      const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
      const uri = `otpauth://totp/Perigee%20desk:reviewer%40example.org?secret=${secret}&issuer=Perigee%20desk`;
      return route.fulfill(json({ secret, uri }));
    }
    return route.fulfill({ status: 204 });
  });
}

/** The desk's screens, and the rarer of their states. */
export function deskStates(): State[] {
  const closed = deskState({ openUntil: null, counts: null });
  const open = (name: string, at: string, one?: Case, act?: State['act'], state?: DeskState): State => ({
    name: `desk-${name}`,
    at: `/desk${at}`,
    prepare: (page) => deskAnswers(page, { one, state }),
    act,
  });
  const gate = (name: string, state: Partial<DeskState>, act?: State['act']): State =>
    open(name, '', undefined, act, { ...closed, ...state });
  const setUp = async (page: Page) => {
    await page.getByLabel('Setup code').fill('K7QM-2T9X-HD4P');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByLabel('The six digits').waitFor();
  };
  const decided = { endedAt: examples.ago(50), may: [], whyNot: 'The case has ended.' } satisfies Partial<Case>;
  const heard = { ...appeal, decidedBy: null, mayDecide: true };
  const asked = { ...suspended, kind: 'ask' as const, until: null, why: 'Do you alone work with it?' };
  const answered = { ...asked, answer: 'Yes, with two laptops and a build server.', answeredAt: examples.ago(5) };
  const choose = (key: string) => async (page: Page) => {
    await page.keyboard.press(key);
    await page.locator('.templates button').first().click();
    if (key === '6') await page.getByRole('button', { name: '30 days' }).click();
  };
  return [
    { name: 'desk-signed-out', at: '/desk' },
    {
      name: 'desk-nobody',
      at: '/desk',
      prepare: (page) =>
        page.route('**/api/desk', (route) =>
          route.fulfill({
            status: 404,
            contentType: 'application/problem+json',
            body: JSON.stringify({ code: 'not_found', title: 'Not found', detail: 'There is nothing here.' }),
          }),
        ),
    },
    gate('closed', {}),
    gate('here', { needsFactor: false }),
    gate('set-up', { hasFactor: false }),
    gate('factor', { hasFactor: false }, setUp),
    open('open', '#open'),
    open('appeals', '#appeals'),
    { ...open('empty', '#open'), prepare: (page) => deskAnswers(page, { empty: true }) },
    open('case', '#open/41'),
    open('suspend', '#open/41', undefined, choose('6')),
    open('confirm', '#open/41', undefined, async (page) => {
      await choose('7')(page);
      await page.getByRole('button', { name: 'Close the account …' }).click();
      await page.getByRole('dialog').waitFor();
    }),
    open('referrals', '#open/38', {
      ...exampleCase({ number: 38, kind: 'referrals' }),
      dossier: {
        ...examples.dossier,
        kind: 'referrals',
        nats: { all: 0, persons: 0, transport: 0, identity: 0, against: 0 },
        probability: 0,
        lines: examples.dossier.lines.slice(0, 2).map((one) => ({ ...one, nats: 0 })),
        week: undefined,
        projects: undefined,
      },
    }),
    open('appeal', '#appeals/33', exampleCase({ ...decided, decisions: [suspended], appeal: heard })),
    open('picture', '#appeals/33', exampleCase({ ...decided, decisions: [suspended], appeal: heard }), async (page) => {
      await page.getByRole('button', { name: /^Picture 1/ }).click();
      await page.getByRole('dialog').waitFor();
    }),
    open('asked', '#asked/36', exampleCase({ number: 36, decisions: [answered] })),
    open(
      'second',
      '#seconds/35',
      exampleCase({ ...decided, number: 35, second: { mayGive: true, given: null, why: null } }),
    ),
    open('gone', '#decided/34', exampleCase({ ...decided, account: null, decisions: [{ ...suspended, why: null }] })),
    open('trail', '#trail'),
    open('numbers', '#numbers'),
    open('flagging', '#flagging'),
    open('stopped', '#flagging', undefined, undefined, {
      ...deskState(),
      paused: { since: examples.ago(2), why: 'A client’s new version sends its headers in another order.' },
    }),
    open('keys', '#open', undefined, (page) => page.keyboard.press('?')),
    {
      name: 'fair-use',
      at: '/fair-use',
      prepare: (page) => {
        const { rules, ...shown } = examples.numbers;
        return answer(page, '/api/fair-use', shown);
      },
    },
  ];
}

/** The owner's side of decisions. */
export function ownerStates(who: Member): State[] {
  const state = (name: string, decisions: OwnDecision[], act?: State['act']): State => ({
    name: `decisions-${name}`,
    who,
    at: '/account#decisions',
    prepare: async (page) => {
      await answer(page, '/api/account/decisions', { decisions });
      await page.route('**/api/account/decisions/*/pictures/*', (route) =>
        route.fulfill({ contentType: 'image/svg+xml', body: SVG(1280, 800) }),
      );
    },
    act,
  });
  const ask = ownDecision({ kind: 'ask', until: null, mayAppealUntil: null, why: 'Do you alone work with it?' });
  const was = (kind: OwnDecision['kind'], part: Partial<OwnDecision> = {}) =>
    ownDecision({ id: crypto.randomUUID(), kind, until: null, mayAppealUntil: null, ...part });
  return [
    state('none', []),
    state('suspended', [ownDecision()]),
    state('form', [ownDecision({ waiting: examples.pictures })], async (page) => {
      await page.getByLabel('Which time').fill('The week from 16 November');
      await page.getByLabel('How do you use').fill(appeal.useCase);
      await page
        .locator('input[type=file]')
        .setInputFiles({ name: 'scan.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') });
    }),
    state('appealed', [ownDecision({ appeal })], (page) => page.getByText('What you wrote on').click()),
    state('alone', [ownDecision({ appeal: { ...appeal, heardBy: 'operator' } })]),
    state('ask', [ask]),
    state('all', [
      was('close', { deletedAt: examples.ago(-24 * 28), mayAppealUntil: examples.ago(-24 * 28) }),
      was('reset', {
        takenMicro: 42_500_000,
        appeal: { ...appeal, outcome: 'reversed', decidedAt: examples.ago(4), why: 'Your CI explains what we saw.' },
      }),
      was('warn', {
        appeal: {
          ...appeal,
          outcome: 'upheld',
          decidedAt: examples.ago(4),
          why: 'What you write does not explain it.',
        },
      }),
      was('referrals'),
      { ...ask, answer: 'Yes, with two laptops and a build server.' },
      was('nothing'),
    ]),
  ];
}
