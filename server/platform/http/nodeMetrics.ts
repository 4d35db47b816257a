import * as http from 'node:http';
import type { Config } from '../config/config.ts';

const MAX_WAIT_MS = 3_000;

type Node = Pick<Config, 'host' | 'port' | 'publicUrl' | 'metricsToken'>;

/**
 * The metrics of the server with these settings: of the node on this machine, or else of the one that PUBLIC_URL leads
 * to. Throws what the operator can read.
 */
export async function readNodeMetrics(node: Node): Promise<{ from: string; text: string }> {
  const { publicUrl, metricsToken } = node;
  const headers: Record<string, string> = metricsToken === null ? {} : { authorization: `Bearer ${metricsToken}` };
  const here = await askHere(node, headers).catch(() => null);
  if (here !== null) return { from: 'the node on this machine', text: here };
  if (publicUrl === null) throw new Error('no server answers on this machine');
  const signal = AbortSignal.timeout(MAX_WAIT_MS);
  const answer = await fetch(`${publicUrl}/metrics`, { headers, signal, redirect: 'manual' }).catch(() => null);
  if (answer === null) throw new Error(`no server answers on this machine or at ${publicUrl}`);
  if (answer.status === 401) throw new Error(`${publicUrl}/metrics needs METRICS_TOKEN`);
  if (!answer.ok) throw new Error(`${publicUrl}/metrics answers ${answer.status}`);
  return { from: `the node at ${publicUrl}`, text: await answer.text() };
}

/** Not by `fetch`, which can't name the host that the server answers to. */
function askHere({ host, port, publicUrl }: Node, headers: Record<string, string>): Promise<string> {
  const address = { '0.0.0.0': '127.0.0.1', '::': '::1', '[::]': '::1' }[host] ?? host;
  const named = publicUrl === null ? {} : { host: new URL(publicUrl).host };
  return new Promise((resolve, reject) => {
    const options = { host: address, port, path: '/metrics', headers: { ...headers, ...named }, timeout: MAX_WAIT_MS };
    const request = http.get(options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
      });
      answer.on('error', reject);
      answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(`${answer.statusCode}`))));
    });
    request.on('timeout', () => request.destroy(new Error('silence')));
    request.on('error', reject);
  });
}
