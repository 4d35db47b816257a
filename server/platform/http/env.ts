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

/** Notes for the record of requests, taken while a request is answered. They are kept when it has ended. */
export interface RequestNotes {
  /** The request's id. */
  readonly id: string;
  /** The model that the client asks for, in its own words. */
  asks(model: string): void;
  /** It is admitted: from here on it ends with its run. */
  admitted(runId: string): void;
  /** One of several model services is asked. */
  tries(service: string): void;
  /** The first word, thought or tool call has come. */
  begins(): void;
  /** How much of the answer was thoughts. */
  thought(tokens: number): void;
  /** The run has ended, and its end is stored. */
  ends(end: RunEnd): void;
}

/** How a run ended, as the record of requests keeps it. */
export interface RunEnd {
  /** Its account now: a guest may have joined an account meanwhile. */
  accountId: string;
  model: string;
  state: 'running' | 'complete' | 'stopped' | 'interrupted' | 'failed';
  /** The problem's code, if it failed. */
  code: string | undefined;
  /** Why nothing was charged. */
  reason: string | undefined;
  usage: { inputTokens: number; cachedInputTokens: number; outputTokens: number; estimated: boolean };
  chargedMicro: number;
}

/** The variables of a request. All but `requestId`, `now` and `device` are set by `authenticate`. */
export interface AppEnv {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    /** Set where requests are recorded: on `/v1`, and where a run is started. */
    notes?: RequestNotes;
    /** The clock by which requests are judged. */
    now: () => number;
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
/** Read one variable by `c.get`: `c.var` copies all of them. */
export type AppContext = Context<AppEnv>;
