import type { Json } from '../dialects/chat/refused.ts';

/** Server-sent events that are named by the `type` of their data. */
export function eventFrames(events: readonly Json[]): string {
  let text = '';
  for (const event of events) text += `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
  return text;
}
