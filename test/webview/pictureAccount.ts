import { asked, chips, failed, RETRY, refused, type State } from './pictureTexts.ts';
import {
  ago,
  answer,
  changed,
  conversation,
  DAY,
  guest,
  member,
  nearlyOut,
  pricedModels,
  problem,
  running,
  surroundings,
  user,
} from './samples.ts';

/** What the view says of the account, the connection and what was refused. */
export const accountStates: Record<string, State> = {
  offline: {
    messages: [
      surroundings({
        connection: {
          state: 'offline',
          detail: 'http://127.0.0.1:8787 does not answer (ECONNREFUSED). It is tried again by itself.',
        },
      }),
      conversation([asked, answer(RETRY)], { draft: 'What I typed before' }),
    ],
  },
  signedOut: {
    messages: [
      surroundings({
        connection: {
          state: 'signedOut',
          detail:
            'Your sign-in has ended. Sign in again: your conversations are on the server, and what you typed is kept.',
          isMember: true,
          isNew: false,
        },
        guests: true,
        account: null,
        balance: null,
      }),
      conversation([]),
    ],
  },
  signedOutNew: {
    messages: [
      surroundings({
        connection: { state: 'signedOut', detail: 'Open the chat to begin.', isMember: false, isNew: true },
        account: null,
        balance: null,
        signInCredits: 100,
        guests: false,
      }),
      conversation([]),
    ],
  },
  suspended: {
    messages: [
      surroundings(
        member({ suspended: { since: ago(DAY), why: 'Access was resold through a relay', until: ago(-3 * DAY) } }),
      ),
      conversation([asked, answer(RETRY)]),
    ],
  },
  closing: {
    messages: [
      surroundings(member({ closing: { since: ago(DAY), goneAt: ago(-6 * DAY) } })),
      conversation([asked, answer(RETRY)]),
    ],
  },
  terms: {
    messages: [surroundings(member({ termsDue: '2' })), conversation([asked, answer(RETRY)])],
  },
  guestSignIn: {
    messages: [surroundings({ ...guest(7), signInCredits: 100, guests: true }), conversation([asked, answer(RETRY)])],
  },
  outOfCredits: {
    messages: [surroundings(guest(0)), conversation([asked, answer(RETRY, { chargedMicro: 1_000_000 })])],
  },
  notSentOffline: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.page.keyboard.type('And the timeout?');
      await view.page.keyboard.press('Enter');
      const { requestId } = await view.until('send');
      const detail = 'http://127.0.0.1:8787 cannot be reached: connection refused.';
      await view.tell(surroundings({ connection: { state: 'offline', detail } }), {
        type: 'notSent',
        requestId,
        problem: problem('unavailable', { status: 0, detail }),
      });
    },
  },
  lostConnection: {
    messages: (() => {
      const reply = running({ text: RETRY.slice(0, 110) });
      const end = {
        ...reply,
        state: 'interrupted',
        reason: 'interrupted',
        text: RETRY.slice(0, 60),
        chargedMicro: 0,
      } as const;
      const connection = {
        state: 'offline',
        detail: 'http://127.0.0.1:8787 does not answer (connection refused).',
      } as const;
      return [
        surroundings(),
        conversation([asked, reply]),
        changed([end]),
        changed([user('And now?'), running({ text: 'First of all' })]),
        surroundings({ connection }),
      ];
    })(),
  },
  retryAt: {
    messages: [
      surroundings(),
      conversation([
        asked,
        failed({ text: '', problem: problem('upstream_busy', { retryAt: ago(-40_000) }) }),
        user('And now?'),
        failed({ text: '', problem: problem('upstream_busy') }),
      ]),
    ],
  },
  nearlyOut: {
    messages: [surroundings(nearlyOut(412_000)), conversation([asked, answer('Yes.')], { draft: 'And the timeout?' })],
  },
  notEnough: {
    messages: [surroundings(nearlyOut(50_000)), conversation([asked, answer('Yes.')], { draft: 'And the timeout?' })],
  },
  modelPrices: {
    messages: [surroundings(pricedModels()), conversation([asked, answer(RETRY)])],
    act: async (view) => view.page.getByRole('button', { name: 'Model: kimi-k2' }).click(),
  },
  refusedTooLong: {
    messages: [surroundings({ chips }), conversation([asked, answer(RETRY)])],
    act: (view) =>
      refused(view, 'All of it', 'context_too_long', {
        limitTokens: 128_000,
        drop: [
          { what: 'Earlier messages', tokens: 91_000 },
          { what: 'src/orders.ts', tokens: 2400 },
        ],
      }),
  },
  refusedBusy: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: (view) => refused(view, 'And now this', 'conversation_busy', { runId: crypto.randomUUID() }),
  },
  refusedLimit: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: (view) =>
      refused(view, 'Again', 'rate_limited', { detail: '30 requests a minute are allowed.', retryAt: ago(-40_000) }),
  },
  notices: {
    messages: [
      surroundings(),
      conversation([asked, answer(RETRY)]),
      {
        type: 'notice',
        level: 'error',
        text: 'The conversation could not be renamed.',
        action: { label: 'Retry', command: 'reconnect' },
      },
      { type: 'notice', level: 'info', text: 'Exported to retry-with-backoff.md.' },
      changed([]),
    ],
  },
};
