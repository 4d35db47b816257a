// Runs in the tested page before the view's own script: the editor's side of a web view, as small as it can be.

interface Fake {
  /** Every message of the view to its host. */
  posted: { type: string }[];
  state: unknown;
  /** The longest text that was ever put into the log while it ran, and how often the live region spoke. */
  heard: string[];
  post(message: unknown): void;
  postAll(messages: unknown[]): void;
  /** Resolves when what was posted is on the screen. */
  drawn(): Promise<void>;
  fromEnd(): number;
  overflow(): string[];
  paste(selector: string, length: number): boolean;
  /** Resolves when this expression holds, looked at after each message, each state saved and each change of the page. */
  until(holds: () => boolean): Promise<void>;
  violations: string[];
  longTasks: number[];
}

let waiting: { holds: () => boolean; resolve: () => void }[] = [];
function look(): void {
  waiting = waiting.filter(({ holds, resolve }) => {
    if (!holds()) return true;
    resolve();
    return false;
  });
}

const stored = sessionStorage.getItem('state');
const fake: Fake = {
  posted: [],
  state: stored ? JSON.parse(stored) : undefined,
  heard: [],
  violations: [],
  longTasks: [],
  post: (message) => window.postMessage(message, '*'),
  postAll(messages) {
    for (const message of messages) window.postMessage(message, '*');
  },
  async drawn() {
    const frame = () => new Promise<unknown>((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => setTimeout(resolve));
    do {
      await frame();
      await frame();
    } while (document.querySelector('.transcript[role=log][aria-busy="true"]'));
  },
  /** CSS pixels between what is seen and the end of the conversation. */
  fromEnd() {
    const box = document.querySelector('.transcript')!;
    return box.scrollHeight - box.clientHeight - box.scrollTop;
  },
  /** Elements that stick out of the window sideways, unless a box of their own scrolls or clips them. */
  overflow() {
    const found: string[] = [];
    for (const element of document.querySelectorAll('body *')) {
      const rect = element.getBoundingClientRect();
      if (rect.width === 0 || (rect.right <= innerWidth + 0.5 && rect.left >= -0.5)) continue;
      let parent = element.parentElement;
      while (parent && getComputedStyle(parent).overflowX === 'visible') parent = parent.parentElement;
      const clip = parent?.getBoundingClientRect();
      const isOwnBox = parent?.matches('pre, .table, .heard') || getComputedStyle(element).clipPath !== 'none';
      const isCut = clip && clip.right <= innerWidth + 0.5 && getComputedStyle(parent!).textOverflow === 'ellipsis';
      if (!isOwnBox && !isCut) found.push(`${element.tagName}.${element.className} ${rect.left}–${rect.right}`);
    }
    return found;
  },
  until(holds) {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => waiting.push({ holds, resolve }));
  },
  /** Pastes a text of this length; whether the view let it in. */
  paste(selector, length) {
    const data = new DataTransfer();
    data.setData('text/plain', 'x'.repeat(length));
    const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
    return document.querySelector(selector)!.dispatchEvent(event);
  },
};

new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) fake.longTasks.push(entry.duration);
}).observe({ type: 'longtask', buffered: true });
document.addEventListener('securitypolicyviolation', (event) => {
  fake.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
new MutationObserver(() => {
  const text = document.querySelector('.heard')?.textContent ?? '';
  if (text && text !== fake.heard.at(-1)) fake.heard.push(text);
}).observe(document, { subtree: true, childList: true, characterData: true });

Object.assign(window, {
  fake,
  acquireVsCodeApi: () => ({
    postMessage: (message: { type: string }) => {
      fake.posted.push(structuredClone(message));
      look();
    },
    getState: () => fake.state,
    setState: (state: unknown) => {
      fake.state = structuredClone(state);
      sessionStorage.setItem('state', JSON.stringify(state));
      look();
      return state;
    },
  }),
});
