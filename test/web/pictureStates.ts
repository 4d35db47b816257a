import type { Page } from 'playwright-core';
import type { AccountAnswer, Balance } from '../../shared/account.ts';
import type { OffersAnswer, Referral, ReferralsAnswer } from '../../shared/credits.ts';
import type { ApiKey } from '../../shared/keys.ts';
import type { Member } from '../support/member.ts';
import { png } from '../support/pngs.ts';
import { somebody } from '../support/signInWorld.ts';
import { answer, fillLog, largeLog, referralsOf } from './creditsScene.ts';
import { deskStates, ownerStates } from './deskStates.ts';
import { fillRequests } from './requestsScene.ts';
import type { Scene } from './scene.ts';

/** Something to look at: whose page, where, and what is done there first. */
export interface State {
  name: string;
  who?: Member;
  at: string;
  prepare?: (page: Page) => Promise<unknown>;
  act?: (page: Page) => Promise<unknown>;
}

const ANSWER = `The \`catch\` returns at once, so the loop never runs again. Wait between tries, and give up only after the last one:

\`\`\`ts
for (let i = 0; ; i++) {
  try { return await send(req) }
  catch (e) { if (i === tries) throw e }
  await wait(2 ** i * baseMs)
}
\`\`\`

| try | wait |
|---|---|
| 1 | 100 ms |
| 2 | 200 ms |
`;

/** Every part of the page, and the states of it that one rarely meets. */
export async function pictured(scene: Scene): Promise<State[]> {
  const member = await scene.member({ ...somebody(), email: 'you@example.org', name: 'You' });
  const conversation = await talk(scene, member);
  await fillLog(scene, member);
  const failed = await fillRequests(scene, member);
  const subscriber = await scene.member({ ...somebody(), email: 'plus@example.org', name: 'Plus' });
  await scene.shop.buy(subscriber, { plan: 'plus', interval: 'month' });
  await scene.shop.buy(subscriber);
  for (const minutes of [0, 40, 75]) {
    scene.server.clock.advance(minutes * 60_000);
    for (let n = 0; n < 5; n++) await subscriber.run(subscriber.chat('Go on '.repeat(9_000)));
  }
  const newcomer = await scene.member(somebody());
  const inviter = await scene.member(somebody());
  const { link } = (await inviter.request<ReferralsAnswer>('GET', '/api/referrals')).body;
  const join = new URL(link).pathname;
  const { id: unpaid } = await scene.shop.begin(member);
  const parts = [
    'balance',
    'credits',
    'usage',
    'log',
    'requests',
    'referrals',
    'conversations',
    'devices',
    'keys',
    'profile',
    'data',
  ];
  const referrals = (one: ReferralsAnswer) => (page: Page) => answer(page, '/api/referrals', one);
  const nobody = referralsOf({ joined: 0, earnedMicro: 0, referrals: [], invited: null });
  return [
    { name: 'signed-out', at: '/account' },
    ...parts.map((part) => ({ name: part, who: member, at: `/account#${part}`, prepare: referrals(referralsOf()) })),
    { name: 'requests-one', who: member, at: `/account#requests/${failed}` },
    { name: 'requests-unknown', who: member, at: `/account#requests/${member.accountId}` },
    { name: 'conversation', who: member, at: `/account#conversations/${conversation}` },
    ...['balance', 'credits'].map((part) => ({ name: `plan-${part}`, who: subscriber, at: `/account#${part}` })),
    ...parts
      .slice(0, 6)
      .map((part) => ({ name: `new-${part}`, who: newcomer, at: `/account#${part}`, prepare: referrals(nobody) })),
    ...balances(subscriber),
    ...offers(member),
    ...codes(member),
    ...keys(member, newcomer),
    ...connections(member),
    ...deskStates(),
    ...ownerStates(member),
    ...invitations().map(({ name, said }) => ({
      name: `referrals-${name}`,
      who: member,
      at: '/account#referrals',
      prepare: referrals(said),
    })),
    { name: 'join', at: join },
    { name: 'join-own', who: inviter, at: join },
    { name: 'join-member', who: newcomer, at: join },
    { name: 'join-gone', at: '/join/nobodys' },
    {
      name: 'log-large',
      who: newcomer,
      at: '/account#log',
      prepare: (page) => answer(page, '/api/credits/log', largeLog()),
    },
    ...['model', 'key'].map((by) => ({ name: `usage-${by}`, who: member, at: `/account#usage?by=${by}` })),
    {
      name: 'usage-month',
      who: member,
      at: '/account#usage',
      act: async (page) => {
        await page.getByLabel('Month').check();
        await page.getByText('As a table').click();
      },
    },
    {
      name: 'log-none',
      who: member,
      at: '/account#log',
      act: async (page) => {
        await page.getByLabel('To', { exact: true }).fill('2020-01-01');
        await page.getByRole('button', { name: 'Show all lines' }).waitFor();
      },
    },
    {
      name: 'link-not-copied',
      who: member,
      at: '/account#referrals',
      prepare: async (page) => {
        await page.addInitScript('navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"))');
        await answer(page, '/api/referrals', referralsOf());
      },
      act: (page) => page.getByRole('button', { name: 'Copy the link' }).click(),
    },
    {
      name: 'left',
      who: member,
      at: `/account?checkout=${unpaid}&payment=left#credits`,
      act: (page) => page.getByRole('link', { name: 'Go on paying' }).waitFor(),
    },
    {
      name: 'close',
      who: member,
      at: '/account#data',
      act: async (page) => {
        await page.getByRole('button', { name: 'Close the account' }).click();
        await page.getByRole('dialog').waitFor();
      },
    },
  ];
}

