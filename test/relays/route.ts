import { startServer, type TestServer, type TestServerOptions } from '../support/server.ts';
import { type Tool as Opened, openTool } from '../support/tools.ts';
import { Caller, type Tool } from './people.ts';
import { freePort, type Intermediary, startEdge } from './proxies.ts';

/** A real server with an account, and the way to it. */
export interface Route {
  server: TestServer;
  account: Opened;
  /** Makes a tool with a connection of its own. */
  caller(tool: Tool, account?: Opened): Caller;
  stop(): Promise<void>;
}

/** `through`: null for a direct way. `edge`: the Caddyfile in front of the server; null for none. */
export async function openRoute(
  through: Intermediary | null,
  edge: string | null,
  policy?: TestServerOptions['policy'],
): Promise<Route> {
  const front = edge === null ? null : await freePort();
  const server = await startServer('sqlite', {
    policy,
    config(config) {
      if (front === null) return;
      config.trustedProxies = ['127.0.0.1'];
      config.publicUrl = `http://127.0.0.1:${front}`;
    },
  });
  const stops = [() => server.stop()];
  const stop = async () => {
    for (const one of stops) await one();
  };
  try {
    const backend = new URL(server.url).host;
    if (edge !== null) stops.unshift((await startEdge(front!, backend, edge)).stop);
    const host = front === null ? backend : `127.0.0.1:${front}`;
    const account = await openTool(server, { credits: 1_000_000 });
    const running = through && (await through.start({ host, key: account.secret }));
    if (running) stops.unshift(running.stop);
    const isForward = through !== null && through.kind !== 'relay';
    const forward = isForward && {
      port: running!.port,
      isTunnel: through.kind === 'tunnel',
      opensTls: running!.opensTls,
    };
    return {
      server,
      account,
      caller: (tool, own = account) =>
        new Caller(tool, {
          ...{ host, key: own.secret, headers: running?.headers, port: running?.port ?? Number(host.split(':')[1]) },
          through: forward || undefined,
        }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
