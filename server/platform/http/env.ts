import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';

/** The body that a route takes; `text` is passed on unparsed, byte for byte. */
export interface BodyLimit {
  maxBytes: number;
  type: 'json' | 'form' | 'text';
  /** Accepts `content-encoding`. The limit is for the decoded body. */
  mayBeCompressed?: boolean;
}

/** The variables of a request. All but `requestId` and `device` are set by `authenticate`. */
export interface AppEnv {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    device: string;
    accountId: string;
    accountKind: 'guest' | 'member';
    /** Selects the limits of a member. */
    tier: number;
    /** The single user of this machine: metered, without limits. */
    isLocal: boolean;
    /** If the account is suspended: why, and until when (ms; null: open-ended). Its requests are refused. */
    suspended: { why: string; until: number | null } | null;
    /** If the owner has closed the account: when it is deleted. Its requests are refused. */
    goneAt: number | null;
    /** The version of the terms that the user must accept before requests are answered, if any. */
    termsDue: string | null;
    sessionId: string;
    /** The body that the route takes. Unset: the route takes none, and none is read. */
    bodyLimit?: BodyLimit;
    /** Inspects the beginning of a large body before the rest is read; throws to refuse it. */
    beforeLargeBody?: (head: string) => Promise<void>;
    /** Calls `end` once the session has ended. Returns a function that cancels this. */
    whenEnded: (end: () => void) => () => void;
  };
}

export type Api = OpenAPIHono<AppEnv>;
export type AppContext = Context<AppEnv>;