async function talk(scene: Scene, member: Member): Promise<string> {
  let first: string | undefined;
  for (const title of [
    'Why does this give up after one failure? Make it retry.',
    'Migration of the orders table',
    'Flaky test in CI',
    'Explain the parser’s error recovery',
  ]) {
    scene.server.double.script({ text: ANSWER });
    const request = member.chat(title);
    first ??= request.conversationId;
    await member.run(request);
  }
  await attachPicture(scene, first!);
  return first!;
}

/** The scene's model reads no pictures, so the first question gets one by its rows. */
async function attachPicture({ server }: Scene, conversation_id: string): Promise<void> {
  const [width, height] = [640, 400];
  const bytes = png(width, height);
  await server.db.write(async (tx) => {
    const asked = tx.selectFrom('message').select('id').where('conversation_id', '=', conversation_id);
    const { id: message_id } = await asked.where('role', '=', 'user').executeTakeFirstOrThrow();
    await tx
      .insertInto('attachment')
      .values({ message_id, place: 0, kind: 'image', path: 'layout.png', characters: 0, text: '' } as never)
      .execute();
    const facts = { media_type: 'image/png', width, height, size: bytes.length };
    await tx
      .insertInto('picture')
      .values({ message_id, place: 0, conversation_id, ...facts, bytes })
      .execute();
  });
}

/** What may be left: little, nothing, more than anybody has, some of it set aside. */
function balances(who: Member): State[] {
  const none = { availableMicro: 0, pendingMicro: 0, promotionalMicro: 0, purchasedMicro: 0, windows: [] };
  const all: [name: string, balance: Partial<Balance>][] = [
    ['low', { ...none, availableMicro: 3_127_412, ofMicro: 100e6, promotionalMicro: 3_127_412 }],
    ['none', { ...none, ofMicro: 100e6 }],
    ['never', { ...none, ofMicro: 0 }],
    ['large', { ...none, availableMicro: 1_234_567_891_234, purchasedMicro: 1_234_567_891_234, ofMicro: 2e12 }],
    ['pending', { availableMicro: 40e6, pendingMicro: 12_500_000, promotionalMicro: 4e6 }],
  ];
  return all.map(([name, more]) => ({
    name: `balance-${name}`,
    who,
    at: '/account#balance',
    prepare: async (page) => {
      const { body } = (await who.account()) as { body: AccountAnswer };
      await answer(page, '/api/account', { ...body, balance: { ...body.balance, ...more } });
    },
  }));
}

