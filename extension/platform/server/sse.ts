import { createParser, type EventSourceMessage } from 'eventsource-parser';

export interface SseMessage {
  event: string | undefined;
  id: string | undefined;
  data: string;
}

/** Yields the server-sent events of a body until it ends. Calls `heard` for each chunk, heartbeats included. */
export async function* readSse(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<SseMessage> {
  let ready: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => ready.push(event) });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      parser.feed(decoder.decode(value, { stream: true }));
      const messages = ready;
      ready = [];
      for (const { event, id, data } of messages) yield { event, id, data };
    }
  } finally {
    // Needed when the consumer stops early: the connection must not stay open.
    await reader.cancel().catch(() => {});
  }
}
