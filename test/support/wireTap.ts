import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

/** Stands between a server and PostgreSQL, and keeps every statement that passes. */
export interface WireTap {
  /** The address of the database through it. */
  url: string;
  /** The texts of the statements that were executed, oldest first. */
  statements: string[];
  /** What was sent and received since the start. */
  bytes: { sent: number; received: number };
  /** Breaks all connections. New ones are let through. */
  cut(): void;
  /** Its machine vanishes: all connections stay open and silent. New ones are let through, or (`forGood`) silent, too. */
  vanish(forGood?: boolean): void;
  stop(): Promise<void>;
}

/**
 * Listens on the wire, where no driver and no query builder can hide a statement. Reads the frontend's messages of
 * PostgreSQL's protocol 3.0: Parse, Bind and Query (chapter "Message Formats" of its documentation).
 */
export async function tapWire(databaseUrl: string): Promise<WireTap> {
  const target = new URL(databaseUrl);
  const statements: string[] = [];
  const bytes = { sent: 0, received: 0 };
  const open = new Set<Socket>();
  let generation = 0;
  let isGone = false;
  const server = net.createServer((client) => {
    const born = generation;
    const isSilent = () => isGone || born !== generation;
    const database = net.connect(Number(target.port), target.hostname);
    const read = frontendReader((text) => statements.push(text));
    for (const socket of [client, database]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        if (!isSilent() || socket === client) client.destroy();
        database.destroy();
      });
    }
    client.on('data', (data) => {
      if (isSilent()) return;
      bytes.sent += data.length;
      read(data);
      database.write(data);
    });
    database.on('data', (data) => {
      if (isSilent()) return;
      bytes.received += data.length;
      client.write(data);
    });
  });
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    statements,
    bytes,
    cut,
    vanish(forGood = false) {
      generation++;
      isGone = forGood;
    },
    async stop() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Takes a connection's bytes as they come, and tells each executed statement. */
function frontendReader(tell: (text: string) => void): (data: Buffer) => void {
  const prepared = new Map<string, string>();
  let rest = Buffer.alloc(0);
  // The first message has no type.
  let isStarted = false;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const head = isStarted ? 1 : 0;
      if (rest.length < head + 4) return;
      const end = head + rest.readInt32BE(head);
      if (rest.length < end) return;
      const [type, body] = [isStarted ? String.fromCharCode(rest[0]!) : '', rest.subarray(head + 4, end)];
      rest = rest.subarray(end);
      isStarted = true;
      const strings = () => body.toString('utf8').split('\0');
      if (type === 'P') prepared.set(strings()[0]!, strings()[1]!);
      else if (type === 'Q') tell(strings()[0]!);
      else if (type === 'B') tell(prepared.get(strings()[1]!) ?? 'a statement that was not prepared here');
    }
  };
}
