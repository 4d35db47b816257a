import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** For the client to read the answer before the connection is closed. */
const LINGER_MS = 500;
const MESSAGE = 'This server speaks HTTP without WebSockets. Send the request by POST.';

/**
 * Refuses a WebSocket at once. Codex tries one first, and goes on by HTTP in the same turn after 426; without an answer
 * it tries for 7 s.
 */
export function refuseUpgrade(_request: IncomingMessage, socket: Duplex): void {
  const body = JSON.stringify({
    error: { message: MESSAGE, type: 'invalid_request_error', code: 'websocket_not_supported', param: null },
  });
  const head = [
    'HTTP/1.1 426 Upgrade Required',
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.on('error', () => socket.destroy());
  // What else it sends is thrown away, or it would never see the end. Node no longer knows this socket, so nothing else
  // would close it.
  socket.resume();
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => setTimeout(() => socket.destroy(), LINGER_MS).unref());
}
