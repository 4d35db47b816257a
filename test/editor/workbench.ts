/**
 * A real VS Code (its browser edition), driven from outside by playwright. Linux; nothing has to be installed.
 *
 *     const editor = await openWorkbench({ folder, settings: { 'perigee.serverUrl': backend.url } });
 *     await editor.runCommand('Perigee: Open Chat');
 *     const chat = editor.webview('perigee.perigee');         // a locator root inside the web view
 *     await chat.getByRole('textbox').fill('Hello');
 *     await editor.reload();                                   // as "Developer: Reload Window"
 *     await editor.kill(); await editor.reopen();              // SIGKILL to the browser, then back with the same profile
 *     await editor.page.screenshot({ path: 'out/chat.png' });
 *     await editor.close();
 *
 * Every workbench has a server, a profile and settings of its own, on a free port; all of it is deleted on close.
 */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { format } from 'node:util';
import type { BrowserContext, Frame, FrameLocator, Locator, Page } from 'playwright-core';
import { openProfile } from './browser.ts';
import { EditorParts } from './editorParts.ts';
import { root } from './fetch.ts';
import { temporaryFolder } from './processes.ts';
import { installExtension, type Server, startServer, writeSettings } from './vscodeServer.ts';

export interface WorkbenchOptions {
  /** The workspace folder, absolute. */
  folder: string;
  /**
   * The extension under development; this repository's own by default, null for none. A path is loaded by the extension
   * host beside Node; an address, of a web server open to other origins, by the one in a web worker of the page.
   */
  extensionPath?: string | null;
  /** A CommonJS file exporting `run(): Promise<void>`, to be run inside the extension host: a path or an address too. */
  testsPath?: string;
  /** User settings, on top of quiet defaults; or what makes them, once the origin of the window is known. */
  settings?: Record<string, unknown> | ((origin: string) => Promise<Record<string, unknown>>);
  /** The name of a built-in theme; 'Default Dark Modern' by default. */
  colorTheme?: string;
  /** 1280 x 800 by default. */
  viewport?: { width: number; height: number };
  /** Device pixels for each CSS pixel of a picture; 1 by default. */
  scale?: number;
  /** More of the extension host's environment. */
  env?: Record<string, string | undefined>;
  /** Packages (VSIX files) to install first; none by default. */
  vsix?: string[];
  /** Receives what the extension host prints with console.log while tests run. */
  onTestOutput?: (line: string) => void;
  /** Receives the server's lines; by default they are kept for error messages only. */
  onServerOutput?: (line: string) => void;
}

function isAddress(location: string | null | undefined): location is string {
  return /^https?:/.test(location ?? '');
}

