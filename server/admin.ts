import { readFileSync } from 'node:fs';
import { finishRestore } from './accounts/data/afterRestore.ts';
import { type BackupDeps, isBackupCommand, isSetting, runBackupCommand } from './accounts/operator/backupCommands.ts';
import { type CommandResult, runCommand, USAGE } from './accounts/operator/commands.ts';
import { followBought } from './accounts/people/tiers.ts';
import { StripeService } from './credits/payments/stripe.ts';
import { RUNS_OF_ACCOUNTS } from './gateway/runs/runs.ts';
import { type Config, ConfigError, parseConfig } from './platform/config/config.ts';
import { serverAddress } from './platform/config/settings.ts';
import { openDatabase } from './platform/db/open.ts';
import { createLog } from './platform/log.ts';
import { knownSecret, ownSecret } from './platform/ownSecret.ts';
import { systemClock, systemIds } from './platform/system.ts';

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
    const secret = config.secret ?? ownSecret(config);
    const deps = {
      db,
      secret,
      clock: systemClock,
      ids: systemIds,
      policy: config.policy,
      leaseMs: config.leaseMs,
      sendsMail: config.signIn.mail !== null,
      isLocal: config.signIn.local,
      modelIds: () => modelIds(config),
      baseUrl: `${serverAddress(config, config.port)}/v1`,
      runs: RUNS_OF_ACCOUNTS,
    };
    return print(await runCommand(deps, args));
  } finally {
    await db.close();
  }
}

/** The ids of the models that the server would offer. Loaded on demand: few commands need them. */
async function modelIds({ upstream: settings, policy, proxies }: Config): Promise<string[]> {
  const { createCatalog } = await import('./gateway/runs/catalog.ts');
  const { openAiUpstream } = await import('./gateway/upstreams/openai.ts');
  const { demoUpstream } = await import('./gateway/upstreams/demo/demo.ts');
  const log = createLog('error');
  const upstream = settings
    ? openAiUpstream({ url: settings.url, key: settings.key ?? undefined, log, proxies })
    : demoUpstream({});
  const preferred = settings?.model ?? null;
  const listed = () => policy.models;
  const catalog = createCatalog({ upstream, isDemo: !settings, preferred, listed, policy, clock: systemClock, log });
  return (await catalog.list('member')).map(({ id }) => id);
}

function print({ code, lines }: CommandResult): number {
  const say = code === 0 ? console.log : console.error;
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
    openAlone: () => openDatabase(database, log),
    async finish(db, how) {
      // Loaded on demand: it pulls in a large part of the server, which no other command needs.
      const { recoverRuns } = await import('./gateway/runs/recovery.ts');
      const base = { db, clock: systemClock, ids: systemIds, log, policy };
      const live = { get: () => undefined };
      const recovery = { ...base, node: systemIds.next(), live, metrics: { absorbed() {}, runRecovered() {} } };
      const recover = () => recoverRuns(recovery, db.engine === 'sqlite');
      const stripe = payments && (await StripeService.open(payments, proxies));
      const sales = stripe && { ...base, followBought, stripe };
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
