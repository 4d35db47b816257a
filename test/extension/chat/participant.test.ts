import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { AskedHere } from '../../../extension/chat/participant/askedHere.ts';
import { Participant } from '../../../extension/chat/participant/participant.ts';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import type { RunRequest } from '../../../shared/runs.ts';
import { Client } from '../../support/client.ts';
import { perigee, sampleFile, until } from '../window.ts';
import { Memory } from './chatScene.ts';

interface Billed {
  body: { messages: { role: string; content: string }[] };
}

async function bill(): Promise<Billed[]> {
  const answer = await fetch(`${process.env.PERIGEE_UPSTREAM}/control/bill`);
  return ((await answer.json()) as { bill: Billed[] }).bill;
}

/** What the last request to the model service said, without the system's part. */
const lastSent = async () => (await bill()).at(-1)!.body.messages.slice(1);

/** Asks in VS Code's own chat, as its user does. Resolves to the result of the participant. */
function ask(query: string, attachFiles: vscode.Uri[] = []): Thenable<vscode.ChatResult> {
  const options = { query: `@perigee ${query}`, blockOnResponse: true, mode: 'ask', attachFiles };
  return vscode.commands.executeCommand('workbench.action.chat.open', options);
}

describe('@perigee in VS Code’s own chat', () => {
  const chat = () => vscode.workspace.getConfiguration('chat');
  before(async () => {
    const { session } = await perigee();
    await session.credential();
    await until(session.onDidChange, () => session.account !== null);
    // The browser edition has no chat unless it is asked for.
    await chat().update('disableAIFeatures', false, vscode.ConfigurationTarget.Global);
    while ((await vscode.lm.selectChatModels({ vendor: 'perigee' })).length === 0);
    // The chat learns of the models a moment later than extensions do.
    while ((await ask('Are you there?')).errorDetails?.message === 'Language model unavailable');
    await vscode.commands.executeCommand('workbench.action.chat.newChat');
  });
  after(async () => {
    await chat().update('disableAIFeatures', undefined, vscode.ConfigurationTarget.Global);
  });

  it('answers by the account in a conversation of its own, which Perigee’s chat opens', async () => {
    const { metadata, errorDetails } = await ask('Are you real?');
    assert.equal(errorDetails, undefined);
    assert.deepEqual(
      (await lastSent()).map(({ content }) => content),
      ['Are you real?'],
    );
    await ask('Are you sure?');
    assert.deepEqual(
      (await lastSent()).map(({ role, content }) => [role, content]),
      [
        ['user', 'Are you real?'],
        ['assistant', 'Hello. This is an answer of the double.'],
        ['user', 'Are you sure?'],
      ],
    );
    await vscode.commands.executeCommand('perigee.openConversation', metadata?.conversationId);
    const controller = await (await perigee()).chat();
    assert.equal(controller.open.id, metadata?.conversationId);
  });

  it('keeps what was asked in Perigee’s chat in between, and goes on behind it', async () => {
    const { metadata } = await ask('What is first?');
    const { conversationId } = metadata as { conversationId: string };
    const { session } = await perigee();
    const { token } = await session.credential();
    const url = vscode.workspace.getConfiguration('perigee').get<string>('serverUrl', '');
    const perigeesChat = new Client(url, token!, session.account!.id, 'the test');
    const asked = async () => (await perigeesChat.conversation(conversationId)).body.messages.map(({ text }) => text);
    for (const n of [1, 2, 3, 4, 5]) await perigeesChat.run(perigeesChat.chat(`Question ${n}`, { conversationId }));
    const before = await asked();
    assert.equal(before.filter((text) => /^Question \d$/.test(text)).length, 5);
    await ask('What is last?');
    assert.deepEqual(await asked(), [...before, 'What is last?', 'Hello. This is an answer of the double.']);
    assert.deepEqual(
      (await lastSent()).map(({ content }) => content),
      [...before, 'What is last?'],
    );
  });

  it('goes on in the same conversation behind a question that never started', async () => {
    const { metadata } = await ask('What is before?');
    const { session } = await perigee();
    const call = session.call.bind(session);
    session.call = () => Promise.reject(new Error('busy'));
    const failed = await Promise.resolve(ask('What fails?')).finally(() => {
      session.call = call;
    });
    assert.deepEqual([failed.errorDetails !== undefined, failed.metadata], [true, undefined]);
    const next = await ask('What is after?');
    assert.equal(next.metadata?.conversationId, metadata?.conversationId);
    assert.deepEqual((await lastSent()).flatMap(({ role, content }) => (role === 'user' ? [content] : [])).slice(-2), [
      'What is before?',
      'What is after?',
    ]);
  });

  it('sends the files that the question refers to, but none that may hold secrets', async () => {
    const secret = sampleFile('.env');
    await vscode.workspace.fs.writeFile(secret, new TextEncoder().encode('TOKEN=never-to-be-sent'));
    try {
      await ask('What is in these?', [sampleFile('src/totals.py'), secret]);
      const { content } = (await lastSent()).at(-1)!;
      assert.match(content, /^What is in these\?\n\nAttached file: src\/totals\.py\n/);
      assert.doesNotMatch(content, /never-to-be-sent|\.env/);
    } finally {
      await vscode.workspace.fs.delete(secret);
    }
  });

  it('says in words that the model service failed', async () => {
    const scripts = [{ status: 400, body: { error: { message: 'no', type: 'x', code: 'x' } } }];
    await fetch(`${process.env.PERIGEE_UPSTREAM}/control`, { method: 'POST', body: JSON.stringify({ scripts }) });
    const { errorDetails, metadata } = await ask('Fail, please');
    assert.match(errorDetails?.message ?? '', /^The model service refused the request\. .* Not charged\.$/);
    assert.ok(metadata?.conversationId);
  });
});

