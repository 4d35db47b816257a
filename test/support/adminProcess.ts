import { spawn } from 'node:child_process';
import { builtProgram } from './built.ts';
import { SECRET } from './server.ts';

/** Runs the operator's command as a process of its own, as `npm run admin --` does. */
export async function adminProcess(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [await builtProgram('admin'), ...args], {
    env: { ...process.env, SECRET, PERIGEE_CONFIG: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += bytes));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said: said.trim() };
}
