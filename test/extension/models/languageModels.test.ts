import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Session } from '../../../extension/account/session/session.ts';
import type { Backend } from '../../../extension/backend.ts';
import { registerParticipant } from '../../../extension/chat/participant/register.ts';
import { LanguageModels } from '../../../extension/models/languageModels.ts';
import { ModelsInEditor } from '../../../extension/models/register.ts';
import { whereThere } from '../../../extension/platform/whereThere.ts';
import type { LogEntry } from '../../../shared/credits.ts';
import { Client } from '../../support/client.ts';
import { perigee, until } from '../window.ts';

interface Billed {
  body: { messages: Record<string, unknown>[]; tools?: { function: { name: string } }[]; tool_choice?: string };
  state: string;
  inputTokens: number;
  outputTokens: number;
}

const settings = () => vscode.workspace.getConfiguration('perigee.languageModels');
const set = (name: string, value: unknown) => settings().update(name, value, vscode.ConfigurationTarget.Global);
const ask = (text: string) => [vscode.LanguageModelChatMessage.User(text)];

async function bill(): Promise<Billed[]> {
  const answer = await fetch(`${process.env.PERIGEE_UPSTREAM}/control/bill`);
  return ((await answer.json()) as { bill: Billed[] }).bill;
}

async function script(...scripts: Record<string, unknown>[]): Promise<void> {
  await fetch(`${process.env.PERIGEE_UPSTREAM}/control`, { method: 'POST', body: JSON.stringify({ scripts }) });
}

/** The window's account, seen from outside. */
async function account(): Promise<Client> {
  const { session } = await perigee();
  const { token } = await session.credential();
  await until(session.onDidChange, () => session.account !== null);
  const url = vscode.workspace.getConfiguration('perigee').get<string>('serverUrl', '');
  return new Client(url, token!, session.account!.id, 'the test');
}

/** The lines of the token log about calls for extensions, newest first. */
async function logged(): Promise<LogEntry[]> {
  const { body } = await (await account()).request<{ entries: LogEntry[] }>('GET', '/api/credits/log?limit=50');
  return body.entries.filter(({ tool }) => tool?.startsWith('VS Code'));
}

/** Resolves to the model that other extensions are offered. */
async function offered(): Promise<vscode.LanguageModelChat> {
  for (;;) {
    const [model] = await vscode.lm.selectChatModels({ vendor: 'perigee' });
    if (model) return model;
    await new Promise<void>((resolve) => {
      const listening = vscode.lm.onDidChangeChatModels(() => {
        listening.dispose();
        resolve();
      });
    });
  }
}

async function partsOf(response: vscode.LanguageModelChatResponse): Promise<unknown[]> {
  const parts: unknown[] = [];
  for await (const part of response.stream) parts.push(part);
  return parts;
}

/** The error that a request ends with, at once or in the middle of its answer. */
async function refusal(request: () => Thenable<vscode.LanguageModelChatResponse>): Promise<vscode.LanguageModelError> {
  try {
    await partsOf(await request());
  } catch (error) {
    assert.ok(error instanceof vscode.LanguageModelError, String(error));
    return error;
  }
  throw new Error('it was answered');
}

/** What the user is told in `body`, and what `body` resolves to. The user presses `choice` where it is there. */
async function toldIn<T>(body: () => Promise<T>, choice?: string) {
  const told: { text: string; ways: string[] }[] = [];
  const window = vscode.window as { showWarningMessage: unknown; showInformationMessage: unknown };
  const { showWarningMessage, showInformationMessage } = window;
  const tell = async (text: string, ...ways: (string | { title?: string })[]) => {
    const titles = ways.flatMap((way) => (typeof way === 'string' ? way : (way.title ?? [])));
    told.push({ text, ways: titles });
    return titles.find((title) => title === choice);
  };
  Object.assign(window, { showWarningMessage: tell, showInformationMessage: tell });
  try {
    return { answers: await body(), told };
  } finally {
    Object.assign(window, { showWarningMessage, showInformationMessage });
  }
}

