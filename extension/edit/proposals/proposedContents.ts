import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import type { Proposal, ProposalList, ProposedFile } from './proposalList.ts';

export const PROPOSED_SCHEME = 'perigee-proposed';

/** The URI of a proposed file; its numbers identify proposal and file. */
export function proposedUri({ id, proposal, plan, uri, target }: ProposedFile, side: 'before' | 'after' = 'after') {
  return vscode.Uri.from({
    scheme: PROPOSED_SCHEME,
    path: (target ?? uri)?.path ?? `/${plan.path ?? ''}`,
    query: `proposal=${proposal.id}&file=${id}&side=${side}`,
  });
}

/** The numbers of proposal and file in our URI. */
export function readProposedUri({ scheme, query }: vscode.Uri): { proposal: number; file: number } | undefined {
  if (scheme !== PROPOSED_SCHEME) return undefined;
  const [, proposal, file] = /^proposal=(\d+)&file=(\d+)/.exec(query) ?? [];
  return proposal && file ? { proposal: Number(proposal), file: Number(file) } : undefined;
}

/** Proposed files as read-only documents. They are updated when the real files change. */
export class ProposedContents extends Disposable implements vscode.TextDocumentContentProvider {
  private readonly changed = this._register(new vscode.EventEmitter<vscode.Uri>());
  readonly onDidChange = this.changed.event;
  /** The diffs of decided files, by address. One that was asked for just before opens late, and would show nothing. */
  private readonly over = new Set<string>();

  constructor(private readonly list: ProposalList) {
    super();
    this._register(list.onDidFit((file) => this.changed.fire(proposedUri(file))));
    this._register(vscode.workspace.registerTextDocumentContentProvider(PROPOSED_SCHEME, this));
    // Restored from an earlier window, whose proposals are gone.
    void closeTabs(diffsAmong(allTabs(), (uri) => uri.scheme === PROPOSED_SCHEME));
    const isOver = (uri: vscode.Uri) => this.over.has(uri.toString());
    const { tabGroups } = vscode.window;
    this._register(tabGroups.onDidChangeTabs(({ opened }) => void closeTabs(diffsAmong(opened, isOver))));
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    const ids = readProposedUri(uri);
    const file = ids && this.list.find(ids.proposal, ids.file);
    if (!file || uri.query.endsWith('side=before')) return '';
    // If the change doesn't fit, show it as it was proposed.
    return (file.fit?.kind === 'fits' ? file.fit.after : file.change?.after) ?? '';
  }

  /** Shows a file's change as a diff of the current and the proposed text. */
  async show(file: ProposedFile): Promise<void> {
    const { plan, uri, target } = file;
    if (!uri) return;
    if (plan.kind === 'refused') return void (await vscode.window.showTextDocument(uri, { preview: true }));
    const name = baseName(uri);
    const title = {
      create: `${name} (new)`,
      update: `${name} (proposed)`,
      delete: `${name} (to be deleted)`,
      move: `${name} → ${target ? targetName(uri, target) : ''}`,
    }[plan.kind];
    await vscode.commands.executeCommand('vscode.diff', before(file), proposedUri(file), title, { preview: true });
  }

  /** Shows all open files of a proposal in one editor. */
  async showAll({ source, files }: Proposal): Promise<void> {
    const open = files.filter(({ state }) => state === 'open');
    await vscode.commands.executeCommand(
      'vscode.changes',
      allTitle(source.title),
      open.map((file) => [
        file.target ?? file.uri,
        file.plan.kind === 'create' ? undefined : file.uri,
        file.plan.kind === 'delete' ? undefined : proposedUri(file),
      ]),
    );
  }

  /** Whether the diff of one of the files is active. */
  isInFront(files: readonly ProposedFile[]): boolean {
    return this.tabsOf(files).some(({ isActive, group }) => isActive && group.isActive);
  }

  /** Closes the diffs of decided files. */
  async close(files: readonly ProposedFile[]): Promise<void> {
    for (const file of files) this.over.add(proposedUri(file).toString());
    await closeTabs(this.tabsOf(files));
  }

  private tabsOf(files: readonly ProposedFile[]): vscode.Tab[] {
    const addresses = new Set(files.map((file) => proposedUri(file).toString()));
    return diffsAmong(allTabs(), (uri) => addresses.has(uri.toString()));
  }

  /** Closes the editor that shows all files of a finished proposal. */
  async closeAll({ source }: Proposal): Promise<void> {
    // The API doesn't tell what such a tab shows, so we recognise it by our title.
    await closeTabs(
      allTabs().filter(({ label, input }) => label.startsWith(allTitle(source.title)) && !isKnownInput(input)),
    );
  }
}

const allTabs = () => vscode.window.tabGroups.all.flatMap((group) => group.tabs);

const diffsAmong = (tabs: readonly vscode.Tab[], isMeant: (modified: vscode.Uri) => boolean) =>
  tabs.filter(({ input }) => input instanceof vscode.TabInputTextDiff && isMeant(input.modified));

async function closeTabs(tabs: readonly vscode.Tab[]): Promise<void> {
  if (tabs.length > 0) await vscode.window.tabGroups.close(tabs, true);
}

const allTitle = (title: string) => `Perigee: ${title}`;

const isKnownInput = (input: unknown) =>
  input instanceof vscode.TabInputText ||
  input instanceof vscode.TabInputTextDiff ||
  input instanceof vscode.TabInputCustom ||
  input instanceof vscode.TabInputWebview;

const before = (file: ProposedFile) =>
  file.plan.kind === 'create' || !file.uri ? proposedUri(file, 'before') : file.uri;

export const baseName = ({ path }: vscode.Uri) => path.slice(path.lastIndexOf('/') + 1);

/** The name alone if only the name changes, else the folders as well. */
function targetName(from: vscode.Uri, to: vscode.Uri): string {
  const folder = (path: string) => path.slice(0, path.lastIndexOf('/'));
  if (folder(from.path) === folder(to.path)) return baseName(to);
  return vscode.workspace.asRelativePath(to, false);
}