describe('a question to @perigee', () => {
  const RESULT = { conversationId: crypto.randomUUID(), messageId: 'an-answer' };
  /** Asks with a history, of a server that knows `messages` and starts no run. Those of `own` runs were asked here. */
  async function asked(
    history: vscode.ChatResult[],
    messages: { id: string; runId?: string }[],
    refusal: BackendError,
    own: string[] = [],
  ) {
    const memory = new Memory();
    for (const id of own) new AskedHere(memory).add(id);
    const requests: RunRequest[] = [];
    const shown: { title?: string; command?: string }[] = [];
    const deps = {
      session: { account: null, call: (use: (who: null) => unknown) => use(null) },
      backend: {
        conversation: async () => {
          if (messages.length === 0) throw new BackendError('refused', localProblem('No', 'no', 'not_found'));
          return { messages };
        },
        startRun: async (_: null, request: RunRequest) => {
          requests.push(request);
          throw refusal;
        },
      },
      instructions: { take: async () => [] },
      askedHere: new AskedHere(memory),
    };
    const turns = history.map((result) => Object.assign(Object.create(vscode.ChatResponseTurn.prototype), { result }));
    const result = await new Participant(deps as never).answer(
      { prompt: 'And now?', references: [], model: { vendor: 'copilot', id: 'x' } } as never,
      { history: turns } as never,
      { button: (button: vscode.Command) => shown.push(button) } as never,
      new vscode.CancellationTokenSource().token,
    );
    return { request: requests[0], shown, result };
  }
  const signedOut = new BackendError('refused', localProblem('Not signed in', 'Sign in.', 'unauthorized'));

  const first = [
    { id: 'a-question', runId: 'first' },
    { id: 'an-answer', runId: 'first' },
  ];
  const later = [
    { id: 'later', runId: 'second' },
    { id: 'latest', runId: 'second' },
  ];
  const elsewhere = { id: 'elsewhere', runId: 'of another chat' };
  const CASES: [title: string, messages: { id: string; runId?: string }[], goesOn: boolean, replaces?: string][] = [
    ['goes on behind the last answer', first, true],
    ['supersedes what VS Code’s chat no longer shows', [...first, ...later], true, 'later'],
    ['supersedes nothing that was asked elsewhere', [...first, elsewhere], true],
    ['supersedes nothing that was followed by a question asked elsewhere', [...first, ...later, elsewhere], true],
    ['supersedes nothing that a question asked elsewhere came before', [...first, elsewhere, ...later], true],
    ['supersedes nothing of which the server does not tell the run', [...first, { id: 'nobody’s' }], true],
    ['begins another conversation once that one is deleted', [], false],
    ['begins another conversation if that one has not the answer', [elsewhere], false],
  ];
  for (const [title, messages, goesOn, replaces] of CASES)
    it(title, async () => {
      const { request } = await asked([{ metadata: RESULT }], messages, signedOut, ['first', 'second']);
      assert.equal(request?.conversationId === RESULT.conversationId, goesOn);
      assert.equal(request?.replaces, replaces);
      assert.equal(request?.model, undefined, 'the model of another vendor');
    });

  it('goes on behind the last answer that started, and supersedes nothing, after one that left no trace', async () => {
    const history = [{ metadata: RESULT }, {}, { errorDetails: { message: 'Not signed in.' } }];
    const { request } = await asked(history, [...first, ...later], signedOut, ['first', 'second']);
    assert.deepEqual([request?.conversationId, request?.replaces], [RESULT.conversationId, undefined]);
  });

  it('supersedes nothing of the runs that it forgot: it remembers the newest 200', async () => {
    const runs = Array.from({ length: 200 }, (_, n) => `run ${n}`);
    const replaced = async (own: string[]) =>
      (await asked([{ metadata: RESULT }], [...first, ...later], signedOut, own)).request?.replaces;
    assert.equal(await replaced(['second', ...runs.slice(1)]), 'later');
    assert.equal(await replaced(['second', ...runs]), undefined);
  });

  it('keeps the place of an answer that can’t be read on, and once stopped waits only a moment for its end', async () => {
    const lost = BackendError.offline('No way there.');
    const run = { id: 'a-run', conversationId: RESULT.conversationId, messageId: 'begun' };
    for (const isStopped of [false, true]) {
      const stopping = new vscode.CancellationTokenSource();
      const deps = {
        session: {
          ...{ account: null, credential: async () => null, failed: async () => {} },
          call: (use: (who: null) => unknown) => use(null),
        },
        backend: {
          startRun: async () => ({ run }),
          stopRun: () => Promise.reject(lost),
          // As without a network: asks again until nobody waits.
          async *runEvents(_: null, __: string, ___: number, signal: AbortSignal) {
            yield { type: 'text', data: { text: 'Well', at: 0 } };
            if (!isStopped) throw lost;
            stopping.cancel();
            await new Promise((_, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason));
            });
          },
        },
        instructions: { take: async () => [] },
        askedHere: new AskedHere(new Memory()),
      };
      const result = await new Participant(deps as never, 0).answer(
        { prompt: 'And now?', references: [] } as never,
        { history: [] } as never,
        { markdown() {}, button() {} } as never,
        stopping.token,
      );
      assert.deepEqual(result.metadata, { conversationId: run.conversationId, messageId: run.messageId });
      assert.equal(result.errorDetails !== undefined, !isStopped);
    }
  });

  it('is refused in words with the way on while nobody is signed in', async () => {
    const { result, shown } = await asked([], [], signedOut);
    assert.equal(result.errorDetails?.message, 'Not signed in. Sign in.');
    assert.deepEqual(shown, [{ command: 'perigee.signIn', title: 'Sign in' }]);
  });
});
