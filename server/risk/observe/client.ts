import type { IncomingHttpHeaders } from 'node:http';
import { familyOf } from '../../platform/http/clients.ts';
import type { Architecture, ClientSeen, Family, Runtime, System } from '../signals/observation.ts';

/** What a request claims about its client, as text. Nothing of this is stored: the observer hashes it for each account. */
export interface ClientClaims extends Omit<ClientSeen, 'fingerprint' | 'device'> {
  /** Of the client, as it writes it; empty if it names none. */
  version: string;
  /** As the client sends it, at most 128 characters; null if it sends none. */
  deviceId: string | null;
}

/** Ids that clients put into the body. */
export interface BodyIds {
  /** `metadata.user_id` (Messages), which holds Claude Code's device id. */
  userId: string | null;
  /** `client_metadata["x-codex-installation-id"]` (Responses). */
  installationId: string | null;
}

const NO_IDS: BodyIds = { userId: null, installationId: null };

/** Longer values are made up, and are not read. */
const MAX_VALUE = 4_096;
const MAX_DEVICE = 128;

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= MAX_VALUE ? value : null;

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

/** The ids in a body of any dialect. `prompt_cache_key` is not among them: it names a conversation. */
export function bodyIdsOf(body: unknown): BodyIds {
  return {
    userId: textOf(fieldOf(fieldOf(body, 'metadata'), 'user_id')),
    installationId: textOf(fieldOf(fieldOf(body, 'client_metadata'), 'x-codex-installation-id')),
  };
}

/** What the headers of a request, and the ids in its body, claim about the client. Never throws. */
export function clientOf(headers: IncomingHttpHeaders, ids: BodyIds = NO_IDS): ClientClaims {
  const header = (name: string) => textOf(headers[name]) ?? '';
  const agent = header('user-agent');
  const { family: named, version } = familyOf(agent);
  const isRelay = named === 'relay' || /^cliproxyapi$/i.test(header('x-msh-platform'));
  const comment = named === 'codex' || named === 'browser' ? commentOf(agent) : '';
  const systems = ['x-stainless-os', 'x-msh-device-model'].map((name) => systemOf(header(name)));
  systems.push(systemOf(comment));
  const architectures = [header('x-stainless-arch'), header('x-msh-device-model')].map(architectureOf);
  // Browsers on ARM call themselves Intel.
  if (named === 'codex') architectures.push(architectureOf(comment));
  const installations = [
    fieldIn(header('x-codex-turn-metadata'), 'installation_id'),
    ids.installationId && textOfDevice(ids.installationId),
  ];
  return {
    family: isRelay ? 'relay' : headers['perigee-device'] !== undefined ? 'perigee' : named,
    version,
    system: firstKnown(systems),
    architecture: firstKnown(architectures),
    runtime: firstKnown([runtimeOfAgent(agent, named), runtimeOfSdk(header)]),
    deviceId:
      claudeDevice(ids.userId) ?? textOfDevice(header('x-msh-device-id')) ?? installations.find(Boolean) ?? null,
    // A program that Rosetta or an emulator runs has two true architectures, so they exclude nothing.
    isImpossible: exclude(systems) || exclude(installations) || isImpossibleVersion(header, agent, named, version),
  };
}

/**
 * Whether two requests can't be from one program. Programs of one process, such as the extensions of one editor, share
 * their connections: so a family or a version excludes nothing unless it belongs to a program with a process of its own.
 */
export function areDifferent(a: ClientClaims, b: ClientClaims): boolean {
  if (differ(a.system, b.system) || differ(a.architecture, b.architecture) || differ(a.runtime, b.runtime)) return true;
  if (a.family !== b.family) return isProgram(a) && isProgram(b);
  if (a.deviceId !== null && b.deviceId !== null && a.deviceId !== b.deviceId) return true;
  return isProgram(a) && differ(a.version, b.version);
}

const PROGRAMS: readonly Family[] = ['claude-code', 'codex', 'kimi', 'opencode', 'aider'];
const isProgram = ({ family }: ClientClaims) => PROGRAMS.includes(family);
const differ = (a: string, b: string) => a !== b && isSaid(a) && isSaid(b);

const isSaid = (claim: string | null) => claim !== null && !['', 'unknown', 'other'].includes(claim);

/** Whether two claims name different things. What is unknown, or on no list, excludes nothing. */
const exclude = (claims: readonly (string | null)[]) => new Set(claims.filter(isSaid)).size > 1;

function firstKnown<T extends string>(claims: readonly (T | 'unknown')[]): T | 'unknown' {
  return claims.find((claim) => claim !== 'unknown') ?? 'unknown';
}

