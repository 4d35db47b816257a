import assert from 'node:assert/strict';
import { tellCommitEnding } from '../../../extension/edit/actions/commitEnding.ts';
import { tellPlace } from '../../../extension/edit/files/places.ts';
import { INTERRUPTED } from '../../../extension/edit/runs/answerRun.ts';
import { type Ending, tellCharge, tellEnding } from '../../../extension/edit/words/messages.ts';
import { type FreeReason, REASONS } from '../../../shared/constants.ts';
import type { Problem, ProblemCode } from '../../../shared/problems.ts';

const where = 'lines 2–5 of client.ts';

function check(ending: Ending, text: string, buttons: string[]) {
  const message = tellEnding(ending, where, false);
  assert.equal(message.text, text);
  assert.deepEqual(message.buttons, buttons);
}

function problem(code: ProblemCode, title: string, detail: string): Problem {
  return { type: 'about:blank', title, status: 500, detail, code, requestId: 'r' };
}

describe('what is told at the end of an edit', () => {
  it('is the price, where all is there for review', () => {
    const charge = { chargedMicro: 420_000 };
    check({ kind: 'review', hunks: 2, cutShort: false, ...charge }, 'Perigee: charged 0.42 credits', []);
    check({ kind: 'review', hunks: 1, cutShort: false }, '', []);
  });
  it('says when an answer was cut short', () => {
    const text = `The answer for ${where} ended in the middle. Review the part that came. Charged 1 credit.`;
    check({ kind: 'review', hunks: 1, cutShort: true, chargedMicro: 1_000_000 }, text, []);
  });
  it('says that an answer about files ended at its length limit, and offers another try', () => {
    const limit = 'The answer ended at its length limit; more changes may be missing.';
    const charge = { chargedMicro: 1_000_000, mayMiss: true };
    const refusal = { reason: 'notFound' as const, message: 'Line 3 was changed.', lookedFor: [] };
    const missed = [{ path: 'client.ts', refusal }];
    check({ kind: 'review', hunks: 1, cutShort: false, ...charge }, `${limit} Charged 1 credit.`, ['Retry']);
    check({ kind: 'handedOver', files: 2, ...charge }, `${limit} Charged 1 credit.`, ['Retry']);
    for (const ending of [
      { kind: 'review', hunks: 1, cutShort: false, missed, ...charge },
      { kind: 'unplaced', missed, of: 1, left: 0, ...charge },
      { kind: 'noChange', ...charge },
      { kind: 'words', text: 'First I', ...charge },
    ] satisfies Ending[]) {
      const { text, buttons } = tellEnding(ending, where, false);
      assert.ok(text.startsWith(`${limit} `), text);
      assert.equal(buttons[0], 'Retry');
    }
  });
  it('says what failed, what was kept and charged, and offers the way on', () => {
    const failed = (code: ProblemCode, title: string, detail: string) =>
      ({ kind: 'failed', problem: problem(code, title, detail), left: 0, chargedMicro: 0 }) as const;
    const local = { ...failed('unavailable', 'Offline', ''), problem: INTERRUPTED };
    assert.deepEqual(tellEnding(local, where, false).buttons, ['Retry'], 'the server knows no such request');
    const known = failed('upstream_busy', 'Busy', '');
    assert.deepEqual(tellEnding(known, where, true).buttons, ['Retry'], 'a guest has no account page');
    check(
      failed('upstream_busy', 'The model service is busy', 'Try again at 10:00'),
      'The model service is busy. Try again at 10:00. The file is as it was. Not charged.',
      ['Retry', 'Show details'],
    );
    check(
      failed('insufficient_credits', 'Not enough credits', 'There are 2 left.'),
      'Not enough credits. There are 2 left. The file is as it was. Not charged.',
      ['Retry', 'Show details', 'Show quota'],
    );
    check(failed('unauthorized', 'Not signed in', ''), 'Not signed in. The file is as it was. Not charged.', [
      'Retry',
      'Show details',
      'Sign in',
    ]);
  });
  it('says what a stop left', () => {
    check(
      { kind: 'stopped', canKeep: false, left: 0, chargedMicro: 0, reason: 'stopped_before_output' },
      'Stopped. Nothing was changed. Not charged.',
      [],
    );
    check({ kind: 'stopped', canKeep: true, left: 0 }, 'Stopped. Nothing was changed.', ['Keep what was written']);
    check(
      { kind: 'stopped', canKeep: false, left: 2 },
      'Stopped. 2 hunks that you changed are left for you to review.',
      [],
    );
  });
  it('says what happened once, and not again as the reason why nothing was charged', () => {
    check(
      { kind: 'empty', chargedMicro: 0, reason: 'empty_answer' },
      `The model wrote nothing for ${where}. Nothing was changed. Not charged.`,
      ['Retry'],
    );
    const failed = problem('upstream_failed', 'The model service failed', 'Try again.');
    check(
      { kind: 'failed', problem: failed, left: 0, chargedMicro: 0, reason: 'upstream_failed' },
      'The model service failed. Try again. The file is as it was. Not charged.',
      ['Retry', 'Show details'],
    );
    check(
      { kind: 'stopped', canKeep: false, left: 1, chargedMicro: 0, reason: 'stopped_before_output' },
      'Stopped. 1 hunk that you changed is left for you to review. Not charged.',
      [],
    );
  });
  it('says one thing once, whatever the reason for which nothing was charged', () => {
    const failure = problem('upstream_failed', 'The model service failed', 'It stopped answering.');
    const endings: Record<FreeReason, Ending[]> = {
      stopped_before_output: [
        { kind: 'stopped', canKeep: false, left: 0 },
        { kind: 'closed' },
        { kind: 'readOnly' },
        { kind: 'touched', left: 0 },
      ],
      empty_answer: [{ kind: 'empty' }],
      // Of tools alone, never of an edit.
      request_refused: [],
      upstream_failed: [{ kind: 'failed', problem: failure, left: 0 }],
      our_failure: [{ kind: 'failed', problem: failure, left: 0 }],
      interrupted: [{ kind: 'failed', problem: INTERRUPTED, left: 0 }],
    };
    const commits = [
      ['stopped_before_output', { kind: 'stopped' }],
      ['empty_answer', { kind: 'empty' }],
      ['interrupted', { kind: 'failed', problem: INTERRUPTED }],
    ] as const;
    const told = [
      ...Object.entries(endings).flatMap(([reason, all]) =>
        all.map((one) => tellEnding({ ...one, chargedMicro: 0, reason: reason as FreeReason }, where, false)),
      ),
      ...commits.map(([reason, one]) => tellCommitEnding({ ...one, chargedMicro: 0, reason }, false)),
    ];
    for (const { text } of told) {
      assert.match(text, / Not charged\.$/);
      for (const words of Object.values(REASONS)) assert.ok(!text.includes(words), text);
    }
  });
  it('quotes an answer in words, shortened', () => {
    const { text } = tellEnding({ kind: 'words', text: `I\n${'x'.repeat(500)}` }, where, false);
    assert.match(text, /^The model answered in words, so nothing was changed: “I x{150,200}…”$/);
  });
});

describe('a charge', () => {
  it('is told in credits, to guests in messages', () => {
    assert.equal(tellCharge({ chargedMicro: 1_000_000 }, true), 'Charged 1 message.');
    assert.equal(tellCharge({ chargedMicro: 2_340_000 }, false), 'Charged 2.34 credits.');
  });
  it('that is small is not called nothing', () =>
    assert.equal(tellCharge({ chargedMicro: 1 }, false), 'Charged < 0.01 credits.'));
  it('that is not known is not told', () => assert.equal(tellCharge({}, false), ''));
});

describe('a place', () => {
  it('is told in lines from 1', () => {
    assert.equal(tellPlace({ start: 11, end: 40 }, 'a.ts'), 'lines 12–40 of a.ts');
    assert.equal(tellPlace({ start: 0, end: 1 }, 'a.ts'), 'line 1 of a.ts');
  });
});
