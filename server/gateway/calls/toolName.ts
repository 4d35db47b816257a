/** Tools by their own `user-agent`, and the names that their users know them by. */
const KNOWN: readonly [RegExp, string][] = [
  [/^opencode\//i, 'OpenCode'],
  [/^claude-cli\//i, 'Claude Code'],
  [/^codex[_-]/i, 'Codex'],
  [/^kimi-?(cli|code)/i, 'Kimi Code'],
  [/^cline\b/i, 'Cline'],
  [/^continue\b/i, 'Continue'],
  [/^aider\b/i, 'aider'],
  [/^OpenAI\/JS/i, 'OpenAI SDK'],
  [/^(Async)?OpenAI\/Python/i, 'OpenAI SDK'],
  [/^Anthropic\/JS/i, 'Anthropic SDK'],
  [/^(Async)?Anthropic\/Python/i, 'Anthropic SDK'],
  // A program that is built in one piece has given the class of its SDK a short name (Continue).
  [/^\w{1,3}\/JS \d/, 'an SDK'],
  [/^ai-sdk\b|\bai-sdk\//i, 'AI SDK'],
];

/** The tool that makes a call, by its `user-agent`: a known name, or the first product that it names. */
export function toolOf(userAgent: string | undefined): string {
  const given = (userAgent ?? '').replace(/[^\x20-\x7e]/g, '').trim();
  const known = KNOWN.find(([pattern]) => pattern.test(given));
  if (known) return known[1];
  return /^[A-Za-z0-9._-]{1,40}/.exec(given)?.[0] ?? 'a tool';
}
