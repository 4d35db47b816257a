import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import {
  areDifferent,
  type BodyIds,
  bodyIdsOf,
  type ClientClaims,
  clientOf,
} from '../../../server/risk/observe/client.ts';
import { isForeign, markOf } from '../../../server/risk/observe/marks.ts';
import { DIRECT, headersOf, rawOf } from './heads.ts';

const DEVICE = 'a'.repeat(64);
const claude = (userId: string): BodyIds => bodyIdsOf({ metadata: { user_id: userId } });
const CLAUDE = { 'user-agent': 'claude-cli/2.1.332 (external, cli)', 'x-app': 'cli', 'x-stainless-lang': 'js' };
const stainless = (os: string, arch: string, runtime = 'node', version = 'v22.1.0') => ({
  'x-stainless-os': os,
  'x-stainless-arch': arch,
  'x-stainless-runtime': runtime,
  'x-stainless-runtime-version': version,
});
const codexTurn = (id: string) => ({ 'x-codex-turn-metadata': `{"installation_id":"${id}","session_id":"s"}` });

describe('what a request claims about its client', () => {
  const CASES: [title: string, headers: IncomingHttpHeaders, claims: Partial<ClientClaims>, ids?: BodyIds][] = [
    [
      'Claude Code on a Mac, with its older id',
      { ...CLAUDE, ...stainless('MacOS', 'arm64') },
      {
        family: 'claude-code',
        version: '2.1.332',
        system: 'mac',
        architecture: 'arm64',
        runtime: 'node',
        deviceId: DEVICE,
      },
      claude(`user_${DEVICE}_account__session_0d0b7d65-0c4f-4d70-a7c4-0d8a41ad3ee1`),
    ],
    [
      'Claude Code with its newer id',
      CLAUDE,
      { deviceId: DEVICE },
      claude(JSON.stringify({ device_id: DEVICE, account_uuid: '', session_id: 'x' })),
    ],
    [
      'an end user in metadata, who is no device',
      CLAUDE,
      { deviceId: null, isImpossible: false },
      claude('customer-17'),
    ],
    [
      'Codex on a Mac',
      { 'user-agent': 'codex_cli_rs/0.171.0 (Mac OS 15.1.0; arm64) iTerm.app/3.5.0', ...codexTurn('d-1') },
      { family: 'codex', version: '0.171.0', system: 'mac', architecture: 'arm64', runtime: 'rust', deviceId: 'd-1' },
      bodyIdsOf({ client_metadata: { 'x-codex-installation-id': 'd-1' } }),
    ],
    [
      'Codex in WSL, whose terminal is one of Windows',
      { 'user-agent': 'codex_cli_rs/0.171.0 (Ubuntu 24.4.0; x86_64) WindowsTerminal' },
      { system: 'linux', architecture: 'x64', isImpossible: false },
    ],
    [
      'Codex on Windows',
      { 'user-agent': 'codex_vscode/0.171.0 (Windows 10.0.26100; x86_64) vscode/1.104.0' },
      { family: 'codex', system: 'windows', isImpossible: false },
    ],
    [
      'Kimi Code in WSL, whose kernel is Microsoft’s',
      {
        'user-agent': 'kimi-code-cli/2.1.0',
        'x-msh-device-model': 'Linux 5.15.167.4-microsoft-standard-WSL2 x64',
        'x-msh-device-id': '0b1e8c9c-1',
        ...stainless('Linux', 'x64'),
      },
      { family: 'kimi', system: 'linux', architecture: 'x64', deviceId: '0b1e8c9c-1', isImpossible: false },
    ],
    [
      'Kimi’s older program, on a Mac',
      { 'user-agent': 'KimiCLI/1.41.0', 'x-msh-device-model': 'macOS 15.1 arm64', 'x-msh-device-id': 'd' },
      { family: 'kimi', system: 'mac', architecture: 'arm64' },
    ],
    [
      'a tool that signs in as Kimi does, under its own name',
      { 'user-agent': 'opencode/1.18.33 runtime/bun/1.3.14', 'x-msh-platform': 'kimi_cli', 'x-msh-device-id': 'd' },
      { family: 'opencode', runtime: 'bun', isImpossible: false },
    ],
    [
      'a program of Intel that Rosetta runs on ARM',
      { 'user-agent': 'kimi-code-cli/2.1.0', 'x-msh-device-model': 'macOS 15.1 arm64', ...stainless('MacOS', 'x64') },
      { system: 'mac', architecture: 'x64', isImpossible: false },
    ],
    [
      'a browser on ARM, which calls itself Intel',
      {
        'user-agent': 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0',
        ...stainless('MacOS', 'arm64', 'browser:chrome', '140'),
      },
      { family: 'browser', system: 'mac', architecture: 'arm64', runtime: 'browser', isImpossible: false },
    ],
    [
      'an SDK in a browser',
      {
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
        ...stainless('Unknown', 'unknown', 'browser:firefox'),
      },
      { family: 'browser', system: 'linux', runtime: 'browser', isImpossible: false },
    ],
    [
      'an SDK on a phone',
      {
        'user-agent': 'OpenAI/JS 6.49.0',
        'x-stainless-lang': 'js',
        'x-stainless-package-version': '6.49.0',
        ...stainless('Android', 'arm64'),
      },
      { family: 'openai-sdk', system: 'other', architecture: 'arm64', isImpossible: false },
    ],
    [
      'a development build of OpenCode',
      { 'user-agent': 'opencode/local' },
      { family: 'opencode', isImpossible: false },
    ],
    ['a development build of Codex', { 'user-agent': 'codex_exec/0.0.0 (unknown; x86_64)' }, { isImpossible: false }],
    [
      'this editor',
      { 'perigee-device': 'VS Code (wsl)', 'user-agent': 'node' },
      { family: 'perigee', runtime: 'node', deviceId: null },
    ],
    [
      'this editor in a browser',
      {
        'perigee-device': 'VS Code in the browser',
        'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140',
      },
      { family: 'perigee', system: 'windows', runtime: 'browser' },
    ],
    ['CLIProxyAPI', { 'user-agent': 'CLIProxyAPI/6.4.1' }, { family: 'relay' }],
    ['CLIProxyAPI, under a name of its own', { 'user-agent': 'cli-proxy-openai-compat' }, { family: 'relay' }],
    [
      'CLIProxyAPI in the header of Kimi alone',
      { 'user-agent': 'KimiCLI/1.41.0', 'x-msh-platform': 'CLIProxyAPI' },
      { family: 'relay' },
    ],
    ['a name that only begins like a relay’s', { 'user-agent': 'one-api-docs-example/1.0' }, { family: 'other' }],
    [
      'LiteLLM, which tools use as a library',
      { 'user-agent': 'litellm/1.80.0' },
      { family: 'script', runtime: 'python' },
    ],
    ['Go’s own client', { 'user-agent': 'Go-http-client/1.1' }, { family: 'script', runtime: 'go' }],
    [
      'nothing at all',
      {},
      {
        family: 'other',
        version: '',
        system: 'unknown',
        architecture: 'unknown',
        runtime: 'unknown',
        deviceId: null,
        isImpossible: false,
      },
    ],
  ];
  for (const [title, headers, claims, ids] of CASES)
    it(`is read of ${title}`, () => {
      const read = clientOf(headers, ids);
      assert.deepEqual({ ...read, ...claims }, read);
    });

  const IMPOSSIBLE: [title: string, headers: IncomingHttpHeaders, ids?: BodyIds][] = [
    [
      'Codex on a Mac with an SDK on Windows',
      { 'user-agent': 'codex_cli_rs/0.171.0 (Mac OS 15.1.0; arm64)', ...stainless('Windows', 'x64') },
    ],
    [
      'Kimi’s Mac with an SDK on Linux',
      { 'user-agent': 'kimi-code-cli/2.1.0', 'x-msh-device-model': 'macOS 15.1 arm64', ...stainless('Linux', 'arm64') },
    ],
    [
      'a browser on Windows with an SDK on a Mac',
      { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)', ...stainless('MacOS', 'arm64') },
    ],
    ['Claude Code with an SDK of Python', { ...CLAUDE, 'x-stainless-lang': 'python' }],
    ['an SDK of JavaScript that says Python', { 'user-agent': 'OpenAI/JS 6.49.0', 'x-stainless-lang': 'python' }],
    [
      'an SDK with two versions',
      { 'user-agent': 'Anthropic/JS 1.14.0', 'x-stainless-lang': 'js', 'x-stainless-package-version': '0.60.0' },
    ],
    ['Claude Code without a version', { 'user-agent': 'claude-cli/latest (external, cli)' }],
    ['Claude Code without anything behind its name', { 'user-agent': 'claude-cli/' }],
    ['Claude Code of a version that no release has', { 'user-agent': 'claude-cli/99999.1.0 (external, cli)' }],
    ['a Node whose version is one of Python', { ...CLAUDE, ...stainless('Linux', 'x64', 'node', '3.11.7') }],
    [
      'Codex with one installation in its headers and another in its body',
      { 'user-agent': 'codex_exec/0.171.0 (Debian 12.0.0; x86_64)', ...codexTurn('d-1') },
      bodyIdsOf({ client_metadata: { 'x-codex-installation-id': 'd-2' } }),
    ],
  ];
  for (const [title, headers, ids] of IMPOSSIBLE)
    it(`is impossible of ${title}`, () => assert.equal(clientOf(headers, ids).isImpossible, true));

  it('is possible of each library that was recorded, and never a relay', () => {
    for (const head of DIRECT) {
      const { family, isImpossible } = clientOf(headersOf(rawOf(head)));
      assert.equal(isImpossible, false, head.by);
      assert.notEqual(family, 'relay', head.by);
    }
  });

  it('is read of whatever came, bounded, without an error', () => {
    const long = 'x'.repeat(60_000);
    const values = fc.oneof(
      fc.string(),
      fc.constantFrom(long, `claude-cli/${long}`, '{"device_id":"', '(('.repeat(9_000), 'é'),
    );
    const names = [
      ...['user-agent', 'x-stainless-os', 'x-stainless-arch', 'x-stainless-runtime', 'x-stainless-runtime-version'],
      ...['x-stainless-lang', 'x-msh-device-model', 'x-msh-device-id', 'x-codex-turn-metadata', 'perigee-device'],
    ];
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record({ metadata: fc.record({ user_id: fc.oneof(values, fc.jsonValue()) }) }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), values), body, (headers, sent) => {
        const { deviceId, version } = clientOf(headers, bodyIdsOf(sent));
        assert.ok((deviceId?.length ?? 0) <= 128 && version.length <= 41);
      }),
      { numRuns: 300 },
    );
    for (const odd of [
      undefined,
      null,
      7,
      'x',
      [],
      { metadata: null },
      { metadata: { user_id: 7 } },
      { client_metadata: [] },
    ])
      assert.deepEqual(bodyIdsOf(odd), { userId: null, installationId: null });
    assert.equal(clientOf({ 'x-msh-device-id': ['a', 'b'] as never }).deviceId, null);
  });
});

