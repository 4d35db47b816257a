/**
 * A real VS Code (its browser edition), driven from outside by playwright. Linux only; it needs no installation.
 *
 *     const editor = await openWorkbench({ folder, settings: { 'perigee.serverUrl': backend.url } });
 *     await editor.chat.open();
 *     await editor.chat.ask('Hello', 'Demo model.');
 *     await editor.reload();                                   // as "Developer: Reload Window"
 *     await editor.kill(); await editor.reopen();              // SIGKILL to the browser, then back with the same profile
 *     await editor.page.screenshot({ path: 'out/chat.png' });
 *     await editor.close();
 *
 * Every workbench has its own server (on a free port), profile and settings. Closing it deletes all of them.
 */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { format } from 'node:util';
import type { BrowserContext, Page } from 'playwright-core';
import { openProfile } from './browser.ts';
import { root } from './fetch.ts';
import { EditorWindow } from './parts/editorWindow.ts';
import { temporaryFolder } from './processes.ts';
import { installExtension, type Server, startServer, writeSettings } from './vscodeServer.ts';
import { loadFromWeb } from './webEdition.ts';

export interface WorkbenchOptions {
  /** The workspace folder, absolute. */
  folder: string;
  /**
   * The extension under development; by default this repository's own, null for none. A path is loaded by the extension
   * host on Node; the URL of a web server open to other origins by the one in a web worker of the page.
   */
  extensionPath?: string | null;
  /** A CommonJS file that exports `run(): Promise<void>`, run inside the extension host: a path or a URL too. */
  testsPath?: string;
  /** The status bar item that shows that the extension has started; by default Perigee's. */
  readyItem?: string;
  /** User settings on top of the quiet defaults, or a function that makes them once the window's origin is known. */
  settings?: Record<string, unknown> | ((origin: string) => Promise<Record<string, unknown>>);
  /** The name of a built-in theme; 'Default Dark Modern' by default. */
  colorTheme?: string;
  /** 1280 x 800 by default. */
  viewport?: { width: number; height: number };
  /** Device pixels for each CSS pixel of a picture; 1 by default. */
  scale?: number;
  /** More environment variables for the extension host. */
  env?: Record<string, string | undefined>;
  /** Packages (VSIX files) to install first; none by default. */
  vsix?: string[];
  /** Called with each line that the extension host prints with console.log while tests run. */
  onTestOutput?: (line: string) => void;
  /** Called with each line of the server; by default, lines are kept only for error messages. */
  onServerOutput?: (line: string) => void;
}

function isAddress(location: string | null | undefined): location is string {
  return /^https?:/.test(location ?? '');
}

/** Opens a new editor on a folder; resolves when its workbench is visible. */
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
 * The open workbenches, for a look at them when a test fails. There is one set for the process, because this module may
 * be loaded twice: mocha requires its hooks, and imports a suite with a top-level await.
 */
export const openWorkbenches = registry.openPerigeeWorkbenches ?? new Set<Workbench>();
registry.openPerigeeWorkbenches = openWorkbenches;

export class Workbench extends EditorWindow {
  #server: Server | undefined;
  #context: BrowserContext | undefined;
  #page: Page | undefined;
  /** Kept across restarts, because a page's storage belongs to its origin. */
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
    super();
    this.tests = new Promise((resolve) => {
      this.#testsEnded = resolve;
    });
  }

  get page(): Page {
    if (!this.#page) throw new Error('This editor is not open.');
    return this.#page;
  }

  get folder(): string {
    return resolve(this.options.folder);
  }

  /** `http://127.0.0.1:PORT/?folder=…`, with the parameters that load the extension. */
  get url(): string {
    if (!this.#server) throw new Error('This editor is not open.');
    const { extensionPath = root, testsPath } = this.options;
    const remote = (path: string) => `vscode-remote://127.0.0.1:${this.#port}${resolve(path)}`;
    const payload: [string, string][] = [];
    if (extensionPath && !isAddress(extensionPath)) payload.push(['extensionDevelopmentPath', remote(extensionPath)]);
    if (testsPath && !isAddress(testsPath)) payload.push(['extensionTestsPath', remote(testsPath)]);
    const query = new URLSearchParams({ folder: this.folder, payload: JSON.stringify(payload) });
    return `${this.#server.url}/?${query}`;
  }

  /** Opens the window again after `kill`, with its storage and settings. */
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
    // It matters only when something fails, or on a busy machine.
    this.#context.setDefaultTimeout(120_000);
    const page = this.#context.pages()[0] ?? (await this.#context.newPage());
    this.#page = page;
    if (isAddress(options.extensionPath)) {
      await loadFromWeb(page, this.#server.url, options.extensionPath, options.testsPath);
    }
    page.on('dialog', (dialog) => void dialog.accept().catch(() => {}));
    await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) =>
      options.onTestOutput?.(format(...args)),
    );
    await page.exposeFunction('codeAutomationExit', (code: number) => this.#testsEnded?.(code));
    await page.goto(this.url);
    await this.#ready();
  }

  /**
   * Reloads the window like "Developer: Reload Window"; the extension host restarts. `isAwaited` false: returns while
   * the window is still loading, because a user may begin to type then.
   */
  async reload({ isAwaited = true } = {}): Promise<void> {
    await this.page.reload();
    if (isAwaited) await this.#ready();
  }

  /** Kills window, server and extension host with SIGKILL at once: none of them can clean up. */
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
   * Kills server and extension host with SIGKILL, then closes the window, so that the browser writes its storage. In
   * the browser edition, secrets are in localStorage, which Chromium writes to the disk only after up to a minute. So
   * after `kill`, a new editor forgets the signed-in account. On the desktop, secrets are in a database.
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

  /** Ends the editor and deletes its data. */
  async close(): Promise<void> {
    openWorkbenches.delete(this);
    await this.#context?.close();
    await this.#server?.stop();
    this.#context = undefined;
    this.#server = undefined;
    this.#page = undefined;
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The latest output of the server and the extension host. */
  get log(): string {
    return this.#recent.join('\n');
  }

  /**
   * Resolves once the window is ready for input: the workbench has restored its editors, the extension host runs, and
   * Perigee's item is in the status bar.
   */
  async #ready(): Promise<void> {
    const { page } = this;
    const limitMs = 120_000;
    await page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: limitMs });
    // From the smoke-test driver: see `automated` in vscodeServer.ts.
    await page.waitForFunction(
      () => (globalThis as { driver?: { whenWorkbenchRestored?: unknown } }).driver?.whenWorkbenchRestored,
      undefined,
      { timeout: limitMs },
    );
    await page.evaluate(() =>
      (globalThis as unknown as { driver: { whenWorkbenchRestored(): Promise<void> } }).driver.whenWorkbenchRestored(),
    );
    const { testsPath, readyItem = 'perigee.perigee.quota' } = this.options;
    // Suites inside the extension host start by themselves.
    if (!testsPath) await this.statusBarItem(readyItem).waitFor({ timeout: limitMs });
  }
}
