import type { Edit, FilePlan } from '../engine/edits.ts';
import { tidyPath } from '../engine/paths.ts';
import type { FoundFile, WorkspaceFiles } from './files.ts';

/** The files that one answer names. Each is found once, so that the user is asked once which is meant. */
export class AnswerFiles {
  private readonly found = new Map<string, Promise<FoundFile>>();

  constructor(private readonly files: WorkspaceFiles) {}

  /** The file that the answer means by `path`; `exact` as for `WorkspaceFiles.find`, the first time it is asked for. */
  find(path: string, exact = false): Promise<FoundFile> {
    const tidy = tidyPath(path);
    const known = this.found.get(tidy);
    if (known) return known;
    const found = this.files.find(tidy, exact);
    this.found.set(tidy, found);
    return found;
  }

  /** A file that is meant by its own path, since the user chose it. */
  take(file: FoundFile): void {
    this.found.set(tidyPath(file.path), Promise.resolve(file));
  }

  /** All that was found so far, by the workspace's own paths. */
  async byPath(): Promise<Map<string, FoundFile>> {
    return new Map((await Promise.all(this.found.values())).map((file) => [file.path, file]));
  }

  /** `edits` with the workspace's own paths in place of the answer's, so that two spellings of one file are one file. */
  async locate(edits: readonly Edit[]): Promise<Edit[]> {
    // A new file is meant where it is named; what is changed must exist, perhaps further down.
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

  /** `plans` with the workspace's own paths; those of files that Perigee doesn't write to are refused. */
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
