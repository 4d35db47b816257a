import { randomUUID } from 'node:crypto';
import type { RequestRow } from '../../server/platform/db/schema.ts';

/** The row of a request that was refused. */
export const requestOf = (account_id: string, changes: Partial<RequestRow> = {}): RequestRow => ({
  ...{
    id: randomUUID(),
    run_id: null,
    account_id,
    at: 1,
    route: '/v1/models',
    tool: 'a tool',
    key_id: null,
    asked: null,
  },
  ...{ model: null, service: null, attempts: null, first_ms: null, whole_ms: 1, input_tokens: null, status: 400 },
  ...{ cached_input_tokens: null, output_tokens: null, thinking_tokens: null, estimated: null, outcome: 'refused' },
  ...{ code: null, charged: 0, times: 1, ...changes },
});
