// The yardstick: the least that a gateway can do which looks at what passes. Node's own HTTP on both sides; every event is
// parsed, rewritten and sent on at once, and so is an answer in one piece. No accounts, no database, no log. `tsx test/bench/plainProxy.ts http://…/v1`
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { StringDecoder } from 'node:string_decoder';

const upstream = new URL(process.argv[2]!);
const agent = new http.Agent({ keepAlive: true });

const server = http.createServer((request, response) => {
  if (request.url === '/cpu') {
    const { user, system } = process.cpuUsage();
    response.end(String((user + system) / 1e6));
    return;
  }
  const pieces: Buffer[] = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => forward(Buffer.concat(pieces), response));
});

function forward(body: Buffer, response: http.ServerResponse): void {
  const asked = JSON.parse(body.toString()) as { model?: string };
  const sent = JSON.stringify({ ...asked, model: 'double' });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) };
  const path = `${upstream.pathname}/chat/completions`;
  const call = http.request({ agent, host: upstream.hostname, port: upstream.port, method: 'POST', path, headers });
  call.on('response', (answer) => {
    const type = answer.headers['content-type'] ?? 'application/json';
    if (type.startsWith('application/json')) return sendWhole(answer, response);
    response.writeHead(answer.statusCode ?? 502, { 'content-type': 'text/event-stream' });
    const decoder = new StringDecoder('utf8');
    let rest = '';
    answer.on('data', (bytes: Buffer) => {
      const events = (rest + decoder.write(bytes)).split('\n\n');
      rest = events.pop()!;
      const out = events.map(rewrite).join('');
      if (out) response.write(out);
    });
    answer.on('end', () => response.end());
    answer.on('error', () => response.destroy());
  });
  call.on('error', () => response.destroy());
  response.on('close', () => call.destroy());
  call.end(sent);
}

function sendWhole(answer: http.IncomingMessage, response: http.ServerResponse): void {
  const pieces: Buffer[] = [];
  answer.on('data', (piece) => pieces.push(piece));
  answer.on('error', () => response.destroy());
  answer.on('end', () => {
    const completion = JSON.parse(Buffer.concat(pieces).toString()) as { model: string };
    completion.model = 'plain';
    const body = JSON.stringify(completion);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    response.writeHead(answer.statusCode ?? 502, headers).end(body);
  });
}

function rewrite(event: string): string {
  const data = event.slice('data: '.length);
  if (data === '[DONE]') return `${event}\n\n`;
  const chunk = JSON.parse(data) as { model: string };
  chunk.model = 'plain';
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

server.listen(0, '127.0.0.1', () => {
  console.log(`plain proxy: http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
