import * as vscode from 'vscode';
import type { Source } from '../changes/proposal.ts';
import type { ProposalList } from '../proposals/proposalList.ts';
import type { Reviews } from '../review/reviews.ts';

/** What was proposed and waits for the user: hunks in editors, and files in the list. */
export class Undecided {
  constructor(
    private readonly reviews: Pick<Reviews, 'all' | 'onDidChange'>,
    private readonly list: Pick<ProposalList, 'proposals' | 'onDidChange'>,
  ) {}

  waits(source: Source): boolean {
    return !!this.reviewOf(source) || this.list.proposals.some((one) => one.source === source);
  }

  /** Resolves when nothing from this source waits any more. */
  decided(source: Source): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.waits(source)) return;
        for (const listening of both) listening.dispose();
        resolve();
      };
      const both = [this.reviews.onDidChange(look), this.list.onDidChange(look)];
      look();
    });
  }

  /** Shows where the user decides. */
  async show(source: Source): Promise<void> {
    const review = this.reviewOf(source);
    if (!review) return void (await vscode.commands.executeCommand('perigee.proposals.focus'));
    await vscode.window.showTextDocument(review.document, { preview: false });
    review.reveal();
  }

  private reviewOf(source: Source) {
    return this.reviews.all.find((review) => review.source === source);
  }
}
