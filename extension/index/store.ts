import * as vscode from 'vscode';
import type { IndexedFile } from './ranking/postings.ts';
import { decode, encode, PARTS, partOf } from './ranking/storing.ts';
import type { Slices } from './slices.ts';

/** Keeps an index in the workspace's storage. What is missing, damaged or of another version is read anew. */
export class IndexStore {
  constructor(
    private readonly folder: vscode.Uri,
    private readonly slices: Slices,
  ) {}

  async load(take: (files: readonly IndexedFile[]) => void): Promise<void> {
    for (let part = 0; part < PARTS; part++) {
      const bytes = await read(this.fileOf(part));
      await this.slices.breathe();
      const files = bytes && decode(bytes);
      if (files) take(files);
    }
  }

  /** Writes the named parts, and empties the list as it goes. Stops between two parts. */
  async save(files: Iterable<IndexedFile>, changed: Set<number>, isStopped: () => boolean): Promise<void> {
    const parts = [...changed];
    const byPart = new Map(parts.map((part) => [part, [] as IndexedFile[]]));
    for (const file of files) byPart.get(partOf(file.path))?.push(file);
    for (const part of parts) {
      await this.slices.breathe();
      if (isStopped()) return;
      const bytes = encode(byPart.get(part)!);
      changed.delete(part);
      await vscode.workspace.fs.writeFile(this.fileOf(part), bytes);
    }
  }

  async clear(): Promise<void> {
    await vscode.workspace.fs.delete(this.folder, { recursive: true }).then(undefined, () => {});
  }

  private fileOf(part: number): vscode.Uri {
    return vscode.Uri.joinPath(this.folder, `${part.toString().padStart(2, '0')}.index`);
  }
}

async function read(uri: vscode.Uri): Promise<Uint8Array | undefined> {
  try {
    return await vscode.workspace.fs.readFile(uri);
  } catch {
    return undefined;
  }
}