function offers(who: Member): State[] {
  const nothing: OffersAnswer = { sold: false, currency: 'usd', packs: [], plans: [], current: null, owedMicro: 0 };
  const until = '2027-03-01T00:00:00Z';
  const plan = { plan: 'plus', name: 'Plus', interval: 'month', until, currency: 'usd' } as const;
  const pack = { id: 'pack-5', name: '500 credits', cents: 500, creditsMicro: 500e6 };
  const sold = { ...nothing, sold: true, packs: [pack, { ...pack, id: 'big', name: 'A large pack for a whole team' }] };
  const all: [name: string, offers: OffersAnswer][] = [
    ['nothing-sold', nothing],
    ['owed', { ...sold, owedMicro: 120_500_000 }],
    ['unpaid', { ...sold, current: { ...plan, cents: 1200, renews: true, payUrl: 'https://invoice.example/1' } }],
    ['cancelled', { ...sold, current: { ...plan, cents: 1200, renews: false } }],
    ['given', { ...nothing, current: { ...plan, cents: null, currency: null, renews: false } }],
  ];
  return all.map(([name, body]) => ({
    name: `credits-${name}`,
    who,
    at: '/account#credits',
    prepare: (page) => answer(page, '/api/credits/offers', body),
  }));
}

/** Where a code is entered, with what came of it; and what the operator tells everybody, above it. */
function codes(who: Member): State[] {
  const prepare = async (page: Page) => {
    const { body } = await who.account();
    const text = 'Answers are slow since 10:00 UTC: our model service has an incident. Nothing that fails is charged.';
    const notice = { id: 'operator:1', kind: 'operator' as const, text, at: body.account.createdAt };
    await answer(page, '/api/account', { ...body, notices: [notice] });
    await answer(page, '/api/promotions', { claimable: true });
  };
  const at = '/account#credits';
  return [
    { name: 'code-field', who, at, prepare },
    {
      name: 'code-unknown',
      who,
      at,
      prepare,
      act: async (page) => {
        await page.getByLabel('Have a code?').fill('SPRIGN-2027');
        await page.keyboard.press('Enter');
        await page.getByRole('alert').waitFor();
      },
    },
  ];
}

