// The browser that tests drive: the system's Chromium, or the one fetched from npm.
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';
import { fetchBrowser } from './fetch.ts';

// No sandbox: it needs either root or user namespaces, and what is shown here is our own.
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A web worker's host asks the backend on this machine, for which a page would have to ask its user first.
  '--disable-features=LocalNetworkAccessChecks',
];

// On a signal playwright would exit on the spot, before servers and databases are ended. The browser dies with us anyway.
const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };

/** A headless Chromium, fetched from npm when the machine has none. Close it when done; it dies with this process. */
export async function launchChromium(): Promise<Browser> {
  const { executable, env } = await fetchBrowser();
  return chromium.launch({ executablePath: executable, args: flags, env: { ...environment(), ...env }, ...signals });
}

/**
 * The same browser on a profile folder that outlives it, as a person's own does: storage written before a crash is there
 * when the profile is opened again.
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
 * For `context.addInitScript`: lets functions passed to `evaluate` define named functions. esbuild, by which tests run,
 * marks each with a call of `__name`, which a page doesn't have.
 */
export const evaluable = 'globalThis.__name ??= (fn) => fn;';

function environment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => !!entry[1]));
}
