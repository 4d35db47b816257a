// The browser for tests: the system's Chromium, or the one from npm.
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';
import { fetchBrowser } from './fetch.ts';

// No sandbox: it needs root or user namespaces, and the tests load only our own pages.
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // The extension host in a web worker calls the backend on this machine; a page would have to ask the user for that
  // first.
  '--disable-features=LocalNetworkAccessChecks',
];

// On a signal, playwright would exit at once, before servers and databases are ended. The browser ends with this
// process anyway.
const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };

/** Starts a headless Chromium, from npm if the machine has none. Close it when done; it ends with this process. */
export async function launchChromium(): Promise<Browser> {
  const { executable, env } = await fetchBrowser();
  return chromium.launch({ executablePath: executable, args: flags, env: { ...environment(), ...env }, ...signals });
}

/**
 * Starts the browser with a permanent profile folder: storage written before a crash is there when the profile is
 * opened again.
 */
export async function openProfile(folder: string, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const { executable, env } = await fetchBrowser();
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: executable,
    args: flags,
    env: { ...environment(), ...env },
    ...signals,
    ...options,
  });
  await context.addInitScript(evaluable);
  return context;
}

/**
 * For `context.addInitScript`, so that functions passed to `evaluate` can define named functions. esbuild, which
 * compiles the tests, wraps each in a call of `__name`, and pages don't have that function.
 */
export const evaluable = 'globalThis.__name ??= (fn) => fn;';

function environment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => !!entry[1]));
}
