/**
 * User actions in an editor, each repeated until its effect shows. A loading window loses keys, a list that is redrawn
 * loses clicks, and a view that takes the focus closes a list. A person notices that and tries again.
 *
 *     const deeds = new Deeds(page);
 *     await deeds.press('Alt+Shift+E', 'the edit asks what to do', page.getByText('Edit lines 12–25'));
 *     await deeds.click(button, 'the review begins', gone(button));
 *
 * The effect is checked before each try, so that an action with a late effect isn't done twice. An action that must not
 * be repeated (it would accept the next hunk too) gets the patience of `once`.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errors, type Locator, type Page } from 'playwright-core';
import { root } from '../fetch.ts';

type Patience = Pick<Deed, 'patienceMs'>;

/** The visible effect of a deed: an element that is visible, or any check. */
export type Effect = Locator | (() => Promise<boolean>);

export interface Deed {
  /** The action, for the report: 'run "Perigee: New Chat" from the palette'. */
  deed: string;
  /** The expected effect, in words: 'the palette closes'. */
  effect: string;
  shows: Effect;
  /** Does the action once, within `timeoutMs`. An error goes into the report, and the action is tried again. */
  act: (timeoutMs: number) => Promise<unknown>;
  /** How long to wait for the effect of the first try; each later try waits twice as long. */
  patienceMs?: number;
}

const LONGEST_PATIENCE_MS = 20_000;
const LOOK_MS = 40;
/** For deeds that must not be done twice. */
export const once = { patienceMs: 20_000 };

/** The effect that an element disappears. */
export const gone = (locator: Locator): (() => Promise<boolean>) => {
  return async () => !(await locator.first().isVisible());
};

/** The effect that all of several effects show. */
export const all = (...effects: Effect[]): (() => Promise<boolean>) => {
  return async () => {
    for (const effect of effects) if (!(await isSo(effect))) return false;
    return true;
  };
};

/** The effect that at least one of several effects shows. */
export const any = (...effects: Effect[]): (() => Promise<boolean>) => {
  return async () => {
    for (const effect of effects) if (await isSo(effect)) return true;
    return false;
  };
};

/** The effect that no element matches, visible or not. */
export const none = (locator: Locator): (() => Promise<boolean>) => {
  return async () => (await locator.count()) === 0;
};

export function isSo(effect: Effect): Promise<boolean> {
  return typeof effect === 'function' ? effect() : effect.first().isVisible();
}

export class Deeds {
  /** `limitMs` is generous: it matters only when something fails, or on a busy machine. */
  constructor(
    readonly page: Page,
    private readonly limitMs = 90_000,
  ) {}

  /** Does the action repeatedly until its effect shows. Rejects with a picture and a description of the window. */
  async until({ deed, effect, shows, act, patienceMs = 2_000 }: Deed): Promise<void> {
    const deadline = Date.now() + this.limitMs;
    let patience = patienceMs;
    let lastError: unknown;
    for (let tries = 1; !(await this.#isSo(shows)); tries++) {
      if (tries > 1) console.log(`      (${deed}: try ${tries})`);
      await act(Math.max(patience, 5_000)).catch((error) => {
        lastError = error;
      });
      if (await this.#shown(shows, patience)) return;
      if (Date.now() > deadline || this.page.isClosed()) {
        const because = lastError instanceof Error ? `\nThe last try: ${lastError.message}` : '';
        throw new Error(`${deed}: after ${tries} tries, ${effect} did not show.${because}\n${await this.look(deed)}`);
      }
      patience = Math.min(2 * patience, LONGEST_PATIENCE_MS);
    }
  }

  /** Waits for an effect that needs no action. */
  async wait(effect: string, shows: Effect): Promise<void> {
    if (await this.#shown(shows, this.limitMs)) return;
    throw new Error(`${effect} did not show.\n${await this.look(effect)}`);
  }

  /** Presses a key, wherever the focus is. */
  press(key: string, effect: string, shows: Effect, { patienceMs }: Patience = {}): Promise<void> {
    return this.#atLeastOnce({
      deed: `press ${key}`,
      effect,
      shows,
      act: () => this.page.keyboard.press(key),
      patienceMs,
    });
  }

  /** Presses a key in a field, as long as the field exists. */
  pressIn(field: Locator, key: string, effect: string, shows: Effect, { patienceMs }: Patience = {}): Promise<void> {
    return this.#atLeastOnce({
      deed: `press ${key} in ${field}`,
      effect,
      shows,
      act: (timeout) => field.press(key, { timeout }),
      patienceMs,
    });
  }

  /** Clicks an element that may be redrawn at the same moment. Once it is gone, it only waits for the effect. */
  click(target: Locator, effect: string, shows: Effect, { patienceMs }: Patience = {}): Promise<void> {
    let clicked = false;
    return this.#atLeastOnce({
      deed: `click ${target}`,
      effect,
      shows,
      act: async (timeout) => {
        if (clicked && !(await target.first().isVisible())) return;
        await target.first().click({ timeout });
        clicked = true;
      },
      patienceMs,
    });
  }

  /** For effects that may seem to show too early, such as an element's absence. */
  async #atLeastOnce(deed: Deed): Promise<void> {
    let done = false;
    await this.until({
      ...deed,
      shows: async () => done && (await isSo(deed.shows)),
      act: async (timeout) => {
        await deed.act(timeout);
        done = true;
      },
    });
  }

  /** Takes a picture of the window. Returns its path, and a short description for the reader of the report. */
  async look(name: string): Promise<string> {
    const file = join(root, 'out/editor/failed', `${name.replace(/\W+/g, '-').slice(0, 80)}.png`);
    try {
      await mkdir(join(file, '..'), { recursive: true });
      await this.page.screenshot({ path: file, timeout: 20_000 });
      const seen = await this.page.evaluate(() => {
        const shown = (selector: string) =>
          Array.from(document.querySelectorAll<HTMLElement>(selector))
            .filter((node) => node.offsetParent !== null)
            .map((node) => (node.innerText || '').replace(/\s+/g, ' ').trim().slice(0, 300));
        const input = document.querySelector<HTMLInputElement>('.quick-input-widget input[type=text]');
        const focus = document.activeElement;
        return {
          focus: `${focus?.tagName.toLowerCase()}.${focus?.className}`.slice(0, 120),
          quickInput: input?.offsetParent ? [input.value, ...shown('.quick-input-widget')] : [],
          dialogs: shown('.monaco-dialog-box'),
          menus: shown('.monaco-menu'),
          notifications: shown('.notification-list-item'),
          tab: shown('.editor-group-container.active .tab.active'),
          statusBar: shown('.statusbar-item').filter(Boolean),
        };
      });
      const told = Object.entries(seen).filter(([, what]) => what.length > 0);
      return `Seen: ${told.map(([what, is]) => `${what}: ${JSON.stringify(is)}`).join('\n  ')}\nPicture: ${file}`;
    } catch (error) {
      return `No picture: ${(error as Error).message}`;
    }
  }

  async #shown(shows: Effect, forMs: number): Promise<boolean> {
    const deadline = Date.now() + forMs;
    for (;;) {
      if (await this.#isSo(shows)) return true;
      if (Date.now() > deadline || this.page.isClosed()) return false;
      await pause(LOOK_MS);
    }
  }

  /** A check during a page reload can't be answered, so it counts as false. */
  async #isSo(shows: Effect): Promise<boolean> {
    try {
      return await isSo(shows);
    } catch (error) {
      if (error instanceof errors.TimeoutError || /context was destroyed|detached/.test(String(error))) return false;
      throw error;
    }
  }
}
