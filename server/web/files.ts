import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file of the page, served under a name that contains its hash. */
interface WebFile {
  path: string;
  type: string;
  body: Buffer;
  gzip: Buffer;
}

/** The output of the build of `pages/`. */
export interface WebFiles {
  script: WebFile;
  /** The script loads it once there is math to draw. */
  math: WebFile;
  style: WebFile;
}

/** Reads the files once; null if the page was not built. */
export function loadWebFiles(folder: string): WebFiles | null {
  const load = (name: string, type: string): WebFile => {
    const body = readFileSync(join(folder, name));
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 16);
    return { path: `/account/${name.replace('.', `.${hash}.`)}`, type, body, gzip: gzipSync(body, { level: 9 }) };
  };
  try {
    return {
      script: load('main.js', 'text/javascript; charset=utf-8'),
      math: load('math.js', 'text/javascript; charset=utf-8'),
      style: load('main.css', 'text/css; charset=utf-8'),
    };
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null;
    throw error;
  }
}
