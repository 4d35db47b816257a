// Parts that only VS Code's browser edition has: extensions from a web server, and storage in the page.
import type { Page } from 'playwright-core';

/** Sets the URL of the extension under development in the page's own configuration, which no address can change. */
export async function loadFromWeb(page: Page, origin: string, extension: string, testsPath?: string): Promise<void> {
  const part = (address: string) => {
    const { protocol, host, pathname } = new URL(address);
    return { scheme: protocol.slice(0, -1), authority: host, path: pathname };
  };
  await page.route(
    (url) => url.origin === origin && url.pathname === '/',
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

/**
 * Resolves once stored data of the window (an extension's globalState, a view's state) contains `text` on disk; with a
 * `key`, what is stored under it. The browser edition writes a tenth of a second late, and its own parts every five
 * seconds.
 */
export async function storedIn(page: Page, text: string, key?: string): Promise<void> {
  await page.evaluate(
    async ([wanted, key]) => {
      const settle = <T>(request: IDBRequest<T>) =>
        new Promise<T>((done, fail) => {
          request.onsuccess = () => done(request.result);
          request.onerror = () => fail(request.error);
        });
      const holds = async (name: string) => {
        const database = await settle(indexedDB.open(name));
        try {
          if (!database.objectStoreNames.contains('ItemTable')) return false;
          const values = await settle(database.transaction('ItemTable').objectStore('ItemTable').getAll(key));
          return values.some((value) => String(value).includes(wanted));
        } finally {
          database.close();
        }
      };
      const deadline = Date.now() + 90_000;
      while (Date.now() < deadline) {
        for (const { name } of await indexedDB.databases()) {
          if (name?.startsWith('vscode-web-state-db-') && (await holds(name))) return;
        }
        await new Promise((again) => setTimeout(again, 50));
      }
      throw new Error(`Nothing that the window stored contains ${wanted}`);
    },
    [text, key] as const,
  );
}
