import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** How often a client that closed its side is asked whether it still reads. */
const PROBE_MS = 250;

/**
 * Lets a client of the paths that `mayRead` names close its own side after its request and still read the answer. Node
 * would cut it off. Only a write tells whether such a client reads or is gone, so it gets some while it waits: an
 * informational 102, which every client of HTTP/1.1 skips, or a comment in a stream of events. The second write to a client
 * that is gone fails, and the connection is closed. On all other paths a closed side is a closed connection, as in Node.
 */
export function letReadOn(server: Server, mayRead: (path: string) => boolean): void {
  // Node has this switch without a type or a page in its documentation.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const [path = ''] = (request.url ?? '').split('?');
    let probing: NodeJS.Timeout | undefined;
    const ended = () => {
      // Before its headers a client of HTTP/1.0 can be told nothing, so nobody would notice that it has left.
      const isMute = request.httpVersion !== '1.1' && !response.headersSent;
      if (!mayRead(path) || isMute) return socket.end();
      const ask = () => probe(request, response);
      ask();
      probing = setInterval(ask, PROBE_MS).unref();
    };
    socket.once('end', ended);
    response.once('close', () => {
      socket.off('end', ended);
      clearInterval(probing);
    });
  });
}

function probe({ httpVersion }: IncomingMessage, response: ServerResponse): void {
  if (response.writableEnded) return;
  if (response.headersSent) {
    const type = String(response.getHeader('content-type'));
    if (type.startsWith('text/event-stream')) response.write(':\n\n');
  } else if (httpVersion === '1.1') response.writeProcessing();
}
