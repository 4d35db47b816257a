import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { JsonLimits } from '../values/jsonBounds.ts';

/**
 * The body that a route takes; `text` is passed on unparsed, byte for byte. `bytes` is no text: the handler reads it
 * itself, as `arrayBuffer`, once it wants it.
 */
export interface BodyLimit {
  maxBytes: number;
  type: 'json' | 'form' | 'text' | 'bytes';
  /** Accepts `content-encoding`. The limit is for the decoded body. */
  mayBeCompressed?: boolean;
  /** How much structure its JSON may have; by default as much as any contract of `shared/` has. */
  json?: JsonLimits;
}

/** An API key, and what its owner allows it. Null: no limit of its own. */
export interface CallKey {
  id: string;
  name: string;
  models: string[] | null;
  monthlyMicro: number | null;
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
    /** The address of the account page; null for a guest, who has none. */
    accountPage: string | null;
    /** If the owner has closed the account: when it is deleted. Its requests are refused. */
    goneAt: number | null;
    /** The version of the terms that the user must accept before requests are answered, if any. */
    termsDue: string | null;
    /** Empty for a call by an API key. */
    sessionId: string;
    /** `page`: a browser, by the cookie of this server's pages. Not set on `/v1`. */
    sessionKind: 'guest' | 'device' | 'page' | 'local';
    /** Who is at the desk. Set on `/api/desk` alone, by its guard. */
    reviewer: { id: string; name: string };
    /** The thumbprint of the install key whose proof came along (DPoP); null: the token is bound to none. */
    installKey: string | null;
    /** The API key of a call under `/v1`; null: a session. Not set on `/api`. */
    key: CallKey | null;
    /** The body that the route takes. Unset: the route takes none, and none is read. */
    bodyLimit?: BodyLimit;
    /** Gives back the room of a large body before the answer is complete, once the route has no use for the bytes. */
    leaveRoom?: () => void;
    /** Inspects the beginning of a large body before the rest is read; throws to refuse it. */
    beforeLargeBody?: (head: string) => Promise<void>;
    /** Calls `end` once the session or the API key has ended. Returns a function that cancels this. */
    whenEnded: (end: () => void) => () => void;
  };
}

export type Api = OpenAPIHono<AppEnv>;
export type AppContext = Context<AppEnv>;
