import * as vscode from 'vscode';
import * as z from 'zod';

/** A checkpoint without its texts: small, so that a list of them is read quickly. */
const MetaSchema = z.object({
  version: z.literal(1),
  id: z.uuid(),
  /** When the user accepted it, in ms since 1970. */
  at: z.int(),
  source: z.object({
    title: z.string(),
    runId: z.string().optional(),
    conversationId: z.string().optional(),
    block: z.string().optional(),
  }),
  files: z
    .array(
      z.object({
        uri: z.string(),
        movedTo: z.string().optional(),
        change: z.enum(['updated', 'created', 'deleted', 'moved']),
        added: z.int(),
        removed: z.int(),
        isTakenBack: z.boolean(),
        /** The first line that it changed, counted from 1. */
        line: z.int().optional(),
        /** See `OfBlocks`. */
        blocks: z.array(z.string()).optional(),
        partly: z.array(z.string()).optional(),
      }),
    )
    .min(1),
  /** The size of its texts on disk. */
  bytes: z.int(),
});
export type CheckpointMeta = z.infer<typeof MetaSchema>;

/** The texts of its files, in their order; null if there was no such file. */
const TextsSchema = z.array(z.object({ before: z.string().nullable(), after: z.string().nullable() }));
export type CheckpointTexts = z.infer<typeof TextsSchema>;

/** Addresses of files as they were accepted; the query is `<checkpoint>/<file's number>/before` or `/after`. */
export const ACCEPTED_SCHEME = 'perigee-accepted';

export interface Bounds {
  checkpoints: number;
  bytes: number;
}
export const BOUNDS: Bounds = { checkpoints: 100, bytes: 50 * 1024 * 1024 };

/** Texts without a head are left from a crash, unless another window is about to write the head. */
const ORPHAN_AGE_MS = 24 * 60 * 60 * 1000;

const HEAD = '.json';
const TEXTS = '.texts.json';

/**
 * Checkpoints as files in one folder, two for each: a small head, and the texts. Without an index, two windows on one
 * folder can't overwrite each other's checkpoints, and a damaged file costs only its own.
 */
export class CheckpointStore {
  constructor(
    private readonly folder: vscode.Uri,
    private readonly bounds: Bounds = BOUNDS,
  ) {}

  /** All readable checkpoints, newest first. */
  async readAll(): Promise<CheckpointMeta[]> {
    const heads = (await this.names()).filter((name) => name.endsWith(HEAD) && !name.endsWith(TEXTS));
    const read = await Promise.all(heads.map((name) => this.read(name, MetaSchema)));
    return newestFirst(read.filter((meta) => meta !== undefined));
  }

  /** Undefined if they are missing or damaged. */
  async readTexts({ id, files }: CheckpointMeta): Promise<CheckpointTexts | undefined> {
    const texts = await this.read(id + TEXTS, TextsSchema);
    return texts?.length === files.length ? texts : undefined;
  }

  /** Writes the texts first, because a head implies them. Undefined: too large. Rejects on a disk error. */
  async add(
    meta: Omit<CheckpointMeta, 'bytes' | 'version'>,
    texts: CheckpointTexts,
  ): Promise<CheckpointMeta | undefined> {
    const encoded = encode(texts);
    if (encoded.length > this.bounds.bytes) return undefined;
    const whole: CheckpointMeta = { version: 1, ...meta, bytes: encoded.length };
    await vscode.workspace.fs.createDirectory(this.folder);
    await vscode.workspace.fs.writeFile(this.at(meta.id + TEXTS), encoded);
    await this.write(whole);
    return whole;
  }

  /** Replaces the head. */
  async write(meta: CheckpointMeta): Promise<void> {
    await vscode.workspace.fs.writeFile(this.at(meta.id + HEAD), encode(meta));
  }

  /** Deletes the oldest beyond the limits, and leftovers of crashes. Returns the rest. `all`: newest first. */
  async prune(all: readonly CheckpointMeta[], now: number): Promise<CheckpointMeta[]> {
    let bytes = 0;
    const isKept = (meta: CheckpointMeta, index: number) => {
      bytes += meta.bytes;
      return index < this.bounds.checkpoints && bytes <= this.bounds.bytes;
    };
    const kept = all.filter(isKept);
    const known = new Set(kept.map(({ id }) => id));
    for (const { id } of all) if (!known.has(id)) await this.delete(id + HEAD, id + TEXTS);
    for (const name of await this.names()) {
      if (known.has(name.split('.', 1)[0]!)) continue;
      const isOld = await this.stat(name).then((stat) => stat !== undefined && now - stat.mtime > ORPHAN_AGE_MS);
      if (isOld) await this.delete(name);
    }
    return kept;
  }

  private async names(): Promise<string[]> {
    try {
      const entries = await vscode.workspace.fs.readDirectory(this.folder);
      return entries.filter(([, type]) => type & vscode.FileType.File).map(([name]) => name);
    } catch {
      return []; // Nothing was ever stored here.
    }
  }

  private async read<T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    try {
      const bytes = await vscode.workspace.fs.readFile(this.at(name));
      return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    } catch {
      return undefined;
    }
  }

  private async stat(name: string): Promise<vscode.FileStat | undefined> {
    return vscode.workspace.fs.stat(this.at(name)).then(undefined, () => undefined);
  }

  private async delete(...names: string[]): Promise<void> {
    for (const name of names) await vscode.workspace.fs.delete(this.at(name)).then(undefined, () => {});
  }

  private at(name: string): vscode.Uri {
    return vscode.Uri.joinPath(this.folder, name);
  }
}

export function newestFirst(all: readonly CheckpointMeta[]): CheckpointMeta[] {
  return [...all].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
