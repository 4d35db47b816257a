import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../editor/fetch.ts';
import type { Measure } from './numbers.ts';

export const vsix: Measure = {
  name: 'vsix',
  about: 'size of the package',
  async run() {
    await promisify(execFile)('npm', ['run', '--silent', 'package'], { cwd: root });
    const { size } = await stat(join(root, 'perigee.vsix'));
    const note = `${size} bytes`;
    return [{ id: 'vsix', what: 'VSIX', value: size / 1000, unit: 'KB', goal: { atMost: 500 }, note }];
  },
};
