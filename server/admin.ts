import { readFileSync } from 'node:fs';
import { finishRestore } from './accounts/data/afterRestore.ts';
import { type BackupDeps, isBackupCommand, isSetting, runBackupCommand } from './accounts/operator/backupCommands.ts';
import { type CommandResult, runCommand } from './accounts/operator/commands.ts';
import type { ListedService } from './accounts/operator/upstreamCommands.ts';
import { USAGE } from './accounts/operator/usage.ts';
import { followBought } from './accounts/people/tiers.ts';
import { StripeService } from './credits/payments/stripe.ts';
import { RUNS_OF_ACCOUNTS } from './gateway/runs/runs.ts';
import { type Config, ConfigError, parseConfig } from './platform/config/config.ts';
import { serverAddress } from './platform/config/settings.ts';
import { openDatabase } from './platform/db/open.ts';
import { readNodeMetrics } from './platform/http/nodeMetrics.ts';
import { createLog } from './platform/log.ts';
import { knownSecret } from './platform/ownSecret.ts';
import { fingerprint } from './platform/secrets.ts';
import { idsBy, systemClock } from './platform/system.ts';
import { RequestRecorder } from './requests/recorder.ts';

/** `perigee-admin`, in a checkout `npm run admin -- …`: the operator's commands, on the configured database. */
async function main(args: string[]): Promise<number> {
  if (args.length === 0 || args[0] === 'help' || args[0] === '--help') {
    console.log(USAGE);
    return 0;
  }
  const config = parseConfig(process.env, (path) => readFileSync(path, 'utf8'));
  if (isBackupCommand(args)) return print(await runBackupCommand(backupDeps(config), args));
  const db = await openDatabase(config.database, createLog('warn'), { alongside: true });
  try {
    const deps = {
      db,
      get secret() {
        return neededSecret(config);
      },
      clock: db.clock,
      ids: idsBy(db.clock),
      policy: config.policy,
      leaseMs: config.leaseMs,
      sendsMail: config.signIn.mail !== null,
      isLocal: config.signIn.local,
      modelIds: () => modelIds(config),
      services: listedServices(config),
      metrics: () => readNodeMetrics(config),
      baseUrl: `${serverAddress(config, config.port)}/v1`,
      runs: RUNS_OF_ACCOUNTS,
    };
    return print(await runCommand(deps, args));
  } finally {
    await db.close();
  }
}

/** The ids of the models that the server would offer. Loaded on demand: few commands need them. */
async function modelIds(config: Config): Promise<string[]> {
  const { createCatalog } = await import('./gateway/runs/catalog.ts');
  const { isDemo, upstreamOf } = await import('./gateway/routing/services.ts');
  const log = createLog('error');
  const { policy } = config;
  const preferred = config.upstream?.model ?? null;
  const upstream = upstreamOf(config, { clock: systemClock, log });
  const listed = () => policy.models;
  const options = { upstream, isDemo: isDemo(config), preferred, listed, policy, clock: systemClock, log };
  return (await createCatalog(options).list('member')).map(({ id }) => id);
}

/** The services of the configuration file, or the one of UPSTREAM_URL. */
function listedServices(config: Config): ListedService[] {
  const ask = async (id: string) => {
    const { setServices } = await import('./gateway/routing/services.ts');
    const { tellListFault } = await import('./gateway/routing/listFaults.ts');
    const service = setServices(config, createLog('error')).find((one) => one.id === id)!;
    return service.upstream.models().catch((error: unknown) => {
      throw new Error(tellListFault(service, error));
    });
  };
  const { upstream, services } = config;
  const listed = services.map(({ id, url, weight, models }) => ({
    id,
    host: new URL(url).host,
    weight,
    models: models === undefined ? null : new Map(Object.entries(models)),
    ask: () => ask(id),
  }));
  if (!upstream) return listed;
  const only: Omit<ListedService, 'ask'> = {
    id: 'UPSTREAM_URL',
    host: new URL(upstream.url).host,
    weight: 1,
    models: null,
    isOnly: true,
  };
  return [{ ...only, ask: () => ask(only.id) }];
}

/** Only some commands need it. One that made its own would hash by another secret than the server. */
function neededSecret(config: Config): string {
  const secret = knownSecret(config);
  if (secret !== null) return secret;
  throw new ConfigError('SECRET is not set, and there is no file secret beside the database. Set it as for the server');
}

function print({ code, lines }: CommandResult): number {
  const say = code === 0 || code === 3 ? console.log : console.error;
  for (const line of lines) say(line);
  return code;
}

/** To finish restoring a database, end its runs and ask Stripe, as a server does. */
function backupDeps(config: Config): BackupDeps {
  // The command itself prints everything below an error.
  const log = createLog('error');
  const { database, policy, payments, proxies, leaseMs } = config;
  return {
    database,
    secret: knownSecret(config),
    settings: Object.keys(process.env).filter((name) => process.env[name] && isSetting(name)),
    clock: systemClock,
    openAlone: (lock) => openDatabase(database, log, { lock }),
    say: (line) => console.error(line),
    async finish(db, how) {
      // Loaded on demand: it pulls in a large part of the server, which no other command needs.
      const { recoverRuns } = await import('./gateway/runs/recovery.ts');
      const ids = idsBy(db.clock);
      const base = { db, clock: db.clock, ids, log, policy };
      const live = { get: () => undefined };
      const recorder = new RequestRecorder(base);
      const recovery = {
        ...base,
        recorder,
        node: ids.next(),
        live,
        metrics: { absorbed() {}, runRecovered() {} },
      };
      const recover = async () => {
        const ended = await recoverRuns(recovery, db.engine === 'sqlite');
        await recorder.flush();
        return ended;
      };
      const stripe = payments && (await StripeService.open(payments, proxies));
      // Made by a server at its start, where a machine is new.
      const secret = knownSecret(config);
      const installation = secret === null ? '' : fingerprint(secret);
      const sales = stripe && { ...base, followBought, installation, stripe };
      return finishRestore({ ...base, leaseMs, runs: RUNS_OF_ACCOUNTS, recover, sales }, how);
    },
  };
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error instanceof ConfigError ? `perigee: ${error.message}` : error);
    process.exitCode = 1;
  },
);
