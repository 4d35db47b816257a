import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { chatPage } from '../../extension/chat/page.ts';
import { type FromHost, type ToHost, ToHostSchema } from '../../extension/chat/protocol.ts';
import { launchChromium } from '../editor/browser.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NONCE = 'dGVzdC1ub25jZS0wMTIzNDU2Nzg5';

export type Theme = 'light' | 'dark' | 'contrast';
export interface OpenOptions {
  theme?: Theme;
  width?: number;
  height?: number;
  /** Device pixels for each CSS pixel. */
  scale?: number;
  reducedMotion?: boolean;
  forcedColors?: boolean;
}

/** The chat's web view in a real browser: the page and policy that the extension serves, and a host played by the test. */
export class Harness {
  private constructor(
    readonly browser: Browser,
    private readonly server: Server,
    private readonly folder: string,
    readonly url: string,
  ) {}

  /** Builds the view afresh, serves it on a free port and starts a browser. */
  static async start(): Promise<Harness> {
    const folder = await mkdtemp(join(tmpdir(), 'perigee-webview-'));
    await build({
      absWorkingDir: root,
      entryPoints: {
        chat: 'extension/chat/webview/main.tsx',
        math: 'extension/chat/webview/math.ts',
        page: 'test/webview/page/page.ts',
        member: 'test/webview/page/member.ts',
      },
      outdir: folder,
      bundle: true,
      minify: true,
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      loader: { '.svg': 'text' },
      logLevel: 'error',
    });
    const server = createServer((request, response) => {
      void answer(new URL(request.url ?? '/', 'http://localhost'), folder).then(
        ({ type, body }) => response.writeHead(200, { 'content-type': type }).end(body),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new Harness(await launchChromium(), server, folder, `http://127.0.0.1:${port}`);
  }

  /** A view of its own, which has said `ready` and was told nothing yet. */
  async open(options: OpenOptions = {}): Promise<View> {
    const context = await this.browser.newContext({
      viewport: { width: options.width ?? 380, height: options.height ?? 720 },
      deviceScaleFactor: options.scale ?? 1,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      reducedMotion: options.reducedMotion ? 'reduce' : 'no-preference',
      forcedColors: options.forcedColors ? 'active' : 'none',
    });
    const page = await context.newPage();
    const view = new View(page);
    await page.goto(`${this.url}/?theme=${options.theme ?? 'dark'}`);
    await view.until('ready');
    return view;
  }

  /** The renderer of the member's page, in a page of its own. */
  async member(): Promise<Page> {
    const page = await this.browser.newPage();
    await page.goto(`${this.url}/member`);
    return page;
  }

  async stop(): Promise<void> {
    await this.browser.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** One open view. Tests speak to it as the host, the user's hands and eyes go through `page`. */
export class View {
  readonly requests: string[] = [];
  readonly errors: string[] = [];

  constructor(readonly page: Page) {
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  /**
   * Messages of the host, in this order. Resolves when the view has drawn what they changed, a long conversation whole:
   * its messages are drawn in several steps.
   */
  async tell(...messages: FromHost[]): Promise<void> {
    await this.page.evaluate(`fake.postAll(${JSON.stringify(messages)}); fake.drawn()`);
  }

  /** What the view has said to the host so far; each message is held against the contract. */
  async said(): Promise<ToHost[]> {
    const posted = (await this.page.evaluate('fake.posted')) as unknown[];
    return posted.map((message) => ToHostSchema.parse(message));
  }

  /** The last message of this type, waited for. `count`: not before there are so many of them. */
  async until<T extends ToHost['type']>(type: T, count = 1): Promise<Extract<ToHost, { type: T }>> {
    await this.page.evaluate(`fake.until(() => fake.posted.filter((m) => m.type === '${type}').length >= ${count})`);
    return (await this.said()).findLast((m) => m.type === type) as Extract<ToHost, { type: T }>;
  }

  async fromEnd(): Promise<number> {
    return (await this.page.evaluate('fake.fromEnd()')) as number;
  }

  get composer() {
    return this.page.getByRole('textbox', { name: 'Message', exact: true });
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

async function answer(url: URL, folder: string): Promise<{ type: string; body: string | Buffer }> {
  const origin = url.pathname === '/' ? '' : url.pathname.slice(1);
  if (origin === '') {
    const cspSource = "'self'";
    const html = chatPage({
      scriptUri: '/chat.js',
      mathUri: '/math.js',
      styleUri: '/chat.css',
      cspSource,
      nonce: NONCE,
      scope: 'a workspace',
    });
    const theme = url.searchParams.get('theme') ?? 'dark';
    const body = { light: 'vscode-light', dark: 'vscode-dark', contrast: 'vscode-high-contrast' }[theme];
    // As the editor does: its own script and style come before the page's policy.
    const before = `<link rel="stylesheet" href="/themes.css"><script nonce="${NONCE}" src="/page.js"></script>`;
    return {
      type: 'text/html',
      body: html
        .replace('<html', `<html data-theme="${theme}"`)
        .replace('<head>', `<head>${before}`)
        .replace('<body', `<body class="${body}"`),
    };
  }
  if (origin === 'member') {
    return { type: 'text/html', body: '<!doctype html><script src="/member.js" data-math="/math.js"></script><body>' };
  }
  if (origin === 'themes.css') {
    return { type: 'text/css', body: await readFile(new URL('fixtures/themes.css', import.meta.url)) };
  }
  if (!/^[\w.]+$/.test(origin)) throw new Error('no such file');
  const types: Record<string, string> = { js: 'text/javascript', css: 'text/css', ttf: 'font/ttf' };
  const type = types[origin.slice(origin.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
  return { type, body: await readFile(join(folder, origin)) };
}
