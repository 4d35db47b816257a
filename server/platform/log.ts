import { pino } from 'pino';
import { withoutApiKeys } from './values/apiKeys.ts';

export type Log = Pick<import('pino').Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

/** JSON lines on standard output. Never pass it user text or tokens. API keys in the text of errors are cut out. */
export function createLog(level: string): Log {
  const hooks = { streamWrite: withoutApiKeys };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks });
}
