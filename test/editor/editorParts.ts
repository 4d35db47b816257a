// The parts of a window that edits and proposals show themselves in, found and used as people do: by their words.
import type { Locator, Page } from 'playwright-core';

export class EditorParts {
  constructor(private readonly page: Page) {}

  /** The code lenses above lines of the editor whose words contain `text`; each locator is the row of one line. */
  lenses(text: string | RegExp): Locator {
    return this.page.locator('.codelens-decoration').filter({ hasText: text });
  }

  /** Clicks a title of the lenses in the row that has `of` in it, such as '✓ Accept' of 'hunk 2 of 3'; it is on screen. */
  async clickLens(title: string, of: string | RegExp): Promise<void> {
    await this.lenses(of).locator('visible=true').first().locator('a').filter({ hasText: title }).first().click();
  }

  /**
   * The same of a hunk, until it is decided. The editor draws its lenses anew while it learns of them, and a click between two
   * drawings meets neither.
   */
  async decide(title: string, hunk: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      await this.clickLens(title, hunk);
      const isGone = this.lenses(hunk).waitFor({ state: 'detached', timeout: 8_000 });
      if (await isGone.then(() => true).catch((error) => tries === 4 && Promise.reject(error))) return;
    }
  }

  /** The text of the line that the lenses stand above. */
  async lineBelow(lenses: Locator): Promise<string> {
    await lenses.waitFor();
    return lenses.evaluate((row) => {
      const bottom = row.getBoundingClientRect().bottom;
      const lines = Array.from(row.closest('.monaco-editor')?.querySelectorAll('.view-line') ?? [])
        .map((line) => ({ top: line.getBoundingClientRect().top, text: line.textContent ?? '' }))
        .filter(({ top }) => top >= bottom - 2)
        .sort((a, b) => a.top - b.top);
      return (lines[0]?.text ?? '').replaceAll('\u00a0', ' ');
    });
  }

  /** Types into the active editor, lines and columns counted from 1; an answer may be coming meanwhile. */
  async typeAt(line: number, column: number, text: string): Promise<void> {
    await this.goTo(line, column);
    await this.page.keyboard.type(text);
  }

  /** Puts the cursor there and the line on screen; past the end of the file, to its end. */
  async goTo(line: number, column = 1): Promise<void> {
    await this.page.keyboard.press('Control+G');
    const input = this.page.locator('.quick-input-widget input[type=text]');
    await input.waitFor();
    await input.fill(`:${line}:${column}`);
    await this.page.keyboard.press('Enter');
    await input.waitFor({ state: 'hidden' });
  }

  /** Resolves once a line on screen contains `text`. */
  async shows(text: string): Promise<void> {
    await this.line(text).waitFor();
  }

  /** Resolves once no line on screen contains `text`. */
  async hides(text: string): Promise<void> {
    await this.line(text).waitFor({ state: 'detached' });
  }

  private line(text: string): Locator {
    return this.page.locator('.view-line').filter({ hasText: text }).first();
  }

  /** Says what to do when an edit of this title asks for it. */
  async request(title: string, text: string): Promise<void> {
    const asking = this.page.locator('.quick-input-widget').filter({ hasText: title });
    await asking.waitFor();
    await asking.locator('input[type=text]').fill(text);
    await this.picks(text).first().waitFor();
    await this.page.keyboard.press('Enter');
  }

  /** The rows of the quick pick that contain `text`. */
  picks(text: string | RegExp): Locator {
    return this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: text });
  }

  /** Ticks exactly these rows of a quick pick in which many may be chosen, and confirms. */
  async pickMany(...rows: (string | RegExp)[]): Promise<void> {
    await this.picks(rows[0] ?? '')
      .first()
      .waitFor();
    const ticked = this.page.locator('.quick-input-list .monaco-list-row[aria-checked=true]');
    while ((await ticked.count()) > 0) await ticked.first().locator('.monaco-checkbox').click();
    for (const row of rows) await this.picks(row).first().locator('.monaco-checkbox').click();
    await this.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
  }

  /** Opens the menu of the light bulb at the cursor, and chooses an action of it by its title. */
  async quickFix(title: string | RegExp): Promise<void> {
    const menu = await this.quickFixes();
    await menu.filter({ hasText: title }).first().click();
  }

  /** Opens the menu of the light bulb at the cursor: its rows. */
  async quickFixes(): Promise<Locator> {
    await this.page.keyboard.press('Control+.');
    const rows = this.page.locator('.action-widget .monaco-list-row.action');
    await rows.first().waitFor();
    return rows;
  }

  /** The rows of the view "Proposed Changes" that contain `text`. */
  proposals(text: string | RegExp = ''): Locator {
    return this.view('Proposed Changes').locator('.monaco-list-row').filter({ hasText: text });
  }

  /** Clicks an action that shows when the mouse is over a row of a tree, such as 'Accept File'. */
  async clickItemAction(row: Locator, title: string): Promise<void> {
    await row.hover();
    await row.locator(`.action-label[aria-label^="${title}"]`).click();
  }

  /** Clicks an action in the title of a view of the side bar. */
  async clickViewAction(view: string, title: string): Promise<void> {
    const pane = this.view(view);
    await pane.locator('.pane-header').hover();
    await pane.locator(`.pane-header .action-label[aria-label^="${title}"]`).click();
  }

  private view(title: string): Locator {
    const header = this.page.locator('.pane-header').filter({ hasText: title });
    return this.page.locator('.split-view-view .pane').filter({ has: header });
  }

  /** Clicks an action in the title of the active editor, such as 'Accept File' of a diff. */
  async clickTitleAction(title: string): Promise<void> {
    const actions = this.page.locator('.editor-group-container.active .title .editor-actions');
    await actions.locator(`.action-label[aria-label^="${title}"]`).click();
  }

  /** The changed side of the diff editor in front, or the side before. */
  diff(side: 'original' | 'modified' = 'modified'): Locator {
    return this.page.locator(`.editor-group-container.active .monaco-diff-editor .editor.${side} .view-lines`);
  }
}
