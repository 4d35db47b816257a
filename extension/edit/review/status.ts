import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { count } from '../words/messages.ts';
import type { Review } from './review.ts';

/** The status bar item while hunks are open: how many, and a command to go to the next. */
export class ReviewStatus extends Disposable {
  private readonly item = this._register(
    vscode.window.createStatusBarItem('perigee.review', vscode.StatusBarAlignment.Left, 0),
  );

  /** Its text; undefined while it is hidden. */
  get text(): string | undefined {
    return this.shown;
  }

  constructor() {
    super();
    this.item.name = 'Perigee: Hunks to Review';
    this.item.command = 'perigee.nextHunk';
  }

  private shown: string | undefined;

  refresh(reviews: readonly Review[]): void {
    const open = reviews.filter(({ phase }) => phase === 'reviewing');
    const hunks = open.reduce((sum, { tracked }) => sum + tracked.open.length, 0);
    const text = hunks > 0 ? `$(diff) ${count(hunks, 'hunk')} to review` : undefined;
    if (text === this.shown) return;
    this.shown = text;
    if (!text) {
      this.item.hide();
      return;
    }
    const files = new Set(open.map(({ document }) => document)).size;
    this.item.text = text;
    this.item.tooltip = `Perigee: ${count(hunks, 'hunk')} in ${count(files, 'file')}. Go to the next one.`;
    this.item.accessibilityInformation = { label: `Perigee: ${count(hunks, 'hunk')} to review`, role: 'button' };
    this.item.show();
  }
}
