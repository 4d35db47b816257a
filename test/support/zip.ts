import yauzl from 'yauzl';

/** The files of a ZIP archive by name; rejects if it is not whole. */
export async function unzip(archive: Buffer): Promise<Map<string, string>> {
  const zip = await yauzl.fromBufferPromise(archive);
  const files = new Map<string, string>();
  for await (const entry of zip.eachEntry()) {
    if (files.has(entry.fileName)) throw new Error(`twice in the archive: ${entry.fileName}`);
    const stream = await zip.openReadStreamPromise(entry);
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    files.set(entry.fileName, Buffer.concat(pieces).toString('utf8'));
  }
  return files;
}
