import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

let build: Promise<unknown> | undefined;

/**
 * The path of a built program of the server, from the root. It starts in a third of the time of the sources. `npm test`
 * has built already, and its other steps use what it built; a run of single files builds here what has changed.
 */
export async function builtProgram(name: 'main' | 'admin'): Promise<string> {
  if (!process.env.PERIGEE_BUILT) {
    build ??= promisify(execFile)(process.execPath, ['esbuild.config.mjs', 'server', '--if-changed', '--quiet']);
    await build;
  }
  return `dist/server/${name}.js`;
}
