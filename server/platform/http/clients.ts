import { withoutAnyKeys } from '../values/apiKeys.ts';

/** A client by its `user-agent`: the name that its users know, and its family (`risk/signals/observation.ts`). */
interface KnownClient {
  pattern: RegExp;
  /** Null: the first product that the `user-agent` names. */
  name: string | null;
  family: ClientFamily;
}

type ClientFamily =
  | ('claude-code' | 'codex' | 'kimi' | 'opencode' | 'cline' | 'continue' | 'aider' | 'openclaw' | 'openai-sdk')
  | ('anthropic-sdk' | 'ai-sdk' | 'browser' | 'script' | 'relay' | 'other');

const known = (pattern: RegExp, name: string | null, family: ClientFamily): KnownClient => ({ pattern, name, family });

const KNOWN: readonly KnownClient[] = [
  known(/^opencode\//i, 'OpenCode', 'opencode'),
  known(/^claude-cli\//i, 'Claude Code', 'claude-code'),
  known(/^codex[_-]/i, 'Codex', 'codex'),
  known(/^kimi-?(?:cli|code)/i, 'Kimi Code', 'kimi'),
  known(/^cline\b/i, 'Cline', 'cline'),
  known(/^continue\b/i, 'Continue', 'continue'),
  known(/^aider\b/i, 'aider', 'aider'),
  known(/^openclaw\b/i, 'OpenClaw', 'openclaw'),
  known(/^(?:Async)?(?:Azure)?OpenAI\/(?:JS|Python|Go|Java|Ruby)\b/i, 'OpenAI SDK', 'openai-sdk'),
  known(/^(?:Async)?Anthropic\/(?:JS|Python|Go|Java|Ruby)\b/i, 'Anthropic SDK', 'anthropic-sdk'),
  // A program that is built in one piece has given the class of its SDK a short name (Continue).
  known(/^\w{1,3}\/JS \d/, 'an SDK', 'openai-sdk'),
  known(/^ai-sdk\b|^ai\/\d|\bai-sdk\//i, 'AI SDK', 'ai-sdk'),
  // Exact names of relays. A gateway that one person runs for oneself has one of these names too. LiteLLM is none of
  // them: tools use it as a library, and its `user-agent` says nothing else then.
  known(
    /^(?:cliproxyapi|cli-proxy-openai-compat|claude-relay-service|claude-code-router|one-api|new-api)(?:\/|$)/i,
    null,
    'relay',
  ),
  known(/^Mozilla\//, null, 'browser'),
  known(
    /^(?:curl|wget|node|bun|deno|undici|axios|node-fetch|got|python|python-requests|python-httpx|python-urllib|litellm|go-http-client|okhttp|java)(?:$|[/ ])/i,
    null,
    'script',
  ),
];

/** Longer ones are cut before they are read. */
const MAX_AGENT = 400;

const printable = (userAgent: string | undefined) =>
  (userAgent ?? '')
    .slice(0, MAX_AGENT)
    .replace(/[^\x20-\x7e]/g, '')
    .trim();

/** The tool that makes a call, by its `user-agent`: a known name, or the first product that it names. */
export function toolOf(userAgent: string | undefined): string {
  const given = printable(userAgent);
  const name = KNOWN.find(({ pattern }) => pattern.test(given))?.name;
  // Without keys: one may have been pasted into the wrong field of a tool.
  return name ?? /^[A-Za-z0-9._-]{1,40}/.exec(withoutAnyKeys(given))?.[0] ?? 'a tool';
}

/** The family of a client, and the version of the first product that its `user-agent` names; empty if it names none. */
export function familyOf(userAgent: string | undefined): { family: ClientFamily; version: string } {
  const given = printable(userAgent);
  const family = KNOWN.find(({ pattern }) => pattern.test(given))?.family ?? 'other';
  const version = /^[^ ]{1,80}?\/(?:(?:JS|Python|Go|Java|Ruby) )?v?(\d[\w.+-]{0,40})/i.exec(given)?.[1] ?? '';
  return { family, version };
}
