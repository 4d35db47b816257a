// An editor's window as its user sees it: commands, files, messages, dialogs, menus, the status bar.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Frame, FrameLocator, Locator, Page } from 'playwright-core';
import { storedIn } from '../webEdition.ts';
import { ChatParts } from './chatParts.ts';
import { Deeds, type Effect, gone } from './deeds.ts';
import { EditorParts } from './editorParts.ts';
import { closeList, openFile, runCommand } from './palette.ts';

export abstract class EditorWindow {
  /** The page, for reading. Keys and clicks go through the deeds below. */
  abstract readonly page: Page;
  /** The workspace folder, absolute. */
  abstract readonly folder: string;

  /** User actions, each repeated until its effect shows. */
  get deeds(): Deeds {
    return new Deeds(this.page);
  }

  /** Code lenses, quick picks, the list of proposals and the like. */
  get parts(): EditorParts {
    return new EditorParts(this.deeds);
  }

  /** The chat in the side bar. */
  get chat(): ChatParts {
    return new ChatParts(this);
  }

  /** Runs a command of the palette by its full title, such as 'Perigee: New Chat'. */
  runCommand(title: string): Promise<void> {
    return runCommand(this.deeds, title);
  }

  /** Opens a file of the workspace and focuses its editor. `line` counts from 1. */
  openFile(path: string, line?: number): Promise<void> {
    return openFile(this.deeds, resolve(this.folder, path), line);
  }

  /** Presses a key until its effect shows. */
  press(...deed: Parameters<Deeds['press']>): Promise<void> {
    return this.deeds.press(...deed);
  }

  /** Presses a key in a field until its effect shows. */
  pressIn(...deed: Parameters<Deeds['pressIn']>): Promise<void> {
    return this.deeds.pressIn(...deed);
  }

  /** Clicks until the effect shows. */
  click(...deed: Parameters<Deeds['click']>): Promise<void> {
    return this.deeds.click(...deed);
  }

  /** Waits for an effect that needs no action. */
  until(what: string, isSo: Effect): Promise<void> {
    return this.deeds.wait(what, isSo);
  }

  /** Saves the active file, and waits until it is saved. */
  async save(): Promise<void> {
    await this.runCommand('File: Save');
    await this.page.locator('.editor-group-container.active .tab.active:not(.dirty)').waitFor();
  }

  /** Saves the active editor as a file that has `expected` then. A file that is being written is empty for an instant. */
  async saves(file: string, expected: string): Promise<void> {
    await this.save();
    const text = () => readFile(file, 'utf8');
    const isSaved = this.deeds.wait('the saved text', async () => (await text()) === expected);
    await isSaved.catch(async (error) => assert.equal(await text(), expected, String(error)));
  }

  /** A notification. An automated editor shows none by itself, so this opens the list of notifications. */
  async notification(text: string): Promise<Locator> {
    const found = this.page.locator('.notifications-center .notification-list-item').filter({ hasText: text });
    await this.deeds.until({
      deed: 'show the messages',
      effect: `"${text}" among them`,
      shows: found,
      act: async (timeout) => {
        // The bell has no dot for a notification that arrived while the list was open.
        const bell = this.page.locator('.statusbar-item .codicon-bell-dot');
        await bell.waitFor({ timeout }).catch(() => {});
        await this.showNotifications();
      },
      patienceMs: 3_000,
    });
    return found;
  }

  /** Opens and returns the list of all notifications. */
  async showNotifications(): Promise<Locator> {
    const center = this.page.locator('.notifications-center.visible');
    const act = () => this.runCommand('Notifications: Show Notifications');
    const effect = 'their list opens';
    await this.deeds.until({ deed: 'show the messages', effect, shows: center, act });
    return this.page.locator('.notifications-center .notification-list-item');
  }

  async hideNotifications(): Promise<void> {
    const center = this.page.locator('.notifications-center.visible');
    const act = () => this.runCommand('Notifications: Hide Notifications');
    await this.deeds.until({ deed: 'hide the messages', effect: 'their list closes', shows: gone(center), act });
  }

