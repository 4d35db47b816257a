import type {
  Architecture,
  ClientSeen,
  Family,
  Hash,
  Mark,
  Runtime,
  System,
} from '../../../server/risk/signals/observation.ts';
import { ARCHITECTURES, FAMILIES, RUNTIMES, SYSTEMS } from '../../../server/risk/signals/observation.ts';
import type { Parameters, SetName } from './parameters.ts';
import { mix, type Random } from './random.ts';

/** A program that a person talks to models with, as far as it shows in requests. */
export interface Tool {
  name: string;
  family: Family;
  runtime: Runtime;
  /** The library that writes its requests. */
  mark: Mark;
  /** `call`: another id on every request. */
  deviceId: 'none' | 'kept' | 'call';
  /** An agent reads files by tool calls; a chat is shown the open file, or nothing. */
  kind: 'agent' | 'chat';
  /** It asks the model for a title of each conversation, in a conversation of its own. */
  asksTitle?: boolean;
  subAgents?: boolean;
  /** It proves the key of its installation (DPoP). */
  proves?: boolean;
  /** Its headers exclude each other: it calls itself another tool than its SDK says. */
  isImpossible?: boolean;
}

const tool = (name: string, family: Family, runtime: Runtime, mark: Mark, rest: Partial<Tool> = {}): Tool => ({
  name,
  family,
  runtime,
  mark,
  deviceId: 'none',
  kind: 'agent',
  ...rest,
});

export const TOOLS = {
  perigee: tool('perigee', 'perigee', 'node', 'fetch', { deviceId: 'kept', kind: 'chat', proves: true }),
  claude: tool('claude', 'claude-code', 'node', 'fetch', { deviceId: 'kept', asksTitle: true, subAgents: true }),
  codex: tool('codex', 'codex', 'rust', 'rust', { subAgents: true }),
  cline: tool('cline', 'cline', 'node', 'fetch'),
  continue: tool('continue', 'continue', 'node', 'node-http', { kind: 'chat' }),
  aider: tool('aider', 'aider', 'python', 'python'),
  script: tool('script', 'openai-sdk', 'python', 'python', { kind: 'chat' }),
  browser: tool('browser', 'browser', 'browser', 'browser', { kind: 'chat', asksTitle: true }),
  kimi: tool('kimi', 'kimi', 'python', 'python', { deviceId: 'kept' }),
  opencode: tool('opencode', 'opencode', 'bun', 'bun', { asksTitle: true, subAgents: true }),
  openclaw: tool('openclaw', 'openclaw', 'node', 'fetch', { subAgents: true }),
  claudeBun: tool('claudeBun', 'claude-code', 'bun', 'bun', { deviceId: 'kept', asksTitle: true, subAgents: true }),
  sdk: tool('sdk', 'ai-sdk', 'node', 'fetch'),
  pi: tool('pi', 'other', 'node', 'fetch', { deviceId: 'call' }),
} as const;
type ToolName = keyof typeof TOOLS;

/**
 * The libraries that the observer knows of each family (server/risk/observe/marks.ts). Another one is foreign, but for one
 * that nobody knows (`other`).
 */
const NODE: readonly Mark[] = ['fetch', 'node-http', 'bun', 'browser'];
const KNOWN_MARKS: Partial<Record<Family, readonly Mark[]>> = {
  ...{ 'claude-code': NODE, opencode: NODE, 'ai-sdk': NODE },
  ...{ codex: ['rust'], kimi: ['python'], 'openai-sdk': ['python'] },
};

export const isForeign = (mark: Mark, family: Family): boolean =>
  mark !== 'other' && KNOWN_MARKS[family]?.includes(mark) === false;

const PROGRAMS: readonly Family[] = ['claude-code', 'codex', 'kimi', 'opencode', 'aider'];
const isSaid = (claim: string) => claim !== 'unknown' && claim !== 'other';
const differ = (a: string, b: string) => a !== b && isSaid(a) && isSaid(b);

/** Whether two requests of one connection can't be from one program, as the observer tells it (observe/client.ts). */
export function areDifferent(a: ClientSeen, b: ClientSeen, hasStableIds: boolean): boolean {
  if (differ(a.system, b.system) || differ(a.architecture, b.architecture) || differ(a.runtime, b.runtime)) return true;
  if (a.family !== b.family) return PROGRAMS.includes(a.family) && PROGRAMS.includes(b.family);
  return hasStableIds && a.device !== 0 && b.device !== 0 && a.device !== b.device;
}

/** Which tools people have. Shares are assumptions. Set B has tools that set A has not. */
const SHARES: Record<SetName, Partial<Record<ToolName, number>>> = {
  A: { claude: 0.34, perigee: 0.2, codex: 0.14, cline: 0.1, continue: 0.06, aider: 0.05, script: 0.06, browser: 0.05 },
  B: {
    ...{ claude: 0.14, claudeBun: 0.16, perigee: 0.15, codex: 0.12, opencode: 0.12, kimi: 0.1, openclaw: 0.06 },
    ...{ cline: 0.05, sdk: 0.04, browser: 0.04, aider: 0.02 },
  },
};

export function someTools(set: SetName, count: number, random: Random): Tool[] {
  const shares = { ...SHARES[set] };
  return Array.from({ length: count }, () => {
    const name = random.share<ToolName>(shares);
    delete shares[name];
    return TOOLS[name];
  });
}

/** What a customer of a reseller uses: mostly the tool that the plan is for. */
export function customersTools(set: SetName, random: Random): Tool[] {
  const main = set === 'A' ? TOOLS.claude : random.chance(0.5) ? TOOLS.claudeBun : TOOLS.claude;
  return random.chance(0.7) ? [main] : someTools(set, 1, random);
}

export interface Device {
  system: System;
  architecture: Architecture;
  id: Hash;
  /** Of the installation's key. */
  proof: Hash;
  /** It moves: another network on some days. */
  isLaptop: boolean;
}

export function someDevice(parameters: Parameters, random: Random, system?: System): Device {
  const own = system ?? random.share<'windows' | 'mac' | 'linux'>(parameters.systems);
  const architecture = random.chance(own === 'mac' ? 0.85 : 0.08) ? 'arm64' : 'x64';
  return { system: own, architecture, id: random.hash(), proof: random.hash(), isLaptop: random.chance(0.7) };
}

const place = <T>(list: readonly T[], one: T) => list.indexOf(one);

/** The keyed hash of all claims but the version. `salt` stands for the account's key. */
export function fingerprint(salt: number, client: Omit<ClientSeen, 'fingerprint' | 'device' | 'isImpossible'>): Hash {
  const { family, system, architecture, runtime } = client;
  const number =
    ((place(FAMILIES, family) * 8 + place(SYSTEMS, system)) * 8 + place(ARCHITECTURES, architecture)) * 16 +
    place(RUNTIMES, runtime);
  return mix(number ^ salt) || 1;
}

/** What this tool on this device says of itself. */
export function claimsOf(salt: number, tool: Tool, device: Device): ClientSeen {
  const claims = {
    family: tool.family,
    system: device.system,
    architecture: tool.runtime === 'browser' ? ('unknown' as const) : device.architecture,
    runtime: tool.runtime,
  };
  const id = tool.deviceId === 'none' ? 0 : mix(device.id ^ mix(FAMILIES.indexOf(tool.family) ^ salt)) || 1;
  return { ...claims, fingerprint: fingerprint(salt, claims), device: id, isImpossible: tool.isImpossible === true };
}
