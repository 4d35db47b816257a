/** What a tool needs to use this server: shown on the account page, and in docs/tools.md. */
export interface Setup {
  /** The tool's own name. */
  name: string;
  /** Where the lines belong. */
  where: string;
  lines: string[];
}

export interface Connection {
  /** The server's address, without `/v1`. */
  address: string;
  /** The API key, or what stands for it until there is one. */
  key: string;
  model: string;
  /** How much the model reads at once, in tokens. Some tools ask for it. */
  contextTokens: number;
}

const TERMINAL = 'In the terminal in which you start it, or in your shell’s profile:';

const json = (value: unknown) => JSON.stringify(value, null, 2).split('\n');
/** A string of JSON, TOML or YAML alike. */
const quoted = (text: string) => JSON.stringify(text);
/** A word of a POSIX shell. Keys, addresses and nearly all ids need no quotes. */
const word = (text: string) => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The tools, in the order in which they are shown. */
export function setups({ address, key, model, contextTokens }: Connection): Setup[] {
  const base = `${address}/v1`;
  return [
    {
      name: 'Claude Code',
      where: TERMINAL,
      lines: [
        `export ANTHROPIC_BASE_URL=${word(address)}`,
        `export ANTHROPIC_AUTH_TOKEN=${word(key)}`,
        `export ANTHROPIC_MODEL=${word(model)}`,
        `export ANTHROPIC_DEFAULT_HAIKU_MODEL=${word(model)}`,
        `export CLAUDE_CODE_MAX_CONTEXT_TOKENS=${contextTokens}`,
        'claude',
      ],
    },
    {
      name: 'Codex',
      where: 'In ~/.codex/config.toml, and the key in the terminal:',
      lines: [
        `model = ${quoted(model)}`,
        `model_context_window = ${contextTokens}`,
        'model_provider = "perigee"',
        '',
        '[model_providers.perigee]',
        'name = "Perigee"',
        `base_url = ${quoted(base)}`,
        'env_key = "PERIGEE_API_KEY"',
        'wire_api = "responses"',
        '',
        `# export PERIGEE_API_KEY=${word(key)}`,
      ],
    },
    {
      name: 'Kimi Code',
      where: 'In ~/.kimi-code/config.toml:',
      lines: [
        'default_model = "perigee"',
        '',
        '[providers.perigee]',
        'type = "kimi"',
        `base_url = ${quoted(base)}`,
        `api_key = ${quoted(key)}`,
        '',
        '[models.perigee]',
        'provider = "perigee"',
        `model = ${quoted(model)}`,
        `max_context_size = ${contextTokens}`,
      ],
    },
    {
      name: 'OpenCode',
      where: 'In ~/.config/opencode/opencode.json:',
      lines: json({
        $schema: 'https://opencode.ai/config.json',
        model: `perigee/${model}`,
        provider: {
          perigee: {
            npm: '@ai-sdk/openai-compatible',
            name: 'Perigee',
            options: { baseURL: base, apiKey: key },
            models: { [model]: { limit: { context: contextTokens, output: 32_000 } } },
          },
        },
      }),
    },
    {
      name: 'OpenClaw',
      where: 'In ~/.openclaw/openclaw.json:',
      lines: json({
        models: {
          providers: {
            perigee: {
              baseUrl: base,
              apiKey: key,
              api: 'openai-completions',
              models: [{ id: model, name: model, contextWindow: contextTokens }],
            },
          },
        },
        agents: { defaults: { model: { primary: `perigee/${model}` } } },
      }),
    },
    {
      name: 'Cline',
      where: 'In its settings, under “API Configuration”:',
      lines: [
        'API Provider   OpenAI Compatible',
        `Base URL       ${base}`,
        `API Key        ${key}`,
        `Model ID       ${model}`,
      ],
    },
    {
      name: 'Continue',
      where: 'In ~/.continue/config.yaml:',
      lines: [
        'name: Perigee',
        'version: 0.0.1',
        'schema: v1',
        'models:',
        `  - name: ${quoted(model)}`,
        '    provider: openai',
        `    model: ${quoted(model)}`,
        `    apiBase: ${quoted(base)}`,
        `    apiKey: ${quoted(key)}`,
        '    roles: [chat, edit, apply]',
        '    capabilities: [tool_use]',
        '    defaultCompletionOptions:',
        `      contextLength: ${contextTokens}`,
      ],
    },
    {
      name: 'aider',
      where: TERMINAL,
      lines: [
        `export OPENAI_API_BASE=${word(base)}`,
        `export OPENAI_API_KEY=${word(key)}`,
        `aider --model ${word(`openai/${model}`)}`,
      ],
    },
    {
      name: 'SDK',
      where: 'For the SDKs of OpenAI and Anthropic, in every language:',
      lines: [
        `export OPENAI_BASE_URL=${word(base)}`,
        `export OPENAI_API_KEY=${word(key)}`,
        `export ANTHROPIC_BASE_URL=${word(address)}`,
        `export ANTHROPIC_AUTH_TOKEN=${word(key)}`,
      ],
    },
  ];
}
