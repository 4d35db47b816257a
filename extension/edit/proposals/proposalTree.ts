import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { countLines, tellCounts, tellSummary } from '../changes/proposalState.ts';
import { describeRefusals } from '../words/refusalWords.ts';
import { isOpen, type Proposal, type ProposalList, type ProposedFile, warningOf, whyNot } from './proposalList.ts';
import { baseName, PROPOSED_SCHEME, proposedUri, readProposedUri } from './proposedContents.ts';

export type ProposalNode = Proposal | ProposedFile;

export const isFile = (node: ProposalNode): node is ProposedFile => 'plan' in node;

const VIEW = 'perigee.proposals';

/** The view "Proposed Changes": each proposal with its files, in the style of the source control view. */
export class ProposalTree extends Disposable implements vscode.TreeDataProvider<ProposalNode> {
  private readonly changed = this._register(new vscode.EventEmitter<undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<ProposalNode>;
  private isShown = false;

  constructor(private readonly list: ProposalList) {
    super();
    this.view = this._register(
      vscode.window.createTreeView(VIEW, { treeDataProvider: this, canSelectMany: true, showCollapseAll: false }),
    );
    this._register(vscode.window.registerFileDecorationProvider(new ProposalBadges(list)));
    this._register(list.onDidChange(() => void this.refresh()));
  }

  /** The selection of the list, for commands without arguments. */
  get selection(): readonly ProposalNode[] {
    return this.view.visible ? this.view.selection : [];
  }

  /** Shows the proposal in the list without moving the focus. */
  async reveal(proposal: Proposal): Promise<void> {
    await this.refresh();
    // The view may not exist yet; when it opens, it shows everything.
    await Promise.resolve(this.view.reveal(proposal, { select: false, focus: false, expand: true })).catch(() => {});
  }

  getChildren(node?: ProposalNode): ProposalNode[] {
    if (!node) return [...this.list.proposals];
    return isFile(node) ? [] : node.files.filter((file) => isOpen(file) || file.state === 'refused');
  }

  getParent(node: ProposalNode): ProposalNode | undefined {
    return isFile(node) ? node.proposal : undefined;
  }

  getTreeItem(node: ProposalNode): vscode.TreeItem {
    return isFile(node) ? fileItem(node) : proposalItem(node);
  }

  private async refresh(): Promise<void> {
    if (this.isDisposed) return;
    const { proposals } = this.list;
    const open = proposals.flatMap(({ files }) => files).filter(isOpen).length;
    this.view.badge = open > 0 ? { value: open, tooltip: `${open} proposed changes to decide about` } : undefined;
    this.changed.fire(undefined);
    if (this.isShown === proposals.length > 0) return;
    this.isShown = proposals.length > 0;
    await vscode.commands.executeCommand('setContext', 'perigee.hasProposals', this.isShown);
  }
}

function proposalItem(proposal: Proposal): vscode.TreeItem {
  const { id, source, phase, files, why } = proposal;
  const item = new vscode.TreeItem(source.title, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `${id}`;
  const summary = tellSummary(files);
  item.description = phase === 'ended' ? `ended early · ${summary}` : summary;
  if (phase === 'running') item.iconPath = new vscode.ThemeIcon('loading~spin');
  item.tooltip = [source.title, summary, phase === 'running' ? 'The answer is still being written.' : why]
    .filter(Boolean)
    .join('\n');
  item.contextValue = phase === 'running' ? 'proposal running' : files.some(isOpen) ? 'proposal open' : 'proposal';
  return item;
}

function fileItem(file: ProposedFile): vscode.TreeItem {
  const { plan, uri, target, state, proposal } = file;
  const at = target ?? uri;
  const item = new vscode.TreeItem(at ? baseName(at) : 'No file named', vscode.TreeItemCollapsibleState.None);
  item.id = `${proposal.id}/${file.id}`;
  // Our own URI, so that colour and letter show the proposal and not git's state of the file. The icon follows the
  // file's name.
  item.resourceUri = proposedUri(file);
  item.iconPath = isWarned(file)
    ? new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'))
    : vscode.ThemeIcon.File;
  item.description = [tellFolder(file), tellState(file)].filter(Boolean).join(' · ');
  item.tooltip = tooltip(file);
  const isReviewable = plan.kind === 'update' && state === 'open';
  const can = proposal.phase === 'running' ? 'running' : state;
  item.contextValue = ['file', can, isReviewable && can === 'open' ? 'reviewable' : ''].filter(Boolean).join(' ');
  if (uri) item.command = { command: 'perigee.openProposedFile', title: 'Open Changes', arguments: [file] };
  return item;
}

function tellFolder({ plan, uri, target }: ProposedFile): string {
  if (!uri) return plan.path ?? '';
  const folderOf = (at: vscode.Uri) => {
    const path = vscode.workspace.asRelativePath(at).replaceAll('\\', '/');
    return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  };
  if (!target) return folderOf(uri);
  const [from, to] = [folderOf(uri), folderOf(target)];
  return from === to ? `${to} ← ${baseName(uri)}`.trim() : `${to} ← ${from ? `${from}/` : ''}${baseName(uri)}`.trim();
}

function tellState(file: ProposedFile): string {
  if (file.state === 'stale') return 'changed since';
  if (file.state === 'refused') return 'refused';
  return tellCounts(countLines(file.plan));
}

function tooltip(file: ProposedFile): vscode.MarkdownString {
  const { plan, state, uri, target } = file;
  const text = new vscode.MarkdownString();
  const path = (at: vscode.Uri) => vscode.workspace.asRelativePath(at);
  const names = [uri ? path(uri) : (plan.path ?? 'No file named'), target ? path(target) : ''].filter(Boolean);
  text.appendText(`${names.join(' → ')}\n`);
  if (plan.kind === 'refused') {
    describeRefusals(text, plan.refusals);
    return text;
  }
  if (state === 'stale') text.appendText(`${whyNot(file)}\n`);
  else text.appendText({ create: 'New file', update: 'Changed', delete: 'To be deleted', move: 'Moved' }[plan.kind]);
  const warning = isOpen(file) ? warningOf(file) : undefined;
  if (warning !== undefined)
    text.appendText(`\n${warning[0]!.toUpperCase()}${warning.slice(1)}: look before you accept`);
  return text;
}

const isWarned = (file: ProposedFile) => isOpen(file) && warningOf(file) !== undefined;

const BADGES = {
  create: { letter: 'A', colour: 'gitDecoration.addedResourceForeground', words: 'New' },
  update: { letter: 'M', colour: 'gitDecoration.modifiedResourceForeground', words: 'Changed' },
  move: { letter: 'R', colour: 'gitDecoration.renamedResourceForeground', words: 'Moved' },
  delete: { letter: 'D', colour: 'gitDecoration.deletedResourceForeground', words: 'To be deleted' },
  refused: { letter: '!', colour: 'list.errorForeground', words: 'Refused' },
  stale: { letter: '!', colour: 'list.warningForeground', words: 'Changed since it was proposed' },
} as const;

/** Letters and colours as in the source control view. */
class ProposalBadges extends Disposable implements vscode.FileDecorationProvider {
  private readonly changed = this._register(new vscode.EventEmitter<vscode.Uri[]>());
  readonly onDidChangeFileDecorations = this.changed.event;

  constructor(private readonly list: ProposalList) {
    super();
    this._register(
      list.onDidChange(() =>
        this.changed.fire(list.proposals.flatMap(({ files }) => files.map((file) => proposedUri(file)))),
      ),
    );
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== PROPOSED_SCHEME) return undefined;
    const ids = readProposedUri(uri);
    const file = ids && this.list.find(ids.proposal, ids.file);
    if (!file) return undefined;
    const { letter, colour, words } = BADGES[file.state === 'stale' ? 'stale' : file.plan.kind];
    return new vscode.FileDecoration(letter, words, new vscode.ThemeColor(colour));
  }
}
