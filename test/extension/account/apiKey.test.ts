import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { createKey } from '../../../extension/account/apiKey.ts';
import type { AccountPageDeps } from '../../../extension/account/page.ts';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import type { NewKeyAnswer } from '../../../shared/keys.ts';

const SECRET = `pgk_${'a1B2'.repeat(12)}x`;
const BASE_URL = 'https://ai.example.org/v1';

/** What is typed and clicked, one after the other; undefined closes. And what the editor was asked to show. */
async function make(
  kind: 'member' | 'guest' | null,
  {
    typed = [] as (string | undefined)[],
    clicks = [] as (string | undefined)[],
    refuse = undefined as BackendError | undefined,
  },
) {
  const asked: string[] = [];
  const told: { text: string; detail?: string; ways: string[] }[] = [];
  const copied: string[] = [];
  const ran: unknown[][] = [];
  const say = async (text: string, ...rest: unknown[]) => {
    const options = rest.filter((one) => typeof one === 'object') as { detail?: string }[];
    told.push({ text, detail: options[0]?.detail, ways: rest.filter((one) => typeof one === 'string') as string[] });
    return clicks.shift();
  };
  const type = async () => {
    asked.push('name');
    return typed.shift();
  };
  const backend = {
    createKey: async (_: unknown, { name }: { name: string }) => {
      if (refuse) throw refuse;
      return { key: { name }, secret: SECRET, baseUrl: BASE_URL } as NewKeyAnswer;
    },
  };
  const session = { account: kind && { kind }, call: (use: (who: unknown) => unknown) => use({}) };
  const places: [object, string, unknown][] = [
    [vscode.window, 'showInputBox', type],
    ...['showInformationMessage', 'showWarningMessage', 'showErrorMessage'].map(
      (name) => [vscode.window, name, say] as [object, string, unknown],
    ),
    [vscode.env, 'clipboard', { writeText: async (text: string) => void copied.push(text), readText: async () => '' }],
    [vscode.commands, 'executeCommand', async (...args: unknown[]) => void ran.push(args)],
  ];
  const before = places.map(([place, name]) => (place as Record<string, unknown>)[name]);
  const put = (place: object, name: string, value: unknown) =>
    Object.defineProperty(place, name, { value, configurable: true, writable: true });
  for (const [place, name, value] of places) put(place, name, value);
  try {
    await createKey({ session, backend } as unknown as AccountPageDeps);
  } finally {
    for (const [i, [place, name]] of places.entries()) put(place, name, before[i]);
  }
  return { asked, told, copied, ran };
}

describe('an API key made in the editor', () => {
  it('is shown once with the base URL, copied by a click, and said nowhere else', async () => {
    const { told, copied } = await make('member', { typed: [' OpenCode '], clicks: ['Copy Key', 'Copy Base URL'] });
    assert.deepEqual(
      told.map(({ text, ways }) => [text, ways]),
      [
        ['API key "OpenCode"', ['Copy Key']],
        [`The API key is on the clipboard. The base URL for your tool is ${BASE_URL}.`, ['Copy Base URL']],
      ],
    );
    assert.ok(told[0]!.detail!.includes(SECRET) && told[0]!.detail!.includes(BASE_URL));
    assert.deepEqual(copied, [SECRET, BASE_URL]);
  });

  it('that was not copied can be shown again, or be revoked on the page', async () => {
    const again = await make('member', { typed: ['x'], clicks: [undefined, 'Show Again', 'Copy Key'] });
    assert.deepEqual(again.copied, [SECRET]);
    const left = await make('member', { typed: ['x'], clicks: [undefined, 'Open Account Page'] });
    assert.match(left.told[1]!.text, /was not copied/);
    assert.deepEqual([left.copied, left.ran], [[], [['perigee.openAccount', 'keys']]]);
  });

  it('needs a name: an empty one is asked for again, and none makes none', async () => {
    const { asked, told } = await make('member', { typed: ['', '  ', undefined] });
    assert.deepEqual([asked.length, told], [3, []]);
  });

  for (const kind of ['guest', null] as const)
    it(`is refused ${kind === null ? 'to nobody' : 'to a guest'}, with the sign-in as the way on`, async () => {
      const { asked, told, ran } = await make(kind, { clicks: ['Sign In'] });
      assert.deepEqual(told, [
        { text: 'API keys are for members. Sign in first.', detail: undefined, ways: ['Sign In'] },
      ]);
      assert.deepEqual([asked, ran], [[], [['perigee.signIn']]]);
    });

  it('that the server refuses says why, and can be tried again', async () => {
    const problem = { ...localProblem('No more API keys', 'Revoke one.', 'too_many_keys'), status: 409 };
    const { told, ran } = await make('member', {
      typed: ['x'],
      clicks: ['Try Again'],
      refuse: new BackendError('refused', problem),
    });
    assert.deepEqual(told, [{ text: 'No more API keys. Revoke one.', detail: undefined, ways: ['Try Again'] }]);
    assert.deepEqual(ran, [['perigee.createKey']]);
  });
});
