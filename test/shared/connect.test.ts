import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setups } from '../../shared/connect.ts';

const GIVEN = { address: 'https://ai.example.org', key: 'pgk_secret', model: 'kimi-k2', contextTokens: 128_000 };
const lines = (name: string, given = GIVEN) =>
  setups(given)
    .find((setup) => setup.name === name)!
    .lines.join('\n');

describe('what a tool needs to use this server', () => {
  for (const { name, lines: own, where } of setups(GIVEN))
    it(`${name}: has the address, the key and a place`, () => {
      const text = own.join('\n');
      assert.match(text, /https:\/\/ai\.example\.org/);
      assert.match(text, /pgk_secret/);
      assert.match(where, /:$/);
    });

  const TAKES: [name: string, base: string][] = [
    ['Claude Code', 'ANTHROPIC_BASE_URL=https://ai.example.org\n'],
    ['Codex', 'base_url = "https://ai.example.org/v1"'],
    ['Kimi Code', 'base_url = "https://ai.example.org/v1"'],
    ['aider', 'OPENAI_API_BASE=https://ai.example.org/v1\n'],
    ['SDK', 'OPENAI_BASE_URL=https://ai.example.org/v1\n'],
  ];
  for (const [name, base] of TAKES)
    it(`${name}: takes the address as ${base.trim()}`, () => assert.ok(lines(name).includes(base)));

  // Of a model that they don't know, they assume too much (Claude Code a million tokens), and make no summary in time.
  const KNOWS: [name: string, line: string][] = [
    ['Claude Code', 'export CLAUDE_CODE_MAX_CONTEXT_TOKENS=128000\n'],
    ['Codex', '\nmodel_context_window = 128000\n'],
    ['Kimi Code', '\nmax_context_size = 128000'],
    ['OpenCode', '"context": 128000'],
    ['OpenClaw', '"contextWindow": 128000'],
    ['Continue', '\n      contextLength: 128000'],
  ];
  for (const [name, line] of KNOWS)
    it(`${name}: knows how much the model reads`, () => assert.ok(lines(name).includes(line)));

  const ODD = 'a "model" of $(whoami) `x`\'s \\ here';
  for (const name of ['OpenCode', 'OpenClaw'])
    it(`${name}: is JSON, whatever the model is called`, () => {
      const text = JSON.stringify(JSON.parse(lines(name, { ...GIVEN, model: ODD })));
      assert.ok(text.includes(JSON.stringify(ODD).slice(1, -1)));
    });

  for (const name of ['Claude Code', 'aider'])
    it(`${name}: is a safe line of a shell, whatever the model is called`, () => {
      const script = lines(name, { ...GIVEN, model: ODD }).replace(/^claude$/m, 'printf %s "$ANTHROPIC_MODEL"');
      const said = execFileSync('sh', ['-c', `aider() { printf %s "$2"; }; ${script.replaceAll('\n', '; ')}`], {
        encoding: 'utf8',
      });
      assert.equal(said, name === 'aider' ? `openai/${ODD}` : ODD);
    });
});
