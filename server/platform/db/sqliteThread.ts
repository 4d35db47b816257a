import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { TookTooLong } from './database.ts';

export interface Query {
  sql: string;
  parameters: readonly unknown[];
}

// As text, because the server ships as one file. The thread needs only better-sqlite3.
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const Sqlite = require(workerData.library);
  try {
    const database = new Sqlite(workerData.file, { readonly: true, fileMustExist: true });
    database.pragma('cache_size = -65536');
    database.exec('begin');
    const answers = workerData.queries.map(({ sql, parameters }) => database.prepare(sql).all(...parameters));
    database.close();
    parentPort.postMessage({ answers });
  } catch ({ message, code }) {
    // As an error of SQLite it would arrive as an object without a word.
    parentPort.postMessage({ failure: message, code });
  }
`;

/**
 * Answers one query after the other, each until its deadline. SQLite has no time limit of its own, so a query checks the
 * clock by `in_time()`, which is always 1, or by `holds(text, part)`, which ignores case. `around(text, part, span)` returns the part with the text on both sides. The thread keeps its prepared
 * statements, because there are few.
 */
const STANDING_THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const Sqlite = require(workerData.library);
  const database = new Sqlite(workerData.file, { readonly: true, fileMustExist: true });
  const statements = new Map();
  let deadline = 0;
  const inTime = () => {
    if (Date.now() > deadline) throw Object.assign(new Error('too late'), { code: 'TOO_LATE' });
    return 1;
  };
  database.function('in_time', inTime);
  database.function('holds', (text, part) => {
    inTime();
    return text.toLowerCase().includes(part) ? 1 : 0;
  });
  database.function('around', (text, part, span) => {
    const small = text.toLowerCase();
    let at = small.indexOf(part);
    if (small.length > text.length) {
      // Some letters get longer in lower case.
      let [from, of] = [0, 0];
      for (const letter of text) {
        if (of >= at) break;
        from += letter.length;
        of += letter.toLowerCase().length;
      }
      at = from;
    }
    return text.slice(Math.max(0, at - span), at + part.length + span);
  });
  parentPort.on('message', ({ id, sql, parameters, until }) => {
    try {
      deadline = until;
      if (!statements.has(sql)) statements.set(sql, database.prepare(sql));
      parentPort.postMessage({ id, rows: Date.now() > until ? null : statements.get(sql).all(...parameters) });
    } catch ({ message, code }) {
      parentPort.postMessage(code === 'TOO_LATE' ? { id, rows: null } : { id, failure: message, code });
    }
  });
`;

type Settle = { resolve: (rows: unknown[]) => void; reject: (error: Error) => void };

/** A thread with its own connection, for reads that a request waits for. Started at its first use. */
export class ReadingThread {
  #worker: Worker | null = null;
  #asked = 0;
  readonly #waiting = new Map<number, Settle>();

  constructor(private readonly file: string) {}

  /** Rejects with `TookTooLong` after about `ms`, which includes the time in the queue. */
  read({ sql, parameters }: Query, ms: number): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      const id = ++this.#asked;
      this.#waiting.set(id, { resolve, reject });
      this.#worker ??= this.#start();
      this.#worker.postMessage({ id, sql, parameters, until: Date.now() + ms });
    });
  }

  #start(): Worker {
    const worker = new Worker(STANDING_THREAD, { eval: true, workerData: { library: library(), file: this.file } });
    worker.unref();
    worker.on('message', ({ id, rows, failure, code }: Told & { id: number; rows?: unknown[] | null }) => {
      const asked = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (rows) asked?.resolve(rows);
      else asked?.reject(rows === null ? new TookTooLong() : Object.assign(new Error(failure), { code }));
    });
    const ended = (error: Error) => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.once('error', ended);
    worker.once('exit', (code) => ended(new Error(`the thread that reads ended with ${code}`)));
    return worker;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}

const library = () => createRequire(import.meta.url).resolve('better-sqlite3');

/**
 * Reads a database in another thread with its own connection. All queries see one state; the calling thread goes on.
 */
export function readInThread(file: string, queries: readonly Query[]): Promise<unknown[][]> {
  const plain = queries.map(({ sql, parameters }) => ({ sql, parameters }));
  const worker = new Worker(THREAD, { eval: true, workerData: { library: library(), file, queries: plain } });
  return new Promise((resolve, reject) => {
    worker.once('message', ({ answers, failure, code }: Told) => {
      if (answers) resolve(answers);
      else reject(Object.assign(new Error(failure), { code }));
    });
    worker.once('error', reject);
    // No effect once the promise has settled.
    worker.once('exit', (code) => reject(new Error(`the thread that reads ended with ${code}`)));
  });
}

interface Told {
  answers?: unknown[][];
  failure?: string;
  code?: string;
}