/** Opens an editor of its own on a folder; resolves when its workbench is on screen. */
export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const home = await temporaryFolder('perigee-editor-');
  try {
    for (const file of options.vsix ?? []) await installExtension(file, home);
    const workbench = new Workbench(options, home);
    await workbench.reopen();
    return workbench;
  } catch (error) {
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

const registry = globalThis as { openPerigeeWorkbenches?: Set<Workbench> };
/**
 * Those open now, for a look at them when a test fails. One set for the process: mocha requires its hooks and imports a
 * suite that awaits at its top level, and then this module is there twice.
 */
export const openWorkbenches = registry.openPerigeeWorkbenches ?? new Set<Workbench>();
registry.openPerigeeWorkbenches = openWorkbenches;

export class Workbench {
  #server: Server | undefined;
  #context: BrowserContext | undefined;
  #page: Page | undefined;
  /** Kept over a restart: what a page stores belongs to its address. */
  #port = 0;
  readonly #recent: string[] = [];
  #testsEnded: ((code: number) => void) | undefined;
  /** The exit code of the suite named by `testsPath`, once it ends. */
  readonly tests: Promise<number>;

  constructor(
    readonly options: WorkbenchOptions,
    /** The server's data (settings, logs, storage) and the browser's profile. */
    readonly home: string,
  ) {
    this.tests = new Promise((resolve) => {
      this.#testsEnded = resolve;
    });
  }

  /** The window. */
  get page(): Page {
    if (!this.#page) throw new Error('This editor is not open.');
    return this.#page;
  }

  /** Code lenses, quick picks, the list of proposals and the like. */
  get parts(): EditorParts {
    return new EditorParts(this.page);
  }

  /** `http://127.0.0.1:PORT/?folder=…` with everything that loads the extension. */
  get url(): string {
    if (!this.#server) throw new Error('This editor is not open.');
    const { extensionPath = root, testsPath } = this.options;
    const remote = (path: string) => `vscode-remote://127.0.0.1:${this.#port}${resolve(path)}`;
    const payload: [string, string][] = [];
    if (extensionPath && !isAddress(extensionPath)) payload.push(['extensionDevelopmentPath', remote(extensionPath)]);
    if (testsPath && !isAddress(testsPath)) payload.push(['extensionTestsPath', remote(testsPath)]);
    const query = new URLSearchParams({ folder: resolve(this.options.folder), payload: JSON.stringify(payload) });
    return `${this.#server.url}/?${query}`;
  }

  /** Opens the window again after `kill`, with the storage and settings it had. */
  async reopen(): Promise<void> {
    const { options } = this;
    this.#server ??= await startServer({
      dataFolder: this.home,
      port: this.#port,
      env: options.env,
      automated: true,
      onOutput: (line) => {
        if (this.#recent.push(line) > 60) this.#recent.shift();
        options.onServerOutput?.(line);
      },
    });
    openWorkbenches.add(this);
    if (this.#port === 0) {
      this.#port = Number(new URL(this.#server.url).port);
      const { settings = {} } = options;
      await writeSettings(this.home, {
        'workbench.colorTheme': options.colorTheme ?? 'Default Dark Modern',
        ...(typeof settings === 'function' ? await settings(this.#server.url) : settings),
      });
    }
    this.#context = await openProfile(join(this.home, 'profile'), {
      viewport: options.viewport ?? { width: 1280, height: 800 },
      deviceScaleFactor: options.scale ?? 1,
      bypassCSP: isAddress(options.extensionPath),
    });
    const page = this.#context.pages()[0] ?? (await this.#context.newPage());
    this.#page = page;
    if (isAddress(options.extensionPath)) await this.#loadFromWeb(page, options.extensionPath);
    page.on('dialog', (dialog) => void dialog.accept().catch(() => {}));
    await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) =>
      options.onTestOutput?.(format(...args)),
    );
    await page.exposeFunction('codeAutomationExit', (code: number) => this.#testsEnded?.(code));
    await page.goto(this.url);
    await this.#shown();
  }

  /** Reloads the window as "Developer: Reload Window" does; the extension host starts anew. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.#shown();
  }

  /** Kills window, server and extension host with SIGKILL, all at once: nobody is told and nothing is tidied up. */
  async kill(): Promise<void> {
    const context = this.#context;
    const server = this.#server;
    if (!context || !server) throw new Error('This editor is not open.');
    const session = await context.browser()!.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const closed = new Promise((done) => context.once('close', done));
    server.kill();
    for (const { id } of processInfo) process.kill(id, 'SIGKILL');
    await Promise.all([closed, server.ended]);
    this.#server = undefined;
    this.#context = undefined;
    this.#page = undefined;
  }

  /**
   * Kills server and extension host with SIGKILL, then closes the window. The browser writes what it holds: in the browser
   * edition secrets lie in localStorage, which Chromium brings to the disk only after up to a minute, so that `kill` makes
   * a fresh editor forget who is signed in. The desktop's secrets are in a database.
   */
  async killHost(): Promise<void> {
    const server = this.#server;
    if (!server) throw new Error('This editor is not open.');
    server.kill();
    await server.ended;
    await this.#context?.close();
    this.#server = undefined;
    this.#context = undefined;
    this.#page = undefined;
  }

  /** Ends the editor and deletes what it kept. */
  async close(): Promise<void> {
    openWorkbenches.delete(this);
    await this.#context?.close();
    await this.#server?.stop();
    this.#context = undefined;
    this.#server = undefined;
    this.#page = undefined;
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  /** What the server and the extension host said last. */
  get log(): string {
    return this.#recent.join('\n');
  }

  /** Runs a command of the palette by its whole title, such as 'Perigee: New Chat'. */
  async runCommand(title: string): Promise<void> {
    const picker = await this.#openPicker('F1', `>${title}`);
    await this.#choose(picker, title);
  }

  /** Saves the file in front, and waits until it is. */
  async save(): Promise<void> {
    await this.runCommand('File: Save');
    await this.page.locator('.editor-group-container.active .tab.active:not(.dirty)').waitFor();
  }

  /** A message to the user. The editor shows none by itself while it is automated, so the list of them is opened. */
  async notification(text: string): Promise<Locator> {
    await this.page.locator('.statusbar-item .codicon-bell-dot').waitFor();
    await this.runCommand('Notifications: Show Notifications');
    const found = this.page.locator('.notifications-center .notification-list-item').filter({ hasText: text });
    await found.waitFor();
    return found;
  }

  /** Answers a dialog of the editor by its button. */
  async confirm(button: string): Promise<void> {
    await this.page.locator('.monaco-dialog-box').getByRole('button', { name: button, exact: true }).click();
  }

  /** The entries of the Accounts menu, which is closed again. */
  async accounts(): Promise<string[]> {
    await this.page
      .locator('.activitybar, .part.activitybar')
      .getByRole('button', { name: /^Accounts/ })
      .first()
      .click();
    const items = this.page.locator('.monaco-menu .action-label');
    await items.first().waitFor();
    const labels = await items.allTextContents();
    await this.page.keyboard.press('Escape');
    return labels;
  }

  /** Resolves once the meter is that of this member. */
  async accountIs(label: string): Promise<void> {
    await this.statusBarItem(/credits/).waitFor();
    await this.runCommand('Perigee: Show What Is Left');
    await this.page.locator('.quick-input-widget').getByText(label).first().waitFor();
    await this.page.keyboard.press('Escape');
  }

  /** Opens a file of the workspace in the editor and waits for its tab. `line` counts from 1. */
  async openFile(path: string, line?: number): Promise<void> {
    const absolute = resolve(this.options.folder, path);
    const picker = await this.#openPicker('Control+P', absolute + (line ? `:${line}` : ''));
    const name = absolute.slice(absolute.lastIndexOf('/') + 1);
    await this.#choose(picker, name);
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    await this.page.locator('.editor-instance .view-lines').first().waitFor();
  }

  /** Drags the side bar's edge until it is so wide, in CSS pixels. VS Code makes it no narrower than 170. */
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

  /** The content of an extension's web view, as a root for locators; it follows the view over reloads. */
  webview(extensionId = 'perigee.perigee'): FrameLocator {
    return this.page
      .frameLocator(`iframe.webview.ready[src*="extensionId=${extensionId}"]`)
      .frameLocator('iframe#active-frame');
  }

  /** The same content as a frame, for evaluate(): resolves once it is loaded. It is another one after a reload. */
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

  /** The lines of the active text editor that are on screen, as shown. */
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

  /**
   * Resolves once something that the window stores (an extension's globalState, what a view remembers) contains `text` on
   * disk. The browser edition writes a tenth of a second late, and a reload or kill in between loses it.
   */
  async stored(text: string): Promise<void> {
    await this.page.evaluate(async (wanted) => {
      const settle = <T>(request: IDBRequest<T>) =>
        new Promise<T>((done, fail) => {
          request.onsuccess = () => done(request.result);
          request.onerror = () => fail(request.error);
        });
      const holds = async (name: string) => {
        const database = await settle(indexedDB.open(name));
        try {
          if (!database.objectStoreNames.contains('ItemTable')) return false;
          const values = await settle(database.transaction('ItemTable').objectStore('ItemTable').getAll());
          return values.some((value) => String(value).includes(wanted));
        } finally {
          database.close();
        }
      };
      const deadline = Date.now() + 20_000;
      while (Date.now() < deadline) {
        for (const { name } of await indexedDB.databases()) {
          if (name?.startsWith('vscode-web-state-db-') && (await holds(name))) return;
        }
        await new Promise((again) => setTimeout(again, 50));
      }
      throw new Error(`Nothing that the window stored contains ${wanted}`);
    }, text);
  }

  /** Says in the page's own configuration, which no address can change, where its extension under development lies. */
  async #loadFromWeb(page: Page, extension: string): Promise<void> {
    const { testsPath } = this.options;
    const part = (address: string) => {
      const { protocol, host, pathname } = new URL(address);
      return { scheme: protocol.slice(0, -1), authority: host, path: pathname };
    };
    await page.route(
      (url) => url.origin === this.#server?.url && url.pathname === '/',
      async (route) => {
        const response = await route.fetch();
        const html = await response.text();
        const body = html.replace(
          /(id="vscode-workbench-web-configuration" data-settings=")([^"]*)/,
          (_, before, json) => {
            const settings = JSON.parse(json.replaceAll('&quot;', '"'));
            settings.developmentOptions = {
              ...settings.developmentOptions,
              extensions: [part(extension)],
              ...(testsPath && { extensionTestsPath: part(testsPath) }),
            };
            return before + JSON.stringify(settings).replaceAll('"', '&quot;');
          },
        );
        await route.fulfill({ response, body });
      },
    );
  }

  async #shown(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
  }

  async #openPicker(key: string, text: string): Promise<Locator> {
    const picker = this.page.locator('.quick-input-widget');
    const input = picker.locator('input[type=text]');
    await this.page.keyboard.press(key);
    await input.waitFor();
    await input.fill(text);
    return picker;
  }

  async #choose(picker: Locator, label: string): Promise<void> {
    const row = picker.locator('.monaco-list-row', { has: this.page.getByText(label, { exact: true }) }).first();
    await row.click();
  }
}
