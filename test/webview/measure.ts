import type { Browser, Page } from 'playwright-core';
import type { Message } from '../../shared/conversations.ts';
import { answer, changed, conversation, longAnswer, running, surroundings, user } from './samples.ts';
import { Harness } from './view.ts';

export interface WebviewNumbers {
  /** From the start of the page's load to the first paint of a conversation, in ms. */
  firstPaintMs: number;
  /** The longest task of the page's main thread while an answer of 2,000 tokens streams in, in ms. */
  longestTaskMs: number;
  /** From a conversation of 5,000 messages being told to its newest ones being painted, in ms. */
  open5000Ms: number;
}

/** Measures the chat's web view in a browser of its own: the middle of `rounds` rounds. For the bench; asserts nothing. */
export async function measureWebview(rounds = 3): Promise<WebviewNumbers> {
  const harness = await Harness.start();
  try {
    const all: WebviewNumbers[] = [];
    for (let i = 0; i < rounds; i++) {
      all.push({
        firstPaintMs: await firstPaint(harness),
        longestTaskMs: await longestTask(harness),
        open5000Ms: await open5000(harness),
      });
    }
    const middle = (key: keyof WebviewNumbers) => {
      const values = all.map((numbers) => numbers[key]).sort((a, b) => a - b);
      return Math.round(values[Math.floor(values.length / 2)]! * 10) / 10;
    };
    return {
      firstPaintMs: middle('firstPaintMs'),
      longestTaskMs: middle('longestTaskMs'),
      open5000Ms: middle('open5000Ms'),
    };
  } finally {
    await harness.stop();
  }
}

const PAINTED = 'new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))';

/** A host that answers `ready` at once with a conversation of 50 messages, as after a reload of the window. */
async function firstPaint(harness: Harness): Promise<number> {
  const view = await harness.open();
  const messages = talk(50);
  const told = JSON.stringify([surroundings(), conversation(messages)]);
  const newest = JSON.stringify(`m-${messages.at(-1)!.id}`);
  await view.page.addInitScript(`addEventListener('DOMContentLoaded', () => {
    fake.until(() => fake.posted.some((m) => m.type === 'ready')).then(() => fake.postAll(${told}));
    const look = () => document.getElementById(${newest}) ? ${PAINTED}.then((at) => { fake.paintedAt = at; })
      : requestAnimationFrame(look);
    look();
  })`);
  await view.page.reload();
  const painted = (await view.page.evaluate(
    `new Promise((done) => { const look = () => fake.paintedAt ? done(fake.paintedAt) : requestAnimationFrame(look); look(); })`,
  )) as number;
  await view.close();
  return painted;
}

async function longestTask(harness: Harness): Promise<number> {
  const view = await harness.open();
  const reply = running();
  await view.tell(surroundings(), conversation([...talk(10), user('Go'), reply]));
  const text = longAnswer(2000);
  const end = changed([{ ...reply, state: 'complete', text, chargedMicro: 1 }]);
  const trace = await traced(harness.browser, view.page, () =>
    view.page.evaluate(`(async () => {
      const text = ${JSON.stringify(text)};
      // 40 characters each 30 ms: some 330 tokens a second, several times what models write.
      for (let at = 0; at < text.length; at += 40) {
        fake.post({ type: 'text', messageId: '${reply.id}', text: text.slice(at, at + 40), at });
        await new Promise((done) => setTimeout(done, 30));
      }
      fake.post(${JSON.stringify(end)});
      await new Promise((done) => setTimeout(done, 300));
    })()`),
  );
  await view.close();
  return trace;
}

async function open5000(harness: Harness): Promise<number> {
  const view = await harness.open();
  await view.tell(surroundings(), conversation([]));
  const messages = talk(5000);
  const newest = JSON.stringify(`m-${messages.at(-1)!.id}`);
  const took = (await view.page.evaluate(`(async () => {
    const message = ${JSON.stringify(conversation(messages))};
    await ${PAINTED};
    const from = performance.now();
    fake.post(message);
    while (!document.getElementById(${newest})) await new Promise((done) => requestAnimationFrame(done));
    return (await ${PAINTED}) - from;
  })()`)) as number;
  await view.close();
  return took;
}

function talk(n: number): Message[] {
  return Array.from({ length: n }, (_, i) =>
    i % 2 ? answer(longAnswer(120)) : user(`Question ${i}: why is that so?`),
  );
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  args?: { name?: string };
}

/** The longest task on a renderer's main thread while `act` runs, in ms. */
async function traced(browser: Browser, page: Page, act: () => Promise<unknown>): Promise<number> {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'] });
  await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const mains = new Set(
    traceEvents
      .filter((e) => e.name === 'thread_name' && e.args?.name === 'CrRendererMain')
      .map((e) => `${e.pid}/${e.tid}`),
  );
  const tasks = traceEvents.filter((e) => e.ph === 'X' && /RunTask$/.test(e.name) && mains.has(`${e.pid}/${e.tid}`));
  if (!tasks.length) throw new Error('The trace has no tasks of the page.');
  return Math.max(...tasks.map((task) => (task.dur ?? 0) / 1000));
}

if (import.meta.filename === process.argv[1]) console.log(await measureWebview());
