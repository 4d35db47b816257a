import { stopPostgres } from './postgres.ts';
import { type Engine, startServer, type TestServer, type TestServerOptions } from './server.ts';

export const ENGINES: readonly Engine[] = ['sqlite', 'postgres'];

// A root hook of every run that loads this file, because all of its suites share one PostgreSQL.
after(async function () {
  this.timeout(60_000);
  await stopPostgres();
});

/** Runs a suite on both engines, with one server each. The books are audited after every test. */
export function onBothEngines(
  title: string,
  suite: (server: () => TestServer, engine: Engine) => void,
  options: TestServerOptions = {},
): void {
  for (const engine of ENGINES)
    describe(`${title} (${engine})`, () => {
      let server: TestServer;
      before(async function () {
        this.timeout(60_000);
        server = await startServer(engine, options);
      });
      beforeEach(() => server.double.usually({ text: 'Hello. This is an answer of the double.' }));
      afterEach(() => server.audit());
      after(() => server?.stop());
      suite(() => server, engine);
    });
}
