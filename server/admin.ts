import { readFileSync } from 'node:fs';
import { runCommand, USAGE } from './accounts/operator/commands.ts';
import { RUNS_OF_ACCOUNTS } from './gateway/runs/runs.ts';
import { ConfigError, parseConfig } from './platform/config/config.ts';
import { openDatabase } from './platform/db/open.ts';
import { createLog } from './platform/log.ts';
import { ownSecret } from './platform/ownSecret.ts';
import { systemClock, systemIds } from './platform/system.ts';

/** `perigee-admin`, in a checkout `npm run admin -- …`: the operator's commands, on the database that the settings name. */
async function main(args: string[]): Promise<number> {
  if (args.length === 0 || args[0] === 'help' || args[0] === '--help') {
    console.log(USAGE);
    return 0;
  }
  const config = parseConfig(process.env, (path) => readFileSync(path, 'utf8'));
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
      runs: RUNS_OF_ACCOUNTS,
    };
    const { code, lines } = await runCommand(deps, args);
    const print = code === 0 ? console.log : console.error;
    for (const line of lines) print(line);
    return code;
  } finally {
    await db.close();
  }
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
