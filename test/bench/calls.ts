// How long calls take that are made one by one at a steady rate, several kinds of them by turns: what else the machine does
// meets all of them alike.
import * as http from 'node:http';

export interface Call {
  name: string;
  path: string;
  /** Made ahead: what the client computes isn't the server's time. Each is used once. */
  headers: () => Promise<Record<string, string>>;
}

interface Prepared {
  name: string;
  path: string;
  headers: Record<string, string>;
}

/**
 * Milliseconds from sending to the last byte of the answer, by the call's name. Each kind is called `perSecond` times a
 * second for `seconds`, whether or not earlier calls have been answered. Rejects when any is refused.
 */
export async function callByTurns(
  url: string,
  calls: readonly Call[],
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Map<string, number[]>> {
  const agent = new http.Agent({ keepAlive: true });
  const prepared: Prepared[] = [];
  for (let i = 0; i < perSecond * seconds; i++)
    for (const { name, path, headers } of calls) prepared.push({ name, path, headers: await headers() });
  const times = new Map<string, number[]>(calls.map(({ name }) => [name, []]));
  try {
    const everyMs = 1000 / (perSecond * calls.length);
    const began = performance.now();
    const answered: Promise<void>[] = [];
    for (const [i, call] of prepared.entries()) {
      const waitMs = began + i * everyMs - performance.now();
      if (waitMs > 0) await new Promise((due) => setTimeout(due, waitMs));
      answered.push(send(agent, url, call).then((ms) => void times.get(call.name)!.push(ms)));
    }
    await Promise.all(answered);
    return times;
  } finally {
    agent.destroy();
  }
}

function send(agent: http.Agent, url: string, { name, path, headers }: Prepared): Promise<number> {
  return new Promise((done, fail) => {
    const sentAt = performance.now();
    const request = http.get(url + path, { agent, headers }, (answer) => {
      answer.on('data', () => {});
      answer.on('error', fail);
      answer.on('end', () => {
        if (answer.statusCode === 200) done(performance.now() - sentAt);
        else fail(new Error(`${name} was answered with ${answer.statusCode}`));
      });
    });
    request.on('error', fail);
  });
}