describe('two clients', () => {
  const of = (headers: IncomingHttpHeaders, ids?: BodyIds) => clientOf(headers, ids);
  const sdk = (name: string, version: string, os: string) =>
    of({ 'user-agent': `${name} ${version}`, ...stainless(os, 'x64') });
  const CASES: [title: string, a: ClientClaims, b: ClientClaims, different: boolean][] = [
    ['of two systems', sdk('OpenAI/JS', '6.49.0', 'Windows'), sdk('OpenAI/JS', '6.49.0', 'MacOS'), true],
    ['of two SDKs in one editor', sdk('OpenAI/JS', '6.49.0', 'Linux'), sdk('Anthropic/JS', '1.14.0', 'Linux'), false],
    [
      'of two copies of one SDK in one editor',
      sdk('OpenAI/JS', '6.49.0', 'Linux'),
      sdk('OpenAI/JS', '4.2.0', 'Linux'),
      false,
    ],
    [
      'an extension and this editor’s own',
      sdk('OpenAI/JS', '6.49.0', 'Linux'),
      of({ 'perigee-device': 'VS Code', 'user-agent': 'node' }),
      false,
    ],
    [
      'of two devices',
      of(CLAUDE, claude(`user_${DEVICE}_account_`)),
      of(CLAUDE, claude(`user_${'b'.repeat(64)}_account_`)),
      true,
    ],
    [
      'of two sessions of one device',
      of(CLAUDE, claude(`{"device_id":"d","session_id":"1"}`)),
      of(CLAUDE, claude(`{"device_id":"d","session_id":"2"}`)),
      false,
    ],
    [
      'of two releases of a program',
      of(CLAUDE),
      of({ ...CLAUDE, 'user-agent': 'claude-cli/2.1.300 (external, cli)' }),
      true,
    ],
    [
      'of two ways to start a program',
      of(CLAUDE),
      of({ ...CLAUDE, 'user-agent': 'claude-cli/2.1.332 (external, sdk-cli)' }),
      false,
    ],
    ['of two programs', of(CLAUDE), of({ 'user-agent': 'opencode/1.18.33' }), true],
    ['a program and a script, which may be its own', of(CLAUDE), of({ 'user-agent': 'node' }), false],
    ['of which nothing is known', of({}), of({}), false],
  ];
  for (const [title, a, b, different] of CASES)
    it(`${title} are ${different ? 'different' : 'possibly one'}`, () => {
      assert.equal(areDifferent(a, b), different);
      assert.equal(areDifferent(b, a), different);
    });
});

