import { type CommandResult, runCommand } from '../../server/accounts/operator/commands.ts';
import { RUNS_OF_ACCOUNTS } from '../../server/gateway/runs/runs.ts';
import { parseConfig } from '../../server/platform/config/config.ts';
import { systemIds } from '../../server/platform/system.ts';
import { SECRET, type TestServer } from './server.ts';

/** What commands know of a server that sends mail, is for many people, and offers the double's model. */
export const COMMANDS = {
  sendsMail: true,
  isLocal: false,
  modelIds: async () => ['double'],
  services: [],
  baseUrl: 'http://127.0.0.1:8787/v1',
};

/** Runs an operator's command on the database of a running server, in this process. */
export function runAdmin({ db, clock, url }: TestServer, ...args: string[]): Promise<CommandResult> {
  const { policy, leaseMs } = parseConfig({}, () => '{}');
  const deps = { db, clock, ids: systemIds, policy, leaseMs, secret: SECRET, runs: RUNS_OF_ACCOUNTS };
  return runCommand({ ...deps, ...COMMANDS, baseUrl: `${url}/v1` }, args);
}
