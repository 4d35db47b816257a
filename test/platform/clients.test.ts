import assert from 'node:assert/strict';
import { toolOf } from '../../server/platform/http/clients.ts';

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
