import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

export interface Query {
  sql: string;
  parameters: readonly unknown[];
}

// As text, because the server is one file where it is shipped: a thread needs nothing of it but better-sqlite3.
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

/** Reads a database in a thread and a connection of its own: all queries see one state, and this thread goes on. */
export function readInThread(file: string, queries: readonly Query[]): Promise<unknown[][]> {
  const library = createRequire(import.meta.url).resolve('better-sqlite3');
  const plain = queries.map(({ sql, parameters }) => ({ sql, parameters }));
  const worker = new Worker(THREAD, { eval: true, workerData: { library, file, queries: plain } });
  return new Promise((resolve, reject) => {
    worker.once('message', ({ answers, failure, code }: Told) => {
      if (answers) resolve(answers);
      else reject(Object.assign(new Error(failure), { code }));
    });
    worker.once('error', reject);
    // After an answer this changes nothing.
    worker.once('exit', (code) => reject(new Error(`the thread that reads ended with ${code}`)));
  });
}

interface Told {
  answers?: unknown[][];
  failure?: string;
  code?: string;
}
