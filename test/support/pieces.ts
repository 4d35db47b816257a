import type { Piece, StreamEvent, Upstream } from '../../server/gateway/stream.ts';

/** The events of an answer, one by one. */
export async function* eventsIn(pieces: AsyncIterable<Piece>): AsyncGenerator<StreamEvent, void, undefined> {
  for await (const { events } of pieces) yield* events;
}

/** A model service of a test's own: each event comes by itself. */
export function upstreamOf(stream: (signal: AbortSignal) => AsyncIterable<StreamEvent>, models = ['double']): Upstream {
  async function* pieces(_: unknown, signal: AbortSignal): AsyncGenerator<Piece, void, undefined> {
    for await (const event of stream(signal)) yield { events: [event], chunks: [] };
  }
  return { stream: pieces, call: pieces, models: async () => models };
}
