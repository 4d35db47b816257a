import { measureWebview } from '../webview/measure.ts';
import type { Measure } from './numbers.ts';

export const webview: Measure = {
  name: 'webview',
  about: 'the chat view in a browser',
  async run() {
    const numbers = await measureWebview();
    const ms = (id: string, what: string, value: number, atMost: number) => ({
      id,
      what,
      value,
      unit: 'ms',
      goal: { atMost },
    });
    return [
      ms('first-paint', 'chat view: first paint, with 50 messages', numbers.firstPaintMs, 200),
      ms('longest-task', 'chat view: longest task in an answer of 2,000 tokens', numbers.longestTaskMs, 50),
      ms('open-5000', 'chat view: a conversation of 5,000 messages opens', numbers.open5000Ms, 500),
    ];
  },
};
