import type { Connection, Setup } from '../../shared/connect.ts';

export interface ToolCall {
  name: string;
  arguments: Record<string, unknown>;
}

/** What a client is started with: a line of a shell, after the lines of its setup that are lines of a shell. */
export interface Start {
  /** The command that starts the client, quoted for a shell. */
  program: string;
  prompt: string;
  setup: Setup;
  /** What the setup was made of. */
  given: Connection;
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
  /** The line of a shell that starts it. */
  line(start: Start): string;
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
  line: ({ program, prompt, setup }) =>
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
    line: ({ program, prompt, setup }) =>
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
];
