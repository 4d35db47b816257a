import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';

/** What a route takes: `text` is handed over as it is, byte by byte. */
export interface BodyLimit {
  maxBytes: number;
  type: 'json' | 'form' | 'text';
}

/** What a request carries through the routes; all but `requestId` and `device` is there behind `authenticate`. */
export interface AppEnv {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    device: string;
    accountId: string;
    accountKind: 'guest' | 'member';
    /** Which limits a member has. */
    tier: number;
    /** The single user of this machine: metered, limited by nothing. */
    isLocal: boolean;
    /** Why and until when (in ms; null: for an undecided time) nothing is answered to this account. */
    suspended: { why: string; until: number | null } | null;
    /** When the account is deleted, if its owner has closed it: nothing is answered to it. */
    goneAt: number | null;
    /** The version of the terms that have to be accepted before anything is answered, if any. */
    termsDue: string | null;
    sessionId: string;
    /** What body the route takes; unset: none, and none is read. */
    bodyLimit?: BodyLimit;
    /** Looks at the beginning of a large body before the rest is read; throws to refuse it. */
    beforeLargeBody?: (head: string) => Promise<void>;
    /** Calls `end` once the session has ended. Returns what stops that. */
    whenEnded: (end: () => void) => () => void;
  };
}

export type Api = OpenAPIHono<AppEnv>;
export type AppContext = Context<AppEnv>;
