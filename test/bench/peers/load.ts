// The same client for every way to the service, and the proof that its answers came from there: each question stands on the
// service's bill once, and each answer is whole.
import { randomUUID } from 'node:crypto';
import { chatText, readAll, readStream, type Stream, send } from '../gateways.ts';
import { now } from '../numbers.ts';
import type { UpstreamProcess } from '../services.ts';
import type { Peer } from './peers.ts';

const PATH = '/v1/chat/completions';

/** An answer in one piece. */
export interface Whole {
  mark: string;
  /** From sending to the last byte. */
  ms: number;
  raw: string;
}

const question = (mark: string, stream: boolean) =>
  JSON.stringify({
    ...{ model: 'double', max_tokens: 2000, stream },
    ...(stream && { stream_options: { include_usage: true } }),
    messages: [
      { role: 'system', content: 'You are a helpful assistant that answers briefly.' },
      { role: 'user', content: mark },
    ],
  });

export async function askWhole(peer: Peer, n: number): Promise<Whole> {
  const mark = randomUUID();
  const body = question(mark, false);
  const headers = peer.headers(n);
  const sentAt = now();
  const raw = await readAll(await send(peer.url, 'POST', PATH, headers, body));
  return { mark, ms: now() - sentAt, raw };
}

export async function askStream(peer: Peer, n: number): Promise<Stream> {
  const mark = randomUUID();
  const body = question(mark, true);
  const headers = peer.headers(n);
  const sentAt = now();
  const answer = await send(peer.url, 'POST', PATH, headers, body);
  return { mark, sentAt, ...(await readStream(answer, '"content":"p')) };
}

/** Sends one question after the other. */
export async function oneByOne(peer: Peer, count: number): Promise<Whole[]> {
  const answers: Whole[] = [];
  for (let i = 0; i < count; i++) answers.push(await askWhole(peer, i));
  return answers;
}

/** So many clients, each of which asks again once it has its answer, until the time is over. */
export async function allAtOnce(peer: Peer, clients: number, ms: number): Promise<{ answers: Whole[]; ms: number }> {
  const answers: Whole[] = [];
  const began = now();
  const client = async (n: number) => {
    while (now() - began < ms) answers.push(await askWhole(peer, n));
  };
  await Promise.all(Array.from({ length: clients }, (_, n) => client(n)));
  return { answers, ms: now() - began };
}

/** So many readers of streams, each of whom asks again `times` times; they begin one by one over `rampMs`. */
export async function readers(peer: Peer, count: number, times: number, rampMs: number): Promise<Stream[]> {
  const streams: Stream[] = [];
  const reader = async (n: number) => {
    await new Promise((begin) => setTimeout(begin, (n * rampMs) / count));
    for (let i = 0; i < times; i++) streams.push(await askStream(peer, n));
  };
  await Promise.all(Array.from({ length: count }, (_, n) => reader(n)));
  return streams;
}

interface Completion {
  choices: { message: { content: string } }[];
}

export const textOfWhole = ({ raw }: Whole) => (JSON.parse(raw) as Completion).choices[0]?.message.content;

/** Rejects unless every answer is whole and its question, and no other, is on the service's bill; resolves to that bill. */
export async function proved(
  upstream: UpstreamProcess,
  peer: Peer,
  answers: readonly (Whole | Stream)[],
  pieces: number,
): Promise<Map<string, { receivedAtMs: number; firstPieceAtMs: number | null }>> {
  const whole = Array.from({ length: pieces }, (_, i) => `piece ${i} `).join('');
  const entries = await upstream.bill();
  const bill = new Map(entries.map((entry) => [entry.body.messages!.at(-1)!.content, entry]));
  const wrong = answers.find(
    (answer) =>
      ('ms' in answer ? textOfWhole(answer) : chatText(answer)) !== whole ||
      bill.get(answer.mark)?.state !== 'complete',
  );
  if (wrong) throw new Error(`${peer.name} gave an answer that is not the service’s: ${wrong.raw.slice(0, 500)}`);
  if (entries.length !== answers.length)
    throw new Error(`${peer.name} asked the service ${entries.length} times for ${answers.length} questions`);
  return bill;
}
