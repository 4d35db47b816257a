// How soon what one device does is seen on another one of the same account.
import type { ConversationsAnswer } from '../../shared/conversations.ts';
import type { Member } from '../support/member.ts';
import { type Finding, type Measure, median, quantile } from './numbers.ts';

const CHANGES = 300;

/**
 * A conversation is renamed at `here`; `there` hears of it on its stream of events, asks for the list and sees the title. Both
 * have one conversation, and may be at different nodes.
 */
export async function renames(
  id: string,
  where: string,
  here: Member,
  there: Member,
  say: Parameters<Measure['run']>[0],
): Promise<Finding> {
  const watched = await Watched.open(there);
  try {
    const conversation = (await list(here)).conversations[0]!;
    const times: number[] = [];
    for (let i = 0; i < CHANGES; i++) {
      const title = `Renamed ${i}`;
      const seen = watched.until(async () => (await list(there)).conversations[0]?.title === title);
      const sentAt = performance.now();
      const [answer] = await Promise.all([
        here.request('PATCH', `/api/conversations/${conversation.id}`, { title }),
        seen,
      ]);
      if (answer.status !== 204) throw new Error(`a conversation was not renamed: ${answer.status}`);
      times.push((await seen) - sentAt);
    }
    say(`renames, ${where}: p50 ${median(times).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`);
    return {
      id: `push-${id}`,
      what: `a rename on one device seen on another, ${where}, p99`,
      value: quantile(times, 0.99),
      unit: 'ms',
      goal: { atMost: 300 },
      note: `of ${CHANGES}; p50 ${median(times).toFixed(1)} ms, slowest ${Math.max(...times).toFixed(1)} ms`,
    };
  } finally {
    watched.close();
  }
}

async function list(member: Member): Promise<ConversationsAnswer> {
  const answer = await member.request<ConversationsAnswer>('GET', '/api/conversations?limit=50');
  if (answer.status !== 200) throw new Error(`no conversations: ${answer.status}`);
  return answer.body;
}

/** A device's stream of what changed. */
class Watched {
  #look: () => void = () => {};

  private constructor(private readonly gone: AbortController) {}

  static async open(member: Member): Promise<Watched> {
    const gone = new AbortController();
    const path = '/api/account/events';
    const headers = await member.credentials('GET', path);
    const answer = await fetch(member.url + path, { headers, signal: gone.signal });
    if (answer.status !== 200) throw new Error(`no stream of changes: ${answer.status}`);
    const watched = new Watched(gone);
    const read = async () => {
      const decoder = new TextDecoder();
      for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>)
        if (decoder.decode(piece, { stream: true }).includes('event: change')) watched.#look();
    };
    read().catch((error) => {
      if (!gone.signal.aborted) throw error;
    });
    return watched;
  }

  /** When `holds` was first true; asked each time something changed, as the editor does. */
  until(holds: () => Promise<boolean>): Promise<number> {
    return new Promise((done, fail) => {
      this.#look = () => {
        holds().then((yes) => yes && done(performance.now()), fail);
      };
      setTimeout(() => fail(new Error('a change was not seen within 10 s')), 10_000).unref();
    });
  }

  close(): void {
    this.gone.abort();
  }
}
