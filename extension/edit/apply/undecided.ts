import * as vscode from 'vscode';
import type { Source } from '../changes/proposal.ts';
import { editorOf } from '../files/activeEditor.ts';
import { isOpen, type ProposalList } from '../proposals/proposalList.ts';
import type { Review } from '../review/review.ts';
import type { Reviews } from '../review/reviews.ts';

/** A proposed change that waits for the user's decision. */
export interface Waiting {
  source: Source;
  /** The named blocks of the answer that it comes from. */
  blocks: readonly string[];
  /** The files in which it waits, relative to the workspace. */
  paths: readonly string[];
}

/** The proposed changes that wait for the user: hunks in editors, and files in the list. */
export class Undecided {
  constructor(
    private readonly reviews: Pick<Reviews, 'all' | 'onDidChange'>,
    private readonly proposals: Pick<ProposalList, 'proposals' | 'onDidChange'>,
  ) {}

  /** Everything that waits now, including what an undo has brought back. */
  list(): Waiting[] {
    const inEditors = this.reviews.all.map(({ source, phase, tracked, document }) => {
      // While it is being written, all of it is undecided.
      const blocks = phase === 'reviewing' ? tracked.open.map((hunk) => hunk.blocks ?? ownOf(source)) : [ownOf(source)];
      return { source, blocks: unique(blocks), paths: [relative(document.uri)] };
    });
    // One entry for each file: a block may wait in only some of its files.
    const inList = this.proposals.proposals.flatMap(({ source, files }) =>
      files.filter(isOpen).map(({ plan }) => ({
        source,
        blocks: plan.blocks ?? ownOf(source),
        paths: [...(plan.path === undefined ? [] : [plan.path]), ...(plan.kind === 'move' ? [plan.to] : [])],
      })),
    );
    return [...inEditors, ...inList];
  }

  /** Fires when `list` may have changed. */
  onDidChange(listener: () => void): vscode.Disposable {
    return vscode.Disposable.from(this.reviews.onDidChange(listener), this.proposals.onDidChange(listener));
  }

  waits(source: Source): boolean {
    return this.list().some((one) => one.source === source);
  }

  /** Shows the editor or list in which the user decides. */
  async show({ source, blocks }: Waiting): Promise<void> {
    const review = this.reviewOf(source, blocks);
    if (!review) return void (await vscode.commands.executeCommand('perigee.proposals.focus'));
    const { document } = review;
    const { viewColumn } = editorOf(document) ?? {};
    await vscode.window.showTextDocument(document, { preview: false, viewColumn });
    review.reveal();
  }

  private reviewOf(source: Source, blocks: readonly string[]): Review | undefined {
    const own = this.reviews.all.filter((review) => review.source === source);
    const isOf = ({ tracked }: Review) =>
      tracked.open.some((hunk) => hunk.blocks?.some((name) => blocks.includes(name)));
    return own.find(isOf) ?? own[0];
  }
}

const relative = (uri: vscode.Uri) => vscode.workspace.asRelativePath(uri).replaceAll('\\', '/');
const ownOf = ({ block }: Source): readonly string[] => (block ? [block] : []);
const unique = (names: readonly (readonly string[])[]) => [...new Set(names.flat())];