const CAPTURES = fileURLToPath(new URL('../../../../shared/captures/', import.meta.url));
interface Exchange {
  headers?: Record<string, string>;
  http?: string;
  socket?: number;
  body?: unknown;
}

describe('the recorded work of real clients', () => {
  const files = existsSync(CAPTURES) ? readdirSync(CAPTURES).filter((name) => name.endsWith('.json')) : [];
  if (files.length === 0) it('is not here: ../shared/captures is absent');
  for (const file of files)
    it(`${file}: no request is foreign, impossible or a relay, and each connection has one client`, () => {
      const { exchanges } = JSON.parse(readFileSync(CAPTURES + file, 'utf8')) as { exchanges: Exchange[] };
      const seen = exchanges.flatMap(({ headers, http = '1.1', body }) => {
        if (!headers) return [];
        const client = clientOf(headers, bodyIdsOf(body));
        // The recordings have names in lower case.
        return [{ client, mark: markOf({ raw: Object.entries(headers).flat(), httpVersion: http }) }];
      });
      assert.ok(seen.length > 0);
      for (const { client, mark } of seen) {
        assert.equal(client.isImpossible, false);
        assert.notEqual(client.family, 'relay');
        assert.ok(!areDifferent(client, seen[0]!.client));
        if (mark === 'fetch') assert.equal(isForeign(mark, client), false);
      }
    });
});
