import type { Json } from '../dialects/chat/refused.ts';
import { inspect, wellFormed } from '../dialects/chat/size.ts';

/** Server-sent events that are named by the `type` of their data. */
export function eventFrames(events: readonly Json[]): string {
  let text = '';
  for (const event of events) text += `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
  return text;
}

/** The client's own body, without half a character: services answer one with a 500. It was read, so it is an object. */
export function wellFormedBody(given: unknown): Json {
  const body = given as Json;
  return inspect(body) ? body : wellFormed(body);
}