/** The first comment of a `user-agent`. What follows may name the terminal: Codex in WSL says `WindowsTerminal` there. */
const commentOf = (agent: string) => /^[^(]{0,200}\(([^)]{0,200})/.exec(agent)?.[1] ?? '';

const LINUX =
  /^(?:linux|x11; (?:ubuntu; )?linux|debian|ubuntu|fedora|arch|alpine|nixos|centos|red ?hat|rocky|opensuse|suse|pop!|manjaro|gentoo|kali|raspbian|amazon|oracle)/;

/** Reads only the beginning: a kernel of WSL is called `5.15.90.1-microsoft-standard-WSL2`. */
function systemOf(text: string): System {
  const name = text.slice(0, 100).trim().toLowerCase();
  if (name === '' || name.startsWith('unknown')) return 'unknown';
  if (/^win(?:dows|32)?(?![a-z])/.test(name)) return 'windows';
  if (/^(?:mac|darwin)/.test(name)) return 'mac';
  return LINUX.test(name) ? 'linux' : 'other';
}

function architectureOf(text: string): Architecture {
  const name = text.slice(0, 200).toLowerCase();
  if (/(?:^|[ ;-])(?:arm64|aarch64)(?:$|[ ;])/.test(name)) return 'arm64';
  if (/(?:^|[ ;-])(?:x64|x86_64|amd64)(?:$|[ ;])/.test(name)) return 'x64';
  return /^(?:x32|arm|other:)/.test(name) ? 'other' : 'unknown';
}

const RUNTIMES_OF_AGENTS: readonly [RegExp, Runtime][] = [
  [/\bruntime\/bun\/|^bun\//i, 'bun'],
  [/\bruntime\/deno|^deno\//i, 'deno'],
  [/\b(?:runtime\/)?node\.js\/|^node(?:$|-fetch)|^(?:undici|axios)/i, 'node'],
  [/^python|^litellm|\/python /i, 'python'],
  [/^go-http-client\//i, 'go'],
  [/\bruntime\/browser/i, 'browser'],
];

function runtimeOfAgent(agent: string, named: string): Runtime {
  if (named === 'codex') return 'rust';
  if (named === 'browser') return 'browser';
  const start = agent.slice(0, 200);
  return RUNTIMES_OF_AGENTS.find(([pattern]) => pattern.test(start))?.[1] ?? 'unknown';
}

const RUNTIMES_OF_SDKS: Record<string, Runtime> = {
  node: 'node',
  bun: 'bun',
  deno: 'deno',
  cpython: 'python',
  pypy: 'python',
  go: 'go',
  rust: 'rust',
};

/** Bun calls itself Node here. */
function runtimeOfSdk(header: (name: string) => string): Runtime {
  const said = header('x-stainless-runtime').toLowerCase();
  if (said.startsWith('browser')) return 'browser';
  return Object.hasOwn(RUNTIMES_OF_SDKS, said)
    ? RUNTIMES_OF_SDKS[said]!
    : said && said !== 'unknown'
      ? 'other'
      : 'unknown';
}

const textOfDevice = (text: string) => (text === '' ? null : text.slice(0, MAX_DEVICE));

/** A field of a JSON text that a client's header or id holds. */
function fieldIn(json: string, name: string): string | null {
  const at = json.indexOf(`"${name}":"`);
  return at < 0 ? null : textOfDevice(json.slice(at + name.length + 4).split('"', 1)[0]!);
}

/** Claude Code's `user_<device>_account_<…>_session_<…>`, or its newer JSON. Other tools put the name of their user there. */
function claudeDevice(userId: string | null): string | null {
  if (userId === null) return null;
  return userId.startsWith('{')
    ? fieldIn(userId, 'device_id')
    : (/^user_([0-9a-f]{64})_account_/.exec(userId)?.[1] ?? null);
}

/** These have had numbers as their version in every release. */
const NUMBERED: readonly string[] = ['claude-code', 'codex', 'kimi'];

function isImpossibleVersion(header: (name: string) => string, agent: string, named: string, version: string): boolean {
  if (NUMBERED.includes(named) && !/^(?:\d{1,4}\.\d{1,6}\b|dev\b)/.test(version)) return true;
  const language = header('x-stainless-lang');
  if (language === '') return false;
  if (named === 'claude-code' && language !== 'js') return true;
  if (language === 'js' && header('x-stainless-runtime') === 'node') {
    if (!/^(?:v\d{1,3}\.\d{1,3}\.\d|unknown|$)/.test(header('x-stainless-runtime-version'))) return true;
  }
  // The SDK writes its language and its version into both.
  const own = /^(?:Async)?(?:OpenAI|Anthropic)\/(JS|Python) (\d[\w.+-]{0,40})$/.exec(agent);
  const library = header('x-stainless-package-version');
  return own !== null && (own[1]!.toLowerCase() !== language || (library !== '' && own[2] !== library));
}
