import { type Observation, SYSTEMS } from '../../server/risk/signals/observation.ts';
import { DAY, HOUR, MINUTE, observation, SECOND, START } from './observations.ts';

const filesOf = (project: number) => [1, 2, 3, 4].map((file) => project * 100 + file);

/** Somebody who writes a turn each three minutes, in a project of their own, in these hours of each day. */
export function person(
  n: number,
  days: number,
  hours: readonly number[],
  parts: Parameters<typeof observation>[0] = {},
): Observation[] {
  const midnight = Math.floor(START / DAY) * DAY;
  return Array.from({ length: days }, (_, day) => day).flatMap((day) =>
    hours.flatMap((hour) =>
      Array.from({ length: 20 }, (_, i) =>
        observation({
          at: midnight + day * DAY + hour * HOUR + i * 3 * MINUTE + ((n * 37 + i * 11 + day * 17) % 160) * SECOND,
          ...parts,
          client: {
            ...{ fingerprint: 1000 + n, device: 2000 + n },
            ...{ system: SYSTEMS[1 + (n % 3)]!, architecture: n % 2 ? 'arm64' : 'x64' },
            ...parts.client,
          },
          turn: { root: n * 1000 + day, paths: filesOf(n), ...parts.turn },
        }),
      ),
    ),
  );
}

/** The marks that ten people's requests have behind a relay. */
export const RELAY = { transport: { clientsOnConnection: 4, isForeignMark: true } };

/** Ten people all round the clock. */
export const tenPeople = (days: number, parts: Parameters<typeof observation>[0] = {}): Observation[] =>
  Array.from({ length: 10 }, (_, n) => n + 1)
    .flatMap((n) =>
      person(
        n,
        days,
        [0, 1, 2, 3].map((h) => (n * 5 + h) % 24),
        parts,
      ),
    )
    .sort((a, b) => a.at - b.at);