/** No key, the form, what a tool is given, and keys of every kind. */
function keys(who: Member, newcomer: Member): State[] {
  const at = '/account#keys';
  const at9 = (day: string) => `2026-11-${day}T09:00:00.000Z`;
  const key: ApiKey = {
    id: crypto.randomUUID(),
    name: 'OpenCode on the laptop',
    hint: 'k3Q9',
    models: null,
    monthlyMicro: null,
    spentMicro: 3_204_512,
    resetsAt: '2026-12-01T00:00:00.000Z',
    expiresAt: null,
    createdAt: at9('02'),
    lastUsedAt: at9('20'),
  };
  const more = (n: number, part: Partial<ApiKey>): ApiKey => ({
    ...key,
    id: crypto.randomUUID(),
    hint: `aa${n}Z`,
    ...part,
  });
  const list = [
    key,
    more(1, {
      name: 'Nightly build',
      monthlyMicro: 20e6,
      models: ['kimi-k2', 'kimi-k2-thinking'],
      expiresAt: '2027-03-01T00:00:00.000Z',
    }),
    more(2, { name: 'A workshop, over by now', monthlyMicro: 3e6, expiresAt: at9('10') }),
    more(3, { name: 'Never-used-key-with-a-name-that-has-no-blanks-in-it-of-60-ch', spentMicro: 0, lastUsedAt: null }),
  ];
  const models = (page: Page) =>
    answer(page, '/api/models', {
      models: ['kimi-k2', 'kimi-k2-thinking'].map((id, n) => ({ id, isDefault: n === 0 })),
    });
  const given = (page: Page) => answer(page, '/api/keys', { keys: list, baseUrl: 'https://ai.example.org/v1' });
  const button = (page: Page, name: string) => page.getByRole('button', { name }).click();
  const form = async (page: Page) => {
    await button(page, 'Make a key');
    await page.getByLabel('Credits a month').fill('much');
  };
  const made = async (page: Page) => {
    await button(page, 'Make a key');
    await page.getByLabel('Name').fill('Kimi Code');
    await page.keyboard.press('Enter');
    await button(page, 'Copy API key');
    await page.getByText(/Copied|is selected/).waitFor();
  };
  const prepare = async (page: Page) => {
    await models(page);
    await given(page);
  };
  return [
    { name: 'keys-none', who: newcomer, at },
    { name: 'keys-list', who, at, prepare },
    { name: 'keys-form', who, at, prepare, act: form },
    { name: 'keys-change', who, at, prepare, act: (page) => button(page, 'Change Nightly build') },
    { name: 'keys-revoke', who, at, prepare, act: (page) => button(page, 'Revoke Nightly build') },
    { name: 'keys-made', who, at, act: made },
  ];
}

/** The lines of a tool: before there is a key, with one, and with its first request. */
function connections(who: Member): State[] {
  const at = '/account#connect';
  const make = async (page: Page) => {
    await page.getByRole('button', { name: /^Make a key for/ }).click();
    await page.getByText('Waiting for the first request').waitFor();
  };
  const entry = {
    ...{ id: '1', kind: 'charge', amountMicro: -800_000, balanceMicro: 9_200_000, reason: 'Answer' },
    ...{ model: 'kimi-k2', tool: 'Claude Code', at: new Date(Date.now() - 12_000).toISOString() },
  };
  return [
    { name: 'connect-none', who, at },
    {
      name: 'connect-made',
      who,
      at,
      act: async (page) => {
        await page.getByRole('tab', { name: 'OpenCode' }).click();
        await make(page);
      },
    },
    {
      name: 'connect-seen',
      who,
      at,
      prepare: (page) => answer(page, '/api/credits/log', { entries: [entry], before: null }),
      act: async (page) => {
        await page.getByRole('button', { name: /^Make a key for/ }).click();
        await page.getByText('First request seen').waitFor();
      },
    },
  ];
}

/** Each state that an invitation can be in. */
function invitations(): { name: string; said: ReferralsAnswer }[] {
  const all = referralsOf();
  const [pending, paid, refused] = all.referrals as [Referral, Referral, Referral];
  const only = (one: Referral, more: Partial<ReferralsAnswer> = {}) =>
    referralsOf({ joined: 1, earnedMicro: 0, referrals: [one], invited: null, ...more });
  const reward = { ...all.invited!.reward };
  const verified: Referral = {
    ...paid,
    rewards: paid.rewards.map((one) => ({ ...one, state: 'verified', paidAt: null })),
  };
  return [
    { name: 'pending', said: only(pending) },
    { name: 'verified', said: only(verified) },
    { name: 'paid', said: only(paid, { earnedMicro: 550e6 }) },
    { name: 'refused', said: only({ ...refused, refused: 'Too many joined from one network on one day.' }) },
    {
      name: 'invited-paid',
      said: referralsOf({
        invited: {
          reward: { ...reward, state: 'paid', paidAt: '2026-11-20T09:00:00Z' },
          tokensUsed: 1e6,
          refused: null,
        },
      }),
    },
    {
      name: 'invited-refused',
      said: referralsOf({ invited: { reward, tokensUsed: 412_300, refused: 'You had an account here before.' } }),
    },
  ];
}
