import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApp, DRAIN_MS } from './app.ts';
import { StripeService } from './credits/payments/stripe.ts';
import { internet } from './fetch/network.ts';
import { isUnserved, warnOfServices } from './gateway/routing/listFaults.ts';
import { isDemo, setServices, upstreamOf } from './gateway/routing/services.ts';
import { type Config, ConfigError, isLoopback, parseConfig } from './platform/config/config.ts';
import { serverAddress } from './platform/config/settings.ts';
import { openDatabase } from './platform/db/open.ts';
import { catchFaults, detach } from './platform/detached.ts';
import { createLog } from './platform/log.ts';
import { createMailer } from './platform/mail.ts';
import { setFetchProxies } from './platform/outbound.ts';
import { ownSecret } from './platform/ownSecret.ts';
import { idsBy } from './platform/system.ts';
import { loadWebFiles } from './web/files.ts';

/** How long a shutdown may take beyond its running answers. */
const STOP_MS = 10_000;

async function main(): Promise<void> {
  const config = parseConfig(process.env, (path) => readFileSync(path, 'utf8'));
  const log = createLog(config.logLevel);
  const secret = config.secret ?? ownSecret(config);
  const db = await openDatabase(config.database, log);
  const { clock } = db;
  const { proxies } = config;
  if (proxies) {
    await setFetchProxies(proxies);
    const [http, https, mail] = [proxies.http, proxies.https, proxies.mail].map((proxy) => proxy?.origin);
    log.info({ http, https, mail }, 'others are called through proxies');
  }
  const upstream = upstreamOf(config, { clock, log });
  const app = createApp({
    config,
    db,
    clock,
    ids: idsBy(clock),
    log,
    upstream,
    secret,
    mailer: config.signIn.mail ? createMailer(config.signIn.mail, log, proxies) : null,
    stripe: config.payments && (await StripeService.open(config.payments, proxies)),
    network: internet,
    web: loadWebFiles(fileURLToPath(new URL('./web/', import.meta.url))),
    publishLocalToken: localTokenFile(config),
  });
  await app.start();
  await new Promise<void>((resolve, reject) => {
    app.server.once('error', reject);
    app.server.listen(config.port, config.host, resolve);
  });
  const { port } = app.server.address() as AddressInfo;
  // Not awaited, and not fatal: a model service may come up later.
  detach(() => warnOfServices(setServices(config, log), log), 'services', { log, metrics: app.metrics });
  const url = serverAddress(config, port);
  log.info({ url, engine: db.engine, model: isDemo(config) ? 'demo' : 'upstream' }, 'Perigee is listening');
  if (isUnserved(config))
    log.warn(
      'PERIGEE_CONFIG lists models, but neither UPSTREAM_URL nor "services" names a model service: the demo model answers for them, for 1 credit an answer',
    );
  if (db.deletions.file === null)
    log.warn(
      'DELETIONS_FILE is not set: a restored dump brings back what people deleted after it; see docs/backups.md',
    );
  if (!isLoopback(config.host) && !config.publicUrl)
    log.warn('PUBLIC_URL is not set: only requests that name HOST itself are answered');

  let stopping = false;
  const stop = (signal: string) => {
    // A second signal stops the process at once. A second fault during the shutdown does not.
    if (stopping && signal === 'uncaughtException') return;
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'shutting down; running answers get 10 seconds');
    setTimeout(
      () => {
        log.fatal('the shutdown took too long');
        process.exit(1);
      },
      DRAIN_MS + config.leaseMs + STOP_MS,
    ).unref();
    app.stop().then(
      () => process.exit(),
      (error) => {
        log.fatal({ err: error }, 'the shutdown failed');
        process.exit(1);
      },
    );
  };
  catchFaults(process, { log, metrics: app.metrics }, () => {
    process.exitCode = 1;
    stop('uncaughtException');
  });
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/**
 * Local mode's token is in a file beside an embedded database, readable only by this user, and replaced after each use.
 * A process that can read it could read the database, too. Other databases have no such place.
 */
function localTokenFile({ database }: Config): ((token: string) => Promise<void>) | null {
  if (database.engine !== 'sqlite') return null;
  const file = join(dirname(database.file), 'local-token');
  return async (token) => {
    const partial = `${file}.new`;
    await rm(partial, { force: true });
    await writeFile(partial, token, { mode: 0o600, flag: 'wx' });
    await rename(partial, file);
  };
}

main().catch((error) => {
  if (error instanceof ConfigError) console.error(`perigee: ${error.message}`);
  else if (error.code === 'EADDRINUSE')
    console.error(`perigee: PORT ${process.env.PORT || 8787} is in use by another program. Stop it, or set PORT`);
  else if (['ENOTFOUND', 'EADDRNOTAVAIL', 'EACCES', 'EAI_AGAIN'].includes(error.code))
    console.error(`perigee: HOST or PORT: this machine can't listen there (${error.code})`);
  else console.error('perigee: the server could not start.', error);
  process.exit(1);
});
