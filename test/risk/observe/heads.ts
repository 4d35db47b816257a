import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import type { Mark } from '../../../server/risk/signals/observation.ts';

/** A head as it arrived at a socket on loopback in November 2026. Keys and ids are replaced. */
export interface RecordedHead {
  /** The library or program that sent it, and what it came through. */
  by: string;
  mark: Mark;
  httpVersion: string;
  /** `name: value`, a line each, in order and case. */
  lines: string;
}

const recorded = JSON.parse(readFileSync(new URL('heads.json', import.meta.url), 'utf8'));
export const DIRECT: readonly RecordedHead[] = recorded.direct;
/** Through proxies. HAProxy leaves a client that writes in lower case without `connection` as it is. */
export const RELAYED: readonly RecordedHead[] = recorded.relayed;

/** As Node's `rawHeaders`. */
export const rawOf = ({ lines }: Pick<RecordedHead, 'lines'>): string[] =>
  lines.split('\n').flatMap((line) => {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    return [name, value];
  });

/** As Node's `headers`. */
export function headersOf(raw: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (let at = 0; at + 1 < raw.length; at += 2) headers[raw[at]!.toLowerCase()] ??= raw[at + 1]!;
  return headers;
}
