// The list at the top of the window for commands, files and lines: opens it, fills it in, and chooses a row.
import { basename } from 'node:path';
import type { Locator } from 'playwright-core';
import { all, type Deeds, gone } from './deeds.ts';

const widget = ({ page }: Deeds) => page.locator('.quick-input-widget');
const input = (deeds: Deeds) => widget(deeds).locator('input[type=text]');
const rows = (deeds: Deeds) => widget(deeds).locator('.monaco-list-row');

/** Runs a command by its full title, such as 'Perigee: New Chat'. */
export async function runCommand(deeds: Deeds, title: string): Promise<void> {
  const row = rows(deeds).filter({ has: deeds.page.getByText(title, { exact: true }) });
  await choose(deeds, 'F1', `>${title}`, row);
}

/** Opens a file by its absolute path and puts the cursor into `line`, counted from 1. Then the editor has the focus. */
export async function openFile(deeds: Deeds, absolute: string, line?: number): Promise<void> {
  const name = basename(absolute);
  const { page } = deeds;
  const row = rows(deeds).filter({ has: page.getByText(name, { exact: true }) });
  const inFront = page.locator(`.tab.active[data-resource-name="${name}"]`);
  let chosen = false;
  await deeds.until({
    deed: `open ${absolute}${line ? `:${line}` : ''}`,
    effect: 'the file in front, with the keyboard and the cursor there',
    // An open file may already be active, with the cursor elsewhere.
    shows: async () => chosen && (await all(inFront, focusedEditor(deeds), cursorIn(deeds, line))()),
    act: async () => {
      await choose(deeds, 'Control+P', absolute + (line ? `:${line}` : ''), row);
      chosen = true;
    },
  });
}

/** Moves the active editor's cursor, counted from 1, and scrolls to it. Past the end of the file means its end. */
export async function goTo(deeds: Deeds, line: number, column: number): Promise<void> {
  let chosen = false;
  await deeds.until({
    deed: `go to line ${line}`,
    effect: 'the cursor there',
    shows: async () => chosen && (await all(focusedEditor(deeds), cursorIn(deeds, line, '<='))()),
    act: async () => {
      await choose(deeds, 'Control+G', `:${line}:${column}`, rows(deeds));
      chosen = true;
    },
  });
}

/** The active editor, while it has the focus. */
export const focusedEditor = ({ page }: Deeds): Locator =>
  page.locator('.editor-group-container.active .monaco-editor.focused');

function cursorIn({ page }: Deeds, line: number | undefined, where: '=' | '<=' = '='): () => Promise<boolean> {
  return async () => {
    if (line === undefined) return true;
    const item = page.locator('[id="status.editor.selection"]');
    if (!(await item.isVisible())) return false;
    const now = Number(/Ln (\d+)/.exec((await item.textContent()) ?? '')?.[1]);
    return where === '=' ? now === line : now <= line;
  };
}

/** Opens the list by a key, fills it in, and clicks a row, until the list closes or asks for something else. */
async function choose(deeds: Deeds, key: string, text: string, row: Locator): Promise<void> {
  let clicked = false;
  await deeds.until({
    deed: `choose "${text}" from the list`,
    effect: 'the list closes',
    shows: async () => clicked && (await fieldValue(deeds)) !== text,
    act: async (timeout) => {
      await openList(deeds, key);
      // The list is searched only when its text changes, and an extension may have loaded since.
      if ((await fieldValue(deeds)) === text) await input(deeds).fill(text.slice(0, 1), { timeout });
      await input(deeds).fill(text, { timeout });
      await row.first().click({ timeout });
      clicked = true;
    },
  });
}

async function openList(deeds: Deeds, key: string): Promise<void> {
  const isOpen = async () => {
    const value = await fieldValue(deeds);
    if (value === undefined) return false;
    // Another list in the same place, such as one of ours, takes no commands and no files.
    const asks = (await input(deeds).getAttribute('placeholder')) ?? '';
    return /^[>:]/.test(value) || /^(Search files by name|Type the name of a command)/.test(asks);
  };
  await deeds.press(key, 'the list of commands and files', isOpen);
}

/** The text in the list's field; undefined while the list is closed. */
async function fieldValue(deeds: Deeds): Promise<string | undefined> {
  return (await input(deeds).isVisible())
    ? input(deeds)
        .inputValue({ timeout: 2_000 })
        .catch(() => undefined)
    : undefined;
}

/** A list with this title, or with these words as its placeholder. */
export function asking(deeds: Deeds, title: string): Locator {
  const field = deeds.page.locator(`input[placeholder^="${title}"]`);
  return widget(deeds)
    .filter({ hasText: title })
    .or(widget(deeds).filter({ has: field }));
}

/** Answers such a list with a text, which the list shows as a row, and the Enter key. */
export async function answer(deeds: Deeds, title: string, text: string): Promise<void> {
  const list = asking(deeds, title);
  await deeds.wait(`the question "${title}"`, list);
  const row = deeds.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: text });
  await enter(deeds, title, async (timeout) => {
    await list.locator('input[type=text]').fill(text, { timeout });
    await row.first().waitFor({ timeout });
  });
}

/** Presses Enter in such a list after `prepare`, until the list is gone. */
export async function enter(
  deeds: Deeds,
  title: string,
  prepare: (timeoutMs: number) => Promise<unknown> = async () => {},
): Promise<void> {
  const list = asking(deeds, title);
  await deeds.wait(`the question "${title}"`, list);
  await deeds.until({
    deed: `answer "${title}"`,
    effect: 'the list closes, or asks for something else',
    shows: gone(list),
    act: async (timeout) => {
      await prepare(timeout);
      // In the editor behind the list, the key would insert a line break.
      await list.locator('input[type=text]').press('Enter', { timeout });
    },
  });
}

/** Closes any open list. */
export async function closeList(deeds: Deeds): Promise<void> {
  const act = (timeout: number) => input(deeds).press('Escape', { timeout });
  await deeds.until({ deed: 'press Escape', effect: 'the list closes', shows: gone(input(deeds)), act });
}