describe('the account’s models in VS Code', () => {
  before(async () => {
    await account();
  });
  after(async () => {
    await set('enabled', undefined);
    await set('creditsPerDay', undefined);
  });

  it('are listed, but answer nobody until the user allows it; the first request asks for that, once', async () => {
    const model = await offered();
    assert.deepEqual([model.vendor, model.id, model.family], ['perigee', 'double', 'double']);
    assert.ok(model.maxInputTokens > 1_000);
    assert.equal(await model.countTokens('Hello, world! Who is there?'), 8);
    const calls = (await bill()).length;
    const { told, answers } = await toldIn(
      async () => [
        await refusal(() => model.sendRequest(ask('May I?'))),
        await refusal(() => model.sendRequest(ask('Now?'))),
      ],
      'Allow',
    );
    for (const error of answers) {
      assert.equal(error.code, vscode.LanguageModelError.NoPermissions.name);
      assert.match(error.message, /turned off for other extensions.*languageModels.enabled. Nothing was sent/);
    }
    assert.deepEqual(
      told.map(({ ways }) => ways),
      [['Allow', 'Settings']],
    );
    assert.match(told[0]!.text, /^May the extension perigee.perigee use .* up to 100 credits a day together/);
    assert.equal((await bill()).length, calls);
    while (settings().get('enabled') !== true) await new Promise((resolve) => setTimeout(resolve));
  });

  it('answer with two tool calls, take their results with a picture, and are charged by name', async () => {
    const model = await offered();
    const [before, from] = [(await logged()).length, (await bill()).length];
    const weather = (id: string, city: string) => ({
      id,
      name: 'weather',
      arguments: [`{"city":`, `"${city}"}`],
    });
    await script({ text: 'Let me look.', tools: [weather('w:0', 'Oslo'), weather('w:1', 'Rome')] }, { text: 'Snow.' });
    const tools: vscode.LanguageModelChatTool[] = [
      { name: 'weather', description: 'of a city', inputSchema: { type: 'object', properties: { city: {} } } },
    ];
    const toolMode = vscode.LanguageModelChatToolMode.Required;
    const parts = await partsOf(await model.sendRequest(ask('Where is snow?'), { tools, toolMode }));
    const calls = parts.filter((part) => part instanceof vscode.LanguageModelToolCallPart);
    const text = parts.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
    assert.equal(text, 'Let me look.');
    assert.deepEqual(
      calls.map(({ callId, name, input }) => [callId, name, input]),
      [
        ['w:0', 'weather', { city: 'Oslo' }],
        ['w:1', 'weather', { city: 'Rome' }],
      ],
    );

    const { LanguageModelDataPart: Data } = vscode as unknown as {
      LanguageModelDataPart: { image(data: Uint8Array, type: string): vscode.LanguageModelTextPart };
    };
    const messages = [
      ...ask('Where is snow?'),
      vscode.LanguageModelChatMessage.Assistant([new vscode.LanguageModelTextPart(text), ...calls]),
      vscode.LanguageModelChatMessage.User([
        new vscode.LanguageModelToolResultPart('w:1', [new vscode.LanguageModelTextPart('none')]),
        new vscode.LanguageModelToolResultPart('w:0', [Data.image(new Uint8Array([1, 2, 3]), 'image/png')]),
      ]),
    ];
    const answer = await partsOf(await model.sendRequest(messages, { tools }));
    assert.deepEqual(answer.map((part) => (part as vscode.LanguageModelTextPart).value).join(''), 'Snow.');

    const [first, second] = (await bill()).slice(from);
    assert.equal(first?.body.tool_choice, 'required');
    assert.deepEqual(
      first?.body.tools?.map((tool) => tool.function.name),
      ['weather'],
    );
    const roles = second?.body.messages.map(({ role, tool_call_id: of, content }) => [
      role,
      of,
      Array.isArray(content),
    ]);
    assert.deepEqual(roles?.slice(-5), [
      ['user', undefined, false],
      ['assistant', undefined, false],
      ['tool', 'w:1', false],
      ['tool', 'w:0', false],
      ['user', undefined, true],
    ]);
    assert.match(JSON.stringify(second?.body.messages.at(-1)), /data:image\/png;base64,AQID/);

    const lines = (await logged()).slice(0, -before || undefined);
    assert.deepEqual(
      lines.map(({ tool, kind, amountMicro, key }) => [tool, kind, amountMicro, key]),
      [
        ['VS Code: perigee.perigee', 'charge', -1_000_000, undefined],
        ['VS Code: perigee.perigee', 'charge', -1_000_000, undefined],
      ],
    );
    const usages = lines.map(({ usage }) => [usage?.inputTokens, usage?.outputTokens]);
    assert.deepEqual(
      usages,
      [second, first].map((one) => [one?.inputTokens, one?.outputTokens]),
      'the books of the model service and of the account are equal',
    );
  });

  it('pass on the model’s thoughts where the editor has a part for them, and send them back', async () => {
    const { LanguageModelThinkingPart: Thinking } = vscode as unknown as {
      LanguageModelThinkingPart: new (value: string) => { value: string } & vscode.LanguageModelTextPart;
    };
    const model = await offered();
    await script({ thoughts: ['Hm, ', 'well.'], text: 'Yes.' });
    const parts = await partsOf(await model.sendRequest(ask('Is it?')));
    const thoughts = parts.flatMap((part) => (part instanceof Thinking ? [part.value] : [])).join('');
    assert.equal(thoughts, 'Hm, well.');
    const before = vscode.LanguageModelChatMessage.Assistant([
      new Thinking(thoughts),
      new vscode.LanguageModelTextPart('Yes.'),
    ]);
    await partsOf(await model.sendRequest([...ask('Is it?'), before, ...ask('Sure?')]));
    const sent = (await bill()).at(-1)?.body.messages.find(({ role }) => role === 'assistant');
    assert.deepEqual(sent, { role: 'assistant', content: 'Yes.', reasoning_content: 'Hm, well.' });
  });

  const useless: [what: string, script: Record<string, unknown>, said: RegExp][] = [
    [
      'a tool call whose arguments are no object',
      { tools: [{ id: 'a', name: 'do', arguments: ['{"a":'] }] },
      /tool "do".*not valid/,
    ],
    [
      'a tool call that the longest answer cut off',
      { tools: [{ id: 'a', name: 'do', arguments: ['{"a":'] }], finish: 'length' },
      /longest answer/,
    ],
    ['an answer that breaks off', { pieces: ['It ', 'was '], end: 'destroy' }, /Not charged|failed/i],
    ['a refusal by the model', { pieces: ['I ', 'can’t.'], finish: 'content_filter' }, /refused/],
  ];
  for (const [what, answer, said] of useless)
    it(`end ${what} in an error, and hand on no half of a call`, async () => {
      const model = await offered();
      await script(answer);
      const parts: unknown[] = [];
      const error = await (async () => {
        for await (const part of (await model.sendRequest(ask('Go on'), { tools: [{ name: 'do', description: '' }] }))
          .stream)
          parts.push(part);
      })().catch((error) => error as vscode.LanguageModelError);
      assert.match(error?.message ?? 'answered', said);
      assert.ok(!parts.some((part) => part instanceof vscode.LanguageModelToolCallPart));
    });

  it('stop at the model service when the extension cancels', async () => {
    const model = await offered();
    await script({ pieces: ['One ', 'two ', 'three '], gateAt: 1 });
    const cancel = new vscode.CancellationTokenSource();
    const response = await model.sendRequest(ask('Count'), {}, cancel.token);
    const ended = (async () => {
      for await (const _ of response.stream) cancel.cancel();
    })();
    await assert.rejects(ended);
    while ((await bill()).at(-1)?.state === 'open') await new Promise((resolve) => setTimeout(resolve));
    assert.equal((await bill()).at(-1)?.state, 'aborted');
    await script();
    await fetch(`${process.env.PERIGEE_UPSTREAM}/control`, { method: 'POST', body: JSON.stringify({ open: true }) });
  });

  it('refuse a million tokens in a loop without sending or charging anything', async () => {
    const model = await offered();
    const [calls, lines] = [(await bill()).length, (await logged()).length];
    const text = 'word and then another '.repeat(250_000);
    for (let i = 0; i < 5; i++) {
      const { message } = await refusal(() => model.sendRequest(ask(text)));
      assert.match(message, /about \d+ tokens, and double reads 18000 at most. Nothing was sent or charged/);
    }
    assert.deepEqual([(await bill()).length, (await logged()).length], [calls, lines]);
  });

  it('are refused at the cap of the day, once told to the user with a way to change it', async () => {
    const model = await offered();
    const spent = (await logged()).reduce((sum, { amountMicro }) => sum - amountMicro, 0);
    const calls = (await bill()).length;
    await set('creditsPerDay', spent / 1_000_000 + 1);
    await partsOf(await model.sendRequest(ask('The last one')));
    const { told, answers } = await toldIn(async () => {
      const refusals: vscode.LanguageModelError[] = [];
      for (let i = 0; i < 5; i++) refusals.push(await refusal(() => model.sendRequest(ask('One more'))));
      return refusals;
    });
    for (const { code, message } of answers) {
      assert.equal(code, vscode.LanguageModelError.Blocked.name);
      assert.match(message, /may spend \d+ credits a day.*They have 0 credits left until .*Nothing was charged/);
    }
    assert.equal(told.length, 1, JSON.stringify(told));
    assert.match(told[0]!.text, /^Perigee: Other extensions have spent what they may today\. /);
    assert.deepEqual(told[0]!.ways, ['Change the Cap', 'Details']);
    assert.equal((await bill()).length, calls + 1);
    // The user's own questions go on.
    const me = await account();
    const ended = await me.run(me.chat('My own question'));
    assert.equal(ended.at(-1)?.type, 'done');
    await set('creditsPerDay', undefined);
  });

  it('answer nobody once they are turned off', async () => {
    const model = await offered();
    const calls = (await bill()).length;
    await set('enabled', false);
    const { answers } = await toldIn(() => refusal(() => model.sendRequest(ask('Are you there?'))));
    assert.equal(answers.code, vscode.LanguageModelError.NoPermissions.name);
    assert.equal((await bill()).length, calls);
  });

  it('are none, and no guest is made, while nobody is signed in; a request is refused with the way to sign in', async () => {
    const session = {
      account: null,
      call: async () => assert.fail('the server was asked'),
    } as unknown as Session;
    const models = new LanguageModels(session, {} as Backend, { info() {}, warn() {}, error() {} });
    await set('enabled', true);
    const { told } = await toldIn(async () => {
      assert.deepEqual(await models.list(true), []);
      assert.deepEqual(await models.list(false), []);
      const info = { id: 'double', name: 'double', maxInputTokens: 9_000, maxOutputTokens: 1 } as never;
      const { token } = new vscode.CancellationTokenSource();
      const answer = models.answer(info, [], { toolMode: 1 }, { report() {} }, token);
      await assert.rejects(answer, { code: 'NoPermissions', message: /^Not signed in\. Sign in to Perigee/ });
    });
    assert.deepEqual(
      told.map(({ ways }) => ways),
      [['Sign In', 'Continue as a Guest'], ['Sign In']],
    );
  });

  it('are none by a server too old to hold others to a cap', async () => {
    const model = { id: 'm', name: 'M', contextTokens: 9, maxOutputTokens: 1, price: { mode: 'flat', runMicro: 1 } };
    const answer = { models: [{ ...model, isDefault: true, isDemo: false }] };
    const session = { account: { id: 'me' }, call: (use: (who: null) => unknown) => use(null) } as unknown as Session;
    const logged: string[] = [];
    const log = { info() {}, error() {}, warn: (text: string) => void logged.push(text) };
    const listed = (more: object) => {
      const backend = { models: async () => ({ ...answer, ...more }) } as unknown as Backend;
      return new LanguageModels(session, backend, log).list(true);
    };
    assert.deepEqual(
      (await listed({ capsCalls: true })).map(({ id }) => id),
      ['m'],
    );
    assert.deepEqual(await listed({}), []);
    assert.match(logged.join(), /too old to cap/);
  });

  it('are counted as the server counts them, a picture by its type and not as a text', async () => {
    const models = new LanguageModels({} as Session, {} as Backend, { info() {}, warn() {}, error() {} });
    const tokens = (content: unknown[]) => models.count({ role: 1, name: undefined, content } as never);
    const picture = (bytes: number) => ({ mimeType: 'image/png', data: new Uint8Array(bytes) });
    assert.equal(await tokens([picture(1), new vscode.LanguageModelTextPart('Hello')]), 1_601);
    const { btoa } = globalThis;
    globalThis.btoa = () => assert.fail('a picture was encoded to be counted');
    try {
      assert.equal(await tokens([picture(5_000_000), picture(1)]), 3_200);
    } finally {
      globalThis.btoa = btoa;
    }
  });

  /** Registers both in an editor whose API has these in place of its own; resolves to what was logged. */
  function registeredWith(register: unknown): string[] {
    const [lm, chat] = [vscode.lm, vscode.chat] as unknown as Record<string, unknown>[];
    const { registerLanguageModelChatProvider } = lm!;
    const { createChatParticipant } = chat!;
    const never = async () => assert.fail('it was loaded');
    const session = { account: null, onDidChange: never, onDidConnect: never } as unknown as Session;
    const logged: string[] = [];
    const log = { info() {}, error() {}, warn: (text: string) => void logged.push(text) };
    Object.assign(lm!, { registerLanguageModelChatProvider: register });
    Object.assign(chat!, { createChatParticipant: register });
    try {
      assert.equal(vscode.lm.registerLanguageModelChatProvider, register);
      whereThere('models', log, () => new ModelsInEditor(session, never)).dispose();
      whereThere('@perigee', log, () => registerParticipant(vscode.Uri.file('/'), never)).dispose();
    } finally {
      Object.assign(lm!, { registerLanguageModelChatProvider });
      Object.assign(chat!, { createChatParticipant });
    }
    return logged;
  }

  it('are left aside, and so is @perigee, by an editor that has no such API', () =>
    assert.deepEqual(registeredWith(undefined), []));

  it('are left aside with a word in the log, and so is @perigee, by an editor that refuses such an API', () => {
    const refuse = () => {
      throw new Error('not for extensions');
    };
    assert.deepEqual(registeredWith(refuse), [
      'This editor refuses models: Error: not for extensions',
      'This editor refuses @perigee: Error: not for extensions',
    ]);
  });
});
