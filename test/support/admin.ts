import { type CommandResult, runCommand } from '../../server/accounts/operator/commands.ts';
import { RUNS_OF_ACCOUNTS } from '../../server/gateway/runs/runs.ts';
import { parseConfig } from '../../server/platform/config/config.ts';
import { systemIds } from '../../server/platform/system.ts';
import { SECRET, type TestServer } from './server.ts';

/** Runs an operator's command on the database of a running server, in this process. */
export function runAdmin({ db, clock }: TestServer, ...args: string[]): Promise<CommandResult> {
  const { policy, leaseMs } = parseConfig({}, () => '{}');
  return runCommand(
    { db, clock, ids: systemIds, policy, leaseMs, secret: SECRET, sendsMail: true, runs: RUNS_OF_ACCOUNTS },
    args,
  );
}
