import type { Observation } from '../../server/risk/signals/observation.ts';

/** Monday, 2 November 2026, 09:00 UTC. */
export const START = Date.UTC(2026, 10, 2, 9);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

interface Parts {
  at?: number;
  proof?: number;
  credential?: number;
  client?: Partial<Observation['client']>;
  transport?: Partial<Observation['transport']>;
  turn?: Partial<Observation['turn']>;
}

/** A person's follow-up in a tool, by a direct connection. */
export function observation(parts: Parts = {}): Observation {
  return {
    at: parts.at ?? START,
    proof: parts.proof ?? 0,
    credential: parts.credential ?? 1,
    client: {
      family: 'claude-code',
      system: 'mac',
      architecture: 'arm64',
      runtime: 'node',
      fingerprint: 11,
      device: 21,
      isImpossible: false,
      ...parts.client,
    },
    transport: {
      clientsOnConnection: 1,
      isForwarded: false,
      isForeignMark: false,
      isHosting: false,
      ...parts.transport,
    },
    turn: { kind: 'human', root: 1, isFirst: false, template: 0, language: null, paths: [], ...parts.turn },
  };
}
