import * as vscode from 'vscode';
import type { Accepted } from '../../../extension/edit/changes/proposal.ts';
import type { Edit } from '../../../extension/edit/engine/edits.ts';
import { planEdits } from '../../../extension/edit/engine/planning/plan.ts';
import { toChangeLines } from '../../../extension/edit/engine/text/changeLines.ts';
import { WorkspaceFiles } from '../../../extension/edit/files/files.ts';
import { Reports } from '../../../extension/edit/notifications/reports.ts';
import type { Proposal, ProposedFile } from '../../../extension/edit/proposals/proposalList.ts';
import { Proposals, type ProposalsDeps } from '../../../extension/edit/proposals/proposals.ts';
import { sampleFile } from '../window.ts';
import { Messages } from './editModel.ts';

let folders = 0;

/** Proposals as the extension makes them, and a folder of the workspace for them alone. */
export class ProposalScene {
  readonly messages = new Messages();
  readonly recorded: Accepted[] = [];
  readonly reviewed: Parameters<ProposalsDeps['review']>[] = [];
  readonly takenBack: string[] = [];
  readonly files = new WorkspaceFiles();
  private readonly reports = new Reports();
  readonly proposals = new Proposals({
    files: this.files,
    reports: this.reports,
    review: async (...args) => {
      this.reviewed.push(args);
      return true;
    },
    record: async (accepted) => {
      this.recorded.push(accepted);
      return 'a checkpoint';
    },
    takeBack: async (id) => this.takenBack.push(id),
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  /** Undo knows files by their names, so that no two tests may have the same. */
  readonly folder = `proposal${++folders}`;

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  uri(name: string): vscode.Uri {
    return sampleFile(this.path(name));
  }

  async write(name: string, text: string | Uint8Array): Promise<void> {
    // Git tells of changes a while later, when other tests look at it.
    await vscode.workspace.fs.writeFile(this.uri('.gitignore'), new TextEncoder().encode('*\n'));
    await vscode.workspace.fs.writeFile(
      this.uri(name),
      typeof text === 'string' ? new TextEncoder().encode(text) : text,
    );
  }

  /** What the disk has; undefined where there is no such file. */
  async disk(name: string): Promise<string | undefined> {
    try {
      return new TextDecoder().decode(await vscode.workspace.fs.readFile(this.uri(name)));
    } catch {
      return undefined;
    }
  }

  async show(name: string): Promise<vscode.TextEditor> {
    const document = await vscode.workspace.openTextDocument(this.uri(name));
    return vscode.window.showTextDocument(document, { preview: false });
  }

  /** The text as the editor has it. */
  async text(name: string): Promise<string> {
    return (await vscode.workspace.openTextDocument(this.uri(name))).getText();
  }

  /** Types at a place of a file that is shown. */
  async insert(name: string, line: number, text: string): Promise<void> {
    const editor = await this.show(name);
    await editor.edit((edit) => edit.insert(new vscode.Position(line, 0), text));
  }

  /** Opens a proposal of edits, which name their files within the folder. */
  async propose(...edits: Edit[]): Promise<Proposal> {
    const own = edits.map((edit): Edit => {
      const path = this.path(edit.path!);
      return edit.kind === 'move' ? { ...edit, path, to: this.path(edit.to) } : { ...edit, path };
    });
    const texts = new Map<string, string>();
    for (const path of own.flatMap((edit) => [edit.path!, ...(edit.kind === 'move' ? [edit.to] : [])])) {
      const found = await this.files.find(path, true);
      if (found.kind === 'file') texts.set(path, found.text);
    }
    await this.proposals.open(
      { title: `Proposal in ${this.folder}` },
      planEdits(own, (path) => texts.get(path)),
    );
    return this.proposals.list.proposals.at(-1)!;
  }

  file(proposal: Proposal, name: string): ProposedFile {
    const found = proposal.files.find(({ plan }) => plan.path === this.path(name));
    if (!found) throw new Error(`${name} is not in the proposal`);
    return found;
  }

  /** Resolves once `isSo`, which is asked whenever a document, a file or a proposal changes. */
  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    if (await isSo()) return;
    const watcher = vscode.workspace.createFileSystemWatcher('**/*');
    const heard: vscode.Disposable[] = [watcher];
    try {
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`waited in vain; told: ${this.messages.told.join(' | ')}`)),
          40_000,
        );
        heard.push({ dispose: () => clearTimeout(late) });
        const look = async () => {
          if (await isSo()) resolve();
        };
        const { list } = this.proposals;
        for (const event of [list.onDidChange, list.onDidFit, vscode.workspace.onDidChangeTextDocument]) {
          heard.push((event as vscode.Event<unknown>)(() => void look()));
        }
        heard.push(vscode.workspace.onDidSaveTextDocument(look), watcher.onDidChange(look), watcher.onDidCreate(look));
        heard.push(watcher.onDidDelete(look), vscode.window.tabGroups.onDidChangeTabs(look));
        heard.push(vscode.window.onDidChangeVisibleTextEditors(look));
        void look();
      });
    } finally {
      for (const each of heard) each.dispose();
    }
  }

  async dispose(): Promise<void> {
    this.proposals.dispose();
    this.reports.dispose();
    this.messages.dispose();
    while (vscode.window.tabGroups.all.some(({ tabs }) => tabs.length > 0)) {
      if (vscode.window.activeTextEditor) {
        await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
      } else await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    }
    await vscode.workspace.fs.delete(sampleFile(this.folder), { recursive: true }).then(undefined, () => {});
  }
}

/** Replaces lines of a file by others. */
export function change(path: string, old: string[], fresh: string[]): Edit {
  const lines = toChangeLines(old, fresh);
  return { kind: 'change', format: 'searchReplace', path, answerLine: 1, lines, headings: [], atEndOfFile: false };
}

export const create = (path: string, lines: string[]): Edit => ({ kind: 'create', path, lines, answerLine: 1 });
export const remove = (path: string): Edit => ({ kind: 'delete', path, answerLine: 1 });
export const move = (path: string, to: string): Edit => ({ kind: 'move', path, to, answerLine: 1 });
