import type { Setup } from '../../shared/connect.ts';

export interface ToolCall {
  name: string;
  arguments: Record<string, unknown>;
}

/** What a client is started with. */
export interface Start {
  /** The command that starts the client, quoted for a shell. */
  program: string;
  prompt: string;
  setup: Setup;
}

/** A coding tool from npm that works without a terminal. */
export interface TestedClient {
  /** The name of its setup on the account page. */
  name: string;
  /** Says which of its ways is tried, if it has several. */
  variant?: string;
  model: string;
  package: string;
  version: string;
  /** Its program, from `node_modules` on; Node runs it unless it is native. */
  program: string;
  isNative?: boolean;
  env?: Record<string, string>;
  /** The lines of a shell that start it, those of its setup included. */
  script(start: Start): string;
  /** How its own tools read a file. */
  read(path: string): ToolCall;
  /** How its own tools replace a line of a file by another. */
  edit(path: string, from: string, to: string): ToolCall;
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The lines of a setup that a shell reads: all of them, or those that a comment in a file gives for it. */
const shellLines = ({ lines }: Setup, own: string) =>
  lines.map((line) => line.replace(/^# (?=export )/, '')).filter((line) => line.startsWith('export ') || line === own);

const codex = (model: string, rest: Pick<TestedClient, 'read' | 'edit' | 'variant'>): TestedClient => ({
  name: 'Codex',
  model,
  package: '@openai/codex',
  version: '0.171.0',
  program: '@openai/codex/bin/codex.js',
  script: ({ program, prompt, setup }) =>
    [
      ...shellLines(setup, ''),
      `exec ${program} exec --skip-git-repo-check --sandbox danger-full-access ${quote(prompt)} </dev/null`,
    ].join('\n'),
  ...rest,
});

const MODEL = 'kimi-k2';

export const CLIENTS: readonly TestedClient[] = [
  {
    name: 'Claude Code',
    model: MODEL,
    package: '@anthropic-ai/claude-code',
    version: '2.1.332',
    program: '@anthropic-ai/claude-code/cli-wrapper.cjs',
    env: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
    script: ({ program, prompt, setup }) =>
      shellLines(setup, 'claude')
        .join('\n')
        .replace(/^claude$/m, `exec ${program} -p ${quote(prompt)} --permission-mode acceptEdits </dev/null`),
    read: (path) => ({ name: 'Read', arguments: { file_path: path } }),
    edit: (path, from, to) => ({ name: 'Edit', arguments: { file_path: path, old_string: from, new_string: to } }),
  },
  codex(MODEL, {
    read: (path) => ({ name: 'exec_command', arguments: { cmd: `cat ${path}` } }),
    edit: (path, from, to) => ({ name: 'exec_command', arguments: { cmd: `sed -i 's/${from}/${to}/' ${path}` } }),
  }),
  codex('gpt-5.5', {
    variant: 'apply_patch',
    read: (path) => ({ name: 'exec_command', arguments: { cmd: `cat ${path}` } }),
    edit: (path, from, to) => ({
      name: 'apply_patch',
      arguments: { input: `*** Begin Patch\n*** Update File: ${path}\n@@\n-${from}\n+${to}\n*** End Patch` },
    }),
  }),
  {
    name: 'OpenCode',
    model: MODEL,
    package: 'opencode-ai',
    version: '1.18.33',
    program: `opencode-${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}/bin/opencode`,
    isNative: true,
    env: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1' },
    script: ({ program, prompt }) => `exec ${program} run --auto ${quote(prompt)}`,
    read: (path) => ({ name: 'read', arguments: { filePath: path } }),
    edit: (path, from, to) => ({ name: 'edit', arguments: { filePath: path, oldString: from, newString: to } }),
  },
  {
    name: 'Kimi Code',
    model: MODEL,
    package: '@moonshot-ai/kimi-code',
    version: '2.1.0',
    program: '@moonshot-ai/kimi-code/dist/main.mjs',
    script: ({ program, prompt }) => `exec ${program} -p ${quote(prompt)}`,
    read: (path) => ({ name: 'Read', arguments: { path } }),
    edit: (path, from, to) => ({ name: 'Edit', arguments: { path, old_string: from, new_string: to } }),
  },
  {
    name: 'Cline',
    model: MODEL,
    package: 'cline',
    version: '3.0.65',
    program: 'cline/bin/cline',
    // Otherwise it leaves a daemon behind.
    env: { CLINE_SESSION_BACKEND_MODE: 'local' },
    // What its settings ask for, in the order of the setup's lines: provider, address, key, model.
    script({ program, prompt, setup }) {
      const [, address, key, model] = setup.lines.map((line) => quote(line.split(/ {2,}/)[1]!));
      return [
        `${program} auth openai-compatible -b ${address} -k ${key} -m ${model} >/dev/null || exit 3`,
        `exec ${program} ${quote(prompt)}`,
      ].join('\n');
    },
    read: (path) => ({ name: 'read_files', arguments: { files: [{ path }] } }),
    edit: (path, from, to) => ({ name: 'editor', arguments: { path, old_text: from, new_text: to } }),
  },
  {
    name: 'Continue',
    model: MODEL,
    package: '@continuedev/cli',
    version: '1.5.47',
    program: '@continuedev/cli/dist/cn.js',
    env: { CONTINUE_TELEMETRY_ENABLED: '0', CONTINUE_CLI_DISABLE_TELEMETRY: '1' },
    script: ({ program, prompt }) => `exec ${program} --config ~/.continue/config.yaml --auto -p ${quote(prompt)}`,
    read: (path) => ({ name: 'Read', arguments: { filepath: path } }),
    edit: (path, from, to) => ({
      name: 'MultiEdit',
      arguments: { file_path: path, edits: [{ old_string: from, new_string: to }] },
    }),
  },
];
