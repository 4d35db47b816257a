import assert from 'node:assert/strict';
import { familyOf, toolOf } from '../../server/platform/http/clients.ts';

describe('the name of a tool in the token log', () => {
  // The first six as the tools of `npm run test:clients` send them.
  const CASES: [userAgent: string | undefined, name: string][] = [
    ['claude-cli/2.1.332 (external, sdk-cli)', 'Claude Code'],
    ['codex_exec/0.171.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.171.0)', 'Codex'],
    ['opencode/1.18.33 ai-sdk/provider-utils/4.0.23 runtime/bun/1.3.14', 'OpenCode'],
    ['kimi-code-cli/2.1.0', 'Kimi Code'],
    ['ai-sdk/openai-compatible/3.0.37 ai-sdk/provider-utils/5.0.30 runtime/bun/1.3.13', 'AI SDK'],
    ['ls/JS 5.23.2', 'an SDK'],
    ['codex_cli_rs/0.171.0', 'Codex'],
    ['OpenAI/JS 6.49.0', 'OpenAI SDK'],
    ['Anthropic/JS 1.14.0', 'Anthropic SDK'],
    ['AsyncOpenAI/Python 2.1.0', 'OpenAI SDK'],
    ['curl/8.5.0', 'curl'],
    ['ls/8.5.0', 'ls'],
    ['<script>', 'a tool'],
    ['', 'a tool'],
    [undefined, 'a tool'],
  ];
  for (const [userAgent, name] of CASES) it(`is ${name} of ${userAgent}`, () => assert.equal(toolOf(userAgent), name));
});

describe('the family and the version of a client', () => {
  const CASES: [userAgent: string | undefined, family: string, version: string][] = [
    ['claude-cli/2.1.332 (external, cli)', 'claude-code', '2.1.332'],
    ['claude-cli/latest (external) other/2.0', 'claude-code', ''],
    ['codex_vscode/0.172.0-alpha.1 (Mac OS 15.1.0; arm64)', 'codex', '0.172.0-alpha.1'],
    ['KimiCLI/1.41.0', 'kimi', '1.41.0'],
    ['OpenAI/JS 6.49.0', 'openai-sdk', '6.49.0'],
    ['AsyncAzureOpenAI/Python 2.1.0', 'openai-sdk', '2.1.0'],
    ['OpenAI/Go 3.2.0', 'openai-sdk', '3.2.0'],
    ['Anthropic/Java 2.0.1', 'anthropic-sdk', '2.0.1'],
    ['ai-sdk/openai-compatible/3.0.37 ai-sdk/provider-utils/5.0.30', 'ai-sdk', '3.0.37'],
    ['ai/6.0.326 ai-sdk/provider-utils/4.0.65 runtime/node.js/v20.20.2', 'ai-sdk', '6.0.326'],
    ['CLIProxyAPI/v6.4.1', 'relay', '6.4.1'],
    ['cli-proxy-openai-compat', 'relay', ''],
    ['Go-http-client/1.1', 'script', '1.1'],
    ['node', 'script', ''],
    ['nodeclub/1.0', 'other', '1.0'],
    ['Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0', 'browser', '5.0'],
    ['', 'other', ''],
    [undefined, 'other', ''],
    [`claude-cli/${'9'.repeat(60_000)}`, 'claude-code', '9'.repeat(41)],
  ];
  for (const [userAgent, family, version] of CASES)
    it(`is ${family} ${version.slice(0, 20)} of ${userAgent?.slice(0, 60)}`, () =>
      assert.deepEqual(familyOf(userAgent), { family, version }));
});
