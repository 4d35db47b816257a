import assert from 'node:assert/strict';
import type { Session } from '../../extension/account/session/session.ts';
import type { Backend } from '../../extension/backend.ts';
import { requestFor } from '../../extension/edit/runs/answerRun.ts';
import { runsOf } from '../../extension/edit/runs/runs.ts';
import { ChosenModel } from '../../extension/platform/chosenModel.ts';
import { BackendError, localProblem } from '../../extension/platform/server/backendError.ts';
import type { ProblemCode } from '../../shared/problems.ts';
import type { RunRequest } from '../../shared/runs.ts';

const input = { instruction: 'Shorter', files: [{ path: 'a.ts', languageId: 'typescript', text: 'let a;' }] };
const refused = (code: ProblemCode) => new BackendError('refused', { ...localProblem('No', 'No.', code), status: 422 });

/** What the server's default is asked with. */
const NONE = [undefined, undefined];

describe('the model that edits ask', () => {
  let chosen: ChosenModel;
  let sent: RunRequest[];
  let fates: Error[];
  beforeEach(() => {
    const values = new Map<string, unknown>();
    chosen = new ChosenModel({
      get: (key: string, usual?: unknown) => values.get(key) ?? usual,
      update: async (key: string, value: unknown) => void values.set(key, value),
    } as never);
    sent = [];
    fates = [];
  });
  const open = () => {
    const startRun = async (_: unknown, request: RunRequest) => {
      sent.push(request);
      const fate = fates.shift();
      if (fate) throw fate;
    };
    const session = { call: (use: (token: string) => unknown) => use('token') } as unknown as Session;
    return runsOf(session, { startRun } as unknown as Backend, () => chosen.asked);
  };
  const asked = () => sent.map(({ model, effort }) => [model, effort]);

  it('is the chosen one with its effort, and the server’s default where nothing was chosen', async () => {
    const runs = open();
    await runs.start(requestFor(input));
    await chosen.choose('kimi-k3', 'max');
    await runs.start(requestFor(input));
    await chosen.choose('other');
    await runs.start(requestFor(input));
    await chosen.choose('kimi-k3');
    await runs.start(requestFor(input));
    await chosen.choose('kimi-k3', null);
    await runs.start(requestFor(input));
    assert.deepEqual(asked(), [
      [undefined, undefined],
      ['kimi-k3', 'max'],
      ['other', undefined],
      ['kimi-k3', 'max'],
      ['kimi-k3', undefined],
    ]);
  });

  it('stays the same when the request is sent again, whatever was chosen meanwhile', async () => {
    const runs = open();
    await chosen.choose('kimi-k3', 'low');
    const request = requestFor(input);
    fates = [new BackendError('offline', localProblem('Lost', 'Lost.'))];
    await assert.rejects(runs.start(request));
    await chosen.choose('kimi-k3', 'max');
    await runs.start(requestFor(input, request));
    assert.deepEqual(asked(), [
      ['kimi-k3', 'low'],
      ['kimi-k3', 'low'],
    ]);
  });

  it('is the server’s default where it does not have the chosen one, without the effort alone where only that is unknown, and no other refusal is tried again', async () => {
    const runs = open();
    await chosen.choose('kimi-k3', 'low');
    for (const codes of [['model_unknown'], ['effort_unknown'], ['effort_unknown', 'model_unknown']] as const) {
      fates = codes.map(refused);
      await runs.start(requestFor(input));
    }
    fates = [refused('model_unknown')];
    await runs.start(requestFor(input, undefined, { model: 'gone', effort: 'max' }));
    for (const code of ['insufficient_credits', 'model_unknown'] as const) {
      fates = [refused('model_unknown'), refused(code)];
      await assert.rejects(runs.start(requestFor(input)));
    }
    assert.deepEqual(asked(), [
      ...[['kimi-k3', 'low'], NONE],
      ...[
        ['kimi-k3', 'low'],
        ['kimi-k3', undefined],
      ],
      ...[['kimi-k3', 'low'], ['kimi-k3', undefined], NONE],
      ...[['gone', 'max'], NONE],
      ...[['kimi-k3', 'low'], NONE],
      ...[['kimi-k3', 'low'], NONE],
    ]);
  });
});
