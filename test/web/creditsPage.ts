import type { Page } from 'playwright-core';
import type { Client } from '../support/client.ts';
import { Scene } from './scene.ts';

export const MONTHLY = { plan: 'plus', interval: 'month' } as const;

let shared: Promise<Scene> | undefined;

/** One server and one browser for all suites of the credits' parts, started by the first. */
export const sharedScene = (): Promise<Scene> => {
  shared ??= Scene.start();
  return shared;
};

after(async () => {
  await (await shared)?.stop();
});

export const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

export const go = (page: Page, section: string) =>
  page.getByRole('navigation').getByRole('link', { name: section }).click();

/** A window at that part of the page of somebody who is signed in. */
export async function at(member: Client, section: string, prepare: (page: Page) => Promise<unknown> = async () => {}) {
  const scene = await sharedScene();
  const window = await scene.window();
  await prepare(window.page);
  await scene.enter(window.page, member, section);
  return window;
}
