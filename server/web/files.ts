import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file of a page, served under a name that contains its hash. */
export interface WebFile {
  path: string;
  type: string;
  body: Buffer;
  gzip: Buffer;
}

/** What a page is made of. */
export interface PageFiles {
  script: WebFile;
  style: WebFile;
  /** The script loads it once there is math to draw. */
  math?: WebFile;
}

/** The output of the build of each page. */
export interface WebFiles {
  account: PageFiles & { math: WebFile };
  desk: PageFiles;
  fairUse: PageFiles;
}

const SCRIPT = 'text/javascript; charset=utf-8';

/** Reads the files once; null if the pages were not built. */
export function loadWebFiles(folder: string): WebFiles | null {
  const load = (at: string, name: string, type: string): WebFile => {
    const body = readFileSync(join(folder, name));
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 16);
    return { path: `${at}/${name.replace('.', `.${hash}.`)}`, type, body, gzip: gzipSync(body, { level: 9 }) };
  };
  const page = (at: string, name: string): PageFiles => ({
    script: load(at, `${name}.js`, SCRIPT),
    style: load(at, `${name}.css`, 'text/css; charset=utf-8'),
  });
  try {
    return {
      account: { ...page('/account', 'main'), math: load('/account', 'math.js', SCRIPT) },
      desk: page('/desk', 'desk'),
      fairUse: page('/fair-use', 'fairUse'),
    };
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null;
    throw error;
  }
}
