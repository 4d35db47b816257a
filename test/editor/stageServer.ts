// HTTP servers for suites and web editors: the extension as a web server offers it, a place to report the counts, and
// servers that are not Perigee's. All are open to other origins, because an editor's page always has another one.
import { readFile } from 'node:fs/promises';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Counts } from './counts.ts';
import { root } from './fetch.ts';

/** An answer of a foreign server, as JSON. The first with a matching `path` is sent; one without matches all. */
export interface StrangerAnswer {
  path?: string;
  status: number;
  type: string;
  body: string;
}

/** A request that a foreign server received. */
export interface StrangerRequest {
  path: string;
  authorization?: string;
}

export interface StageServer {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  url: string;
  /** The URL of the extension, for an editor that loads it from the web. */
  extension: string;
  /** The counts that a suite reported last; undefined if none ended. */
  counts(): Counts | undefined;
  stop(): Promise<void>;
}

// Serves exactly the files of the package, so that a file missing there is missing here too.
const packaged = /^(package\.json|dist\/(?:node|web)\/[\w.-]+|dist\/webview\/[\w.-]+|extension\/media\/[\w.-]+)$/;
const types: Record<string, string> = {
  '.js': 'text/javascript',
  '.cjs': 'text/javascript',
  '.json': 'application/json',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** Starts on a free port. `suites` returns the bundle that the editor finds at `extension`/suites.cjs. */
export async function startStageServer(suites?: () => string): Promise<StageServer> {
  let counts: Counts | undefined;
  const strangers: { answers: StrangerAnswer[]; requests: StrangerRequest[] }[] = [];

  async function answer(request: http.IncomingMessage, response: http.ServerResponse, url: string): Promise<void> {
    const send = (status: number, type = 'text/plain', body: string | Buffer = '') => {
      response.writeHead(status, { 'content-type': type, 'access-control-allow-origin': '*' }).end(body);
    };
    if (request.method === 'OPTIONS') {
      response.setHeader('access-control-allow-methods', '*');
      response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '');
      return send(204);
    }
    const path = new URL(request.url ?? '/', url).pathname;
    const what = `${request.method} ${path}`;
    if (what === 'POST /counts') {
      counts = JSON.parse(await readAll(request));
      return send(200);
    }
    if (what === 'POST /strangers') {
      const number = strangers.push({ answers: JSON.parse(await readAll(request)), requests: [] }) - 1;
      return send(201, types['.json'], JSON.stringify({ at: `${url}/strangers/${number}`, seen: `/seen/${number}` }));
    }
    const [, kind = '', rest = ''] = /^\/(\w+)\/(.+)$/.exec(path) ?? [];
    if (kind === 'seen') return send(200, types['.json'], JSON.stringify(strangers[Number(rest)]?.requests));
    if (kind === 'strangers') {
      const [, number, asked = ''] = /^(\d+)(.*)$/.exec(rest) ?? [];
      const stranger = strangers[Number(number)];
      stranger?.requests.push({ path: asked, authorization: request.headers.authorization });
      const found = stranger?.answers.find((one) => one.path === undefined || one.path === asked);
      return found ? send(found.status, found.type, found.body) : send(404);
    }
    if (kind === 'perigee') {
      const file = rest === 'suites.cjs' ? suites?.() : packaged.test(rest) ? join(root, rest) : undefined;
      const content = file && (await readFile(file).catch(() => undefined));
      if (content) return send(200, types[extname(rest)], content);
    }
    send(404);
  }

  const server = http.createServer((request, response) => {
    answer(request, response, url).catch((error) => {
      console.error('stage:', error);
      response.destroy();
    });
  });
  await new Promise<void>((listening, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', listening);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    extension: `${url}/perigee`,
    counts: () => counts,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function readAll(request: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}
