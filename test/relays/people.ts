import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DIRECT, type RecordedHead } from '../risk/observe/heads.ts';

/** A tool of one person, as the head of its requests shows it. */
export interface Tool {
  by: string;
  dialect: 'chat' | 'messages' | 'responses';
  /** Headers that are this person's own, in place of those recorded. */
  own: Record<string, string>;
  /** Of the device, where the tool sends it in the body. */
  deviceId?: string;
}

/** How its requests get to the server. */
export interface Way {
  /** The address that the tool calls. */
  port: number;
  /** The server as the head names it. */
  host: string;
  key: string;
  headers?: (dialect: Tool['dialect']) => Record<string, string>;
  /** The port of a forward proxy, and whether it is asked for a tunnel. */
  through?: { port: number; isTunnel: boolean; opensTls?: boolean };
}

const PATHS = { chat: '/v1/chat/completions', messages: '/v1/messages?beta=true', responses: '/v1/responses' };

const STAINLESS = { windows: 'Windows', mac: 'MacOS', linux: 'Linux' };
const CODEX = { windows: 'Windows 10.0.26100', mac: 'Mac OS 15.1.0', linux: 'Debian 12.0.0' };

/** A machine, as tools name it. */
export interface Machine {
  system: 'windows' | 'mac' | 'linux';
  architecture: 'x64' | 'arm64';
}

export const claudeCode = ({ system, architecture }: Machine, version: string, deviceId: string): Tool => ({
  by: 'Claude Code',
  dialect: 'messages',
  own: {
    ...{ 'X-Stainless-OS': STAINLESS[system], 'X-Stainless-Arch': architecture },
    'User-Agent': `claude-cli/${version} (external, cli)`,
  },
  deviceId,
});

export const codex = ({ system, architecture }: Machine, deviceId: string): Tool => {
  const machine = architecture === 'x64' ? 'x86_64' : 'arm64';
  const agent = `codex_exec/0.171.0 (${CODEX[system]}; ${machine}) xterm (codex_exec; 0.171.0)`;
  const turn = JSON.stringify({ installation_id: deviceId, session_id: 's' });
  return { by: 'Codex', dialect: 'responses', own: { 'user-agent': agent, 'x-codex-turn-metadata': turn } };
};

export const openAiSdk = ({ system, architecture }: Machine): Tool => ({
  by: 'openai 6.49 on Node',
  dialect: 'chat',
  own: { 'x-stainless-os': STAINLESS[system], 'x-stainless-arch': architecture },
});

/** One tool with its own connection, kept alive as long as what it calls keeps it. */
export class Caller {
  readonly #tool: Tool;
  readonly #way: Way;
  readonly #head: RecordedHead;
  #socket: Socket | null = null;

  constructor(tool: Tool, way: Way) {
    this.#tool = tool;
    this.#way = way;
    this.#head = DIRECT.find(({ by }) => by.startsWith(tool.by))!;
  }

  /** Sends a body of the tool's dialect, and reads the whole answer. Rejects if it is a refusal. */
  async send(body: Record<string, unknown>): Promise<void> {
    const socket = await this.#connected();
    const { deviceId } = this.#tool;
    const metadata = deviceId
      ? { metadata: { user_id: JSON.stringify({ device_id: deviceId, session_id: 's' }) } }
      : {};
    const text = JSON.stringify({ ...body, ...metadata });
    socket.write(`${this.#headFor(Buffer.byteLength(text))}\r\n\r\n${text}`);
    const answer = await readAnswer(socket);
    if (/^connection: close/im.test(answer.head) || socket.destroyed) this.close();
    if (!/^HTTP\/1\.[01] 200 /.test(answer.head)) {
      this.close();
      throw new Error(`${this.#tool.by} got ${answer.head.split('\r\n', 1)[0]}: ${answer.body.slice(0, 300)}`);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #headFor(length: number): string {
    const { host, key, through } = this.#way;
    const { own, dialect } = this.#tool;
    const headers = this.#way.headers?.(dialect) ?? {};
    const more = Object.entries(headers).filter(([name]) => name !== 'authorization');
    const lines = this.#head.lines.split('\n').map((line) => {
      const name = line.slice(0, line.indexOf(':'));
      const given = {
        host,
        authorization: headers.authorization ?? `Bearer ${key}`,
        'content-length': String(length),
      }[name.toLowerCase()];
      return given === undefined && own[name] === undefined ? line : `${name}: ${given ?? own[name]}`;
    });
    // Nobody may believe it.
    lines.splice(2, 0, 'x-connection-id: made-up');
    const path = PATHS[dialect];
    const target = through && !through.isTunnel ? `http://${host}${path}` : path;
    return [`POST ${target} HTTP/1.1`, ...lines, ...more.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
  }

  async #connected(): Promise<Socket> {
    if (this.#socket && !this.#socket.destroyed && this.#socket.writable) return this.#socket;
    const { port, host, through } = this.#way;
    let socket: Socket = connect(through?.port ?? port, '127.0.0.1');
    await once(socket, 'connect');
    if (through?.isTunnel) {
      socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const { head } = await readAnswer(socket, true);
      if (!/^HTTP\/1\.[01] 200/.test(head)) throw new Error(`no tunnel: ${head}`);
      if (through.opensTls) {
        // Its certificate is that of the test.
        socket = connectTls({ socket, servername: 'localhost', rejectUnauthorized: false });
        await once(socket, 'secureConnect');
      }
    }
    socket.on('error', () => {});
    this.#socket = socket;
    return socket;
  }
}

/** Reads one answer: its head, and its body by its length, in chunks, or until the end. */
async function readAnswer(socket: Socket, isHeadOnly = false): Promise<{ head: string; body: string }> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const at = bytes.indexOf('\r\n\r\n');
    if (at >= 0) {
      const head = bytes.subarray(0, at).toString('latin1');
      const body = bytes.subarray(at + 4);
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
      const isChunked = /^transfer-encoding: *chunked/im.test(head);
      const isWhole = isChunked
        ? body.includes('\r\n0\r\n\r\n') || body.toString() === '0\r\n\r\n'
        : body.length >= length;
      if (isHeadOnly || isWhole) return { head, body: body.toString() };
    }
    const more = await new Promise<Buffer | null>((resolve, reject) => {
      const done = (result: Buffer | null, error?: Error) => {
        socket.off('data', onData).off('close', onEnd).off('end', onEnd).off('error', onError);
        if (error) reject(error);
        else resolve(result);
      };
      const onData = (chunk: Buffer) => done(chunk);
      const onEnd = () => done(null);
      const onError = (error: Error) => done(null, error);
      socket.once('data', onData).once('close', onEnd).once('end', onEnd).once('error', onError);
    });
    if (more === null) {
      if (at < 0) throw new Error('the connection ended before an answer');
      const head = bytes.subarray(0, at).toString('latin1');
      socket.destroy();
      return { head, body: bytes.subarray(at + 4).toString() };
    }
    bytes = Buffer.concat([bytes, more]);
  }
}
