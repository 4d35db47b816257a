import type { Edit, FilePlan } from '../engine/edits.ts';
import { tidyPath } from '../engine/paths.ts';
import type { FoundFile, WorkspaceFiles } from './files.ts';

/** The files that an answer names. Each path is looked up once, so that the user is asked only once about it. */
export class AnswerFiles {
  private readonly found = new Map<string, Promise<FoundFile>>();

  constructor(private readonly files: WorkspaceFiles) {}

  /** The file for a path in the answer. `exact` as in `WorkspaceFiles.find`; only a path's first call uses it. */
  find(path: string, exact = false): Promise<FoundFile> {
    const tidy = tidyPath(path);
    const known = this.found.get(tidy);
    if (known) return known;
    const found = this.files.find(tidy, exact);
    this.found.set(tidy, found);
    return found;
  }

  /** Adds a file that the user chose, under its own path. */
  take(file: FoundFile): void {
    this.found.set(tidyPath(file.path), Promise.resolve(file));
  }

  /** All files found so far, by their workspace paths. */
  async byPath(): Promise<Map<string, FoundFile>> {
    return new Map((await Promise.all(this.found.values())).map((file) => [file.path, file]));
  }

  /** Replaces the answer's paths in `edits` with workspace paths, so that two spellings of a file become one. */
  async locate(edits: readonly Edit[]): Promise<Edit[]> {
    // The path of a new file is exact. An existing file may be deeper in the workspace.
    for (const edit of edits) {
      const isNew = edit.kind === 'create' || (edit.kind === 'change' && edit.lines.every(({ op }) => op === 'new'));
      if (isNew && edit.path !== undefined) await this.find(edit.path, true);
      if (edit.kind === 'move') await this.find(edit.to, true);
    }
    const located: Edit[] = [];
    for (const edit of edits) {
      const path = edit.path === undefined ? undefined : (await this.find(edit.path)).path;
      if (edit.kind === 'move') located.push({ ...edit, path, to: (await this.find(edit.to)).path });
      else located.push({ ...edit, path });
    }
    return located;
  }

  /** Replaces the paths in `plans` with workspace paths, and refuses plans for files that Perigee doesn't write to. */
  async allow(plans: readonly FilePlan[]): Promise<FilePlan[]> {
    return Promise.all(
      plans.map(async (plan): Promise<FilePlan> => {
        if (plan.path === undefined) return plan;
        const found = await this.find(plan.path);
        const target = plan.kind === 'move' ? await this.find(plan.to) : undefined;
        for (const each of [found, target]) {
          if (each?.kind !== 'refused') continue;
          const refusals = [{ reason: 'forbidden' as const, message: each.why, lookedFor: [] }];
          return { kind: 'refused', path: plan.path, refusals, placed: [] };
        }
        if (plan.kind === 'move') return { ...plan, path: found.path, to: target?.path ?? plan.to };
        return { ...plan, path: found.path };
      }),
    );
  }
}
