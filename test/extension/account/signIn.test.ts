import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { ServerClock, SigningKey } from '../../../extension/account/session/signingKey.ts';
import { pollDevice } from '../../../extension/account/signIn/deviceSignIn.ts';
import { SignIn, type SignInDeps } from '../../../extension/account/signIn/signIn.ts';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import type { DeviceAnswer, TokenAnswer } from '../../../shared/auth.ts';

const device: DeviceAnswer = {
  device_code: 'code',
  user_code: 'ABCD-EFGH',
  verification_uri: 'http://127.0.0.1/device',
  verification_uri_complete: 'http://127.0.0.1/device?code=ABCD-EFGH',
  expires_in: 900,
  interval: 5,
};
const refused = (code: 'slow_down' | 'authorization_pending' | 'expired_token' | 'access_denied') =>
  new BackendError('refused', { ...localProblem('The sign-in has expired', 'Begin anew.', code), status: 400 });

describe('a sign-in by a code', () => {
  /** Asks with one answer after the other; how long it waited before each, in ms. */
  async function poll(answers: (BackendError | TokenAnswer)[]): Promise<number[]> {
    const waits: number[] = [];
    const exchange = async () => {
      const next = answers.shift()!;
      if (next instanceof BackendError) throw next;
      return next;
    };
    await pollDevice(device, exchange, new AbortController().signal, async (ms) => void waits.push(ms));
    return waits;
  }

  it('asks more slowly from then on when it is told to, and goes on over a lost connection', async () => {
    const offline = BackendError.offline('nobody');
    const pending = refused('authorization_pending');
    const waits = await poll([
      pending,
      refused('slow_down'),
      pending,
      offline,
      refused('slow_down'),
      {} as TokenAnswer,
    ]);
    assert.deepEqual(waits, [5_000, 5_000, 10_000, 10_000, 10_000, 15_000]);
  });

  for (const code of ['expired_token', 'access_denied'] as const)
    it(`that ends with ${code} says so, and offers another code`, async () => {
      const failure = refused(code);
      const told: { text: string; ways: string[] }[] = [];
      const window = vscode.window as { showErrorMessage: unknown };
      const { showErrorMessage } = window;
      window.showErrorMessage = async (text: string, ...ways: string[]) => void told.push({ text, ways });
      const signIn = new SignIn({
        session: {
          account: null,
          signIn: async () => {
            throw failure;
          },
        },
        backend: { startDevice: async () => ({ ...device, interval: 0 }) },
        offers: { load: async () => ({ providers: [], email: true, local: false, guests: false }) },
        installKey: { get: async () => SigningKey.import(await SigningKey.make()) },
        clock: new ServerClock(),
        serverUrl: () => ({ url: 'http://127.0.0.1' }),
        names: { device_name: 'a test', tool: 'a test' },
        log: { warn() {} },
      } as unknown as SignInDeps);
      try {
        await signIn.useCode();
      } finally {
        window.showErrorMessage = showErrorMessage;
        signIn.dispose();
      }
      assert.deepEqual(told, [{ text: 'The sign-in has expired. Begin anew.', ways: ['Try Again', 'Use a Code'] }]);
    });
});
