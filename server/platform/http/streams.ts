import type { ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Log } from '../log.ts';
import type { AppContext } from './env.ts';

type Start = (out: ServerResponse, gone: AbortSignal) => Promise<void>;

/** Begins a server-sent event stream. */
export function eventStream(c: AppContext, start: Start, log: Log): Response {
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  };
  return rawStream(c, headers, start, log);
}

/**
 * Starts a stream on Node's own response, because web streams cost several times as much. `start` gets the response and
 * a signal that aborts when the client disconnects or its session ends; it ends the response when it is done.
 */
export function rawStream(c: AppContext, headers: Record<string, string>, start: Start, log: Log): Response {
  const out = c.env.outgoing as ServerResponse;
  if (c.req.method === 'HEAD') return c.body(null, 200, headers);
  const gone = new AbortController();
  out.on('close', () => gone.abort());
  if (out.closed || out.destroyed || c.env.incoming.socket.destroyed) gone.abort();
  c.res.headers.forEach((value, name) => {
    if (name !== 'content-type') out.setHeader(name, value);
  });
  out.writeHead(200, headers);
  out.flushHeaders();
  // Hono would merge the headers above into a copy that the adapter does not recognise as sent. Without `res` there is
  // nothing to merge.
  c.res = undefined;
  c.res = RESPONSE_ALREADY_SENT;
  const forget = c.get('whenEnded')(() => gone.abort());
  start(out, gone.signal)
    .catch((error) => log.error({ requestId: c.get('requestId'), err: error }, 'a stream broke'))
    .finally(() => {
      forget();
      // Cut a broken stream, so that it does not look complete. A complete one has ended already.
      if (!out.writableEnded) out.destroy();
    });
  return c.res;
}

/** Writes one piece. Resolves true when the socket has room again, false when the client is gone or too slow. */
export function writePiece(out: ServerResponse, piece: string, gone: AbortSignal, slowMs = 30_000): Promise<boolean> {
  if (gone.aborted) return Promise.resolve(false);
  if (out.write(piece)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const done = (ok: boolean) => {
      clearTimeout(timer);
      out.off('drain', drained);
      gone.removeEventListener('abort', left);
      resolve(ok);
    };
    const drained = () => done(true);
    const left = () => done(false);
    const timer = setTimeout(left, slowMs);
    out.once('drain', drained);
    gone.addEventListener('abort', left);
  });
}
