import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clientOf } from '../../../server/risk/observe/client.ts';
import { isForeign, markOf } from '../../../server/risk/observe/marks.ts';
import { MARKS, type Mark } from '../../../server/risk/signals/observation.ts';
import { DIRECT, headersOf, RELAYED, rawOf } from './heads.ts';

describe('the mark of a head', () => {
  for (const head of DIRECT)
    it(`of ${head.by} is ${head.mark}, and not foreign to it`, () => {
      const raw = rawOf(head);
      const mark = markOf({ raw, httpVersion: head.httpVersion });
      assert.equal(mark, head.mark);
      assert.equal(isForeign(mark, clientOf(headersOf(raw))), false);
    });

  // A wrong mark there would be a false alarm; what is invisible is only missed.
  const INVISIBLE: readonly Mark[] = ['rust', 'other', 'fetch'];
  for (const head of RELAYED)
    it(`of ${head.by} is ${head.mark}`, () => {
      const raw = rawOf(head);
      const mark = markOf({ raw, httpVersion: head.httpVersion });
      assert.equal(mark, head.mark);
      const client = clientOf(headersOf(raw));
      if (client.family !== 'script') assert.equal(isForeign(mark, client), !INVISIBLE.includes(mark));
    });

  it('is none of a proxy of an editor that sends through the browser in it, without saying so', () => {
    const names = ['Host', 'Connection', 'Content-Length', 'User-Agent', 'Content-Type', 'Accept-Encoding'];
    const raw = names.flatMap((name) => [name, name === 'Connection' ? 'keep-alive' : 'x']);
    assert.equal(markOf({ raw, httpVersion: '1.1' }), 'other');
  });

  it('is one of the list for whatever came, and reads no more than 100 headers', () => {
    const name = fc.oneof(
      fc.constantFrom(
        'Host',
        'host',
        'Connection',
        'connection',
        'Content-Length',
        'User-Agent',
        'Accept-Encoding',
        '',
      ),
      fc.string({ maxLength: 40 }),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 300 }), fc.constantFrom('1.0', '1.1', '2.0', ''), (raw, httpVersion) => {
        const mark = markOf({ raw, httpVersion });
        assert.ok(MARKS.includes(mark));
        assert.equal(mark, markOf({ raw: raw.slice(0, 200), httpVersion }));
      }),
      { numRuns: 300 },
    );
    assert.equal(markOf({ raw: [], httpVersion: '1.1' }), 'other');
  });
});

describe('a mark that is foreign to the client', () => {
  const client = (
    family: Parameters<typeof isForeign>[1]['family'],
    runtime: 'node' | 'rust' | 'python' | 'unknown',
    version: string,
  ) => ({ family, runtime, version }) as const;
  const CASES: [title: string, mark: Mark, client: ReturnType<typeof client>, foreign: boolean][] = [
    ['Claude Code through nginx', 'nginx', client('claude-code', 'node', '2.1.332'), true],
    ['Claude Code through a relay that uses axios', 'axios', client('claude-code', 'node', '2.1.332'), true],
    ['Claude Code on Node, as it once was', 'fetch', client('claude-code', 'node', '1.0.60'), false],
    ['a release that is newer than those recorded', 'go', client('claude-code', 'node', '2.2.0'), false],
    ['a release that is much newer', 'go', client('claude-code', 'node', '3.0.0'), false],
    ['a version that is none', 'go', client('claude-code', 'node', ''), false],
    ['Codex through Caddy', 'caddy', client('codex', 'rust', '0.171.0'), true],
    ['Codex itself', 'rust', client('codex', 'rust', '0.171.0'), false],
    [
      'an SDK in the extension of an editor that sends through its browser',
      'browser',
      client('openai-sdk', 'node', '6.49.0'),
      false,
    ],
    ['an SDK for JavaScript from a library of Python', 'python', client('openai-sdk', 'node', '6.49.0'), true],
    ['an SDK of which nobody says where it runs', 'python', client('openai-sdk', 'unknown', '6.49.0'), false],
    ['a tool that nobody knows', 'go', client('other', 'unknown', '1.0'), false],
    ['aider, which uses many libraries', 'go', client('aider', 'python', '1.0'), false],
    ['a head that fits nothing', 'other', client('codex', 'rust', '0.171.0'), false],
    ['a head that our own proxy wrote', 'unknown', client('codex', 'rust', '0.171.0'), false],
  ];
  for (const [title, mark, claims, foreign] of CASES)
    it(`${foreign ? 'is' : 'is not'} that of ${title}`, () => assert.equal(isForeign(mark, claims), foreign));
});