  /** A dialog of the editor. */
  get dialog(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  /** Answers a dialog of the editor by its button. */
  async confirm(button: string): Promise<void> {
    const target = this.dialog.getByRole('button', { name: button, exact: true });
    await this.click(target, 'the dialog closes', gone(target));
  }

  /** Resolves once the Accounts menu has an entry like this or, with `isThere` false, has none. Closes the menu. */
  async accountsMenu(entry: RegExp, isThere = true): Promise<void> {
    const button = this.page.locator('.activitybar').getByRole('button', { name: /^Accounts/ });
    const items = this.page.locator('.monaco-menu .action-label');
    let right = false;
    await this.deeds.until({
      deed: 'open the Accounts menu',
      effect: `${isThere ? 'an' : 'no'} entry like ${entry}`,
      shows: async () => right,
      act: async () => {
        // The menu is built when it opens, from what the extensions have reported by then, and does not change
        // afterwards.
        await this.click(button, 'the menu', items);
        const labels = await items.allTextContents();
        await this.press('Escape', 'the menu closes', gone(items));
        right = labels.some((label) => entry.test(label)) === isThere;
        if (!right) throw new Error(`it has: ${labels.join(', ')}`);
      },
    });
  }

  /** Resolves once the meter shows this member. */
  async accountIs(label: string): Promise<void> {
    await this.statusBarItem(/credits/).waitFor();
    const shown = this.page.locator('.quick-input-widget').getByText(label);
    await this.deeds.until({
      deed: 'show what is left',
      effect: `the account of ${label}`,
      shows: shown,
      act: () => this.runCommand('Perigee: Show What Is Left'),
      patienceMs: 5_000,
    });
    await this.closeList();
  }

  /** Drags the side bar's edge to this width, in CSS pixels. VS Code's minimum is 170. */
  async setSideBarWidth(width: number): Promise<void> {
    const box = await this.page.locator('.part.sidebar').boundingBox();
    if (!box) throw new Error('The side bar is not open.');
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width + 1, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + width + 1, y, { steps: 4 });
    await this.page.mouse.up();
    await this.page.mouse.move(box.x + width + 300, y);
  }

  /** Closes any list that is open at the top of the window. */
  closeList(): Promise<void> {
    return closeList(this.deeds);
  }

  /** The content of an extension's web view, as a root for locators. It stays valid across reloads of the view. */
  webview(extensionId = 'perigee.perigee'): FrameLocator {
    return this.page
      .frameLocator(`iframe.webview.ready[src*="extensionId=${extensionId}"]`)
      .frameLocator('iframe#active-frame');
  }

  /** The same content as a frame, for evaluate(). Resolves once it is loaded. A reload makes a new frame. */
  async webviewFrame(extensionId = 'perigee.perigee'): Promise<Frame> {
    const inner = this.webview(extensionId).locator('body');
    await inner.waitFor();
    const handle = await inner.elementHandle();
    const frame = await handle?.ownerFrame();
    if (!frame) throw new Error(`The web view of ${extensionId} has gone.`);
    return frame;
  }

  /** An item of the status bar, found by its text or its id (`perigee.perigee.quota`). */
  statusBarItem(what: string | RegExp): Locator {
    const items = this.page.locator('.statusbar-item');
    return typeof what === 'string' && /^\w+\.\w+\./.test(what)
      ? this.page.locator(`.statusbar-item[id="${what}"]`)
      : items.filter({ hasText: what });
  }

  /** The texts of the status bar from left to right, empty ones left out. */
  async statusBar(): Promise<string[]> {
    const texts = await this.page.locator('.statusbar-item').allTextContents();
    return texts.map((text) => text.trim()).filter(Boolean);
  }

  /** The visible lines of the active text editor, as displayed. */
  async editorText(): Promise<string> {
    const lines = await this.page
      .locator('.editor-group-container.active .editor-instance .view-lines .view-line')
      .evaluateAll((nodes) =>
        nodes
          .map((node) => ({ top: Number.parseFloat((node as HTMLElement).style.top), text: node.textContent ?? '' }))
          .sort((a, b) => a.top - b.top)
          .map(({ text }) => text),
      );
    return lines.join('\n').replaceAll('\u00a0', ' ');
  }

  /** Resolves once stored data of the window contains `text` on disk. A reload or kill before that would lose it. */
  stored(text: string, key?: string): Promise<void> {
    return storedIn(this.page, text, key);
  }
}
