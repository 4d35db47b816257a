// The parts of a window that edits and proposals use, driven like a user: elements are found by their visible words.
import type { Locator, Page } from 'playwright-core';
import { type Deeds, type Effect, gone, none, once } from './deeds.ts';
import { answer, enter, focusedEditor, goTo } from './palette.ts';

export class EditorParts {
  private readonly page: Page;

  constructor(private readonly deeds: Deeds) {
    this.page = deeds.page;
  }

  /** The code lenses whose words contain `text`; each locator is the row above one line. */
  lenses(text: string | RegExp): Locator {
    return this.page.locator('.codelens-decoration').filter({ hasText: text });
  }

  /**
   * Clicks a lens title, such as '✓ Accept', in the row that contains `of`, such as 'hunk 2 of 3', until the effect
   * shows. The editor redraws its lenses several times, and a click between two drawings hits nothing.
   */
  async clickLens(title: string, of: string | RegExp, effect: string, shows: Effect): Promise<void> {
    const lens = this.lenses(of).locator('visible=true').first().locator('a').filter({ hasText: title });
    await this.deeds.click(lens, effect, shows, { patienceMs: 5_000 });
  }

  /** Clicks a lens title of a hunk until the hunk is decided. */
  async decide(title: string, hunk: string): Promise<void> {
    await this.clickLens(title, hunk, `${hunk} is decided`, none(this.lenses(hunk)));
  }

  /** The text of the line below the lenses. */
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

  /** Resolves once the lenses are above this line: they move shortly after an edit. */
  async standAbove(lenses: Locator, line: string): Promise<void> {
    await this.deeds.wait(`the lenses above "${line}"`, async () => {
      return (await lenses.first().isVisible()) && (await this.lineBelow(lenses.first())) === line;
    });
  }

  /** Types into the active editor, lines and columns counted from 1. An answer may arrive meanwhile. */
  async typeAt(line: number, column: number, text: string): Promise<void> {
    await this.goTo(line, column);
    await this.page.keyboard.type(text);
    const last = text.trim().split('\n').at(-1) ?? '';
    await this.shows(last.trim());
  }

  /** Moves the cursor and scrolls to its line. A line past the end of the file means its end. */
  async goTo(line: number, column = 1): Promise<void> {
    await goTo(this.deeds, line, column);
  }

  /** Selects whole lines by keys, from the start of the first to the end of the last, counted from 1. */
  async selectLines(first: number, last: number): Promise<void> {
    const cursor = this.page.locator('[id="status.editor.selection"]');
    await this.deeds.until({
      deed: `select lines ${first} to ${last}`,
      effect: 'the selection in the status bar',
      shows: cursor.filter({ hasText: new RegExp(`Ln ${last}, Col \\d+ \\(\\d+ selected\\)`) }),
      act: async () => {
        await this.goTo(first);
        const down = Array.from({ length: last - first }, () => 'Shift+ArrowDown');
        for (const key of [...down, 'Shift+End']) await this.page.keyboard.press(key);
      },
    });
  }

  /** Presses a key in the active editor once, such as one that undoes; then waits for its effect. */
  async pressInEditor(key: string, effect: string, shows: Effect): Promise<void> {
    await this.focus();
    await this.deeds.press(key, effect, shows, once);
  }

  /** Gives the focus to the active editor. */
  async focus(): Promise<void> {
    const editor = this.page.locator('.editor-group-container.active .monaco-editor .view-lines').last();
    const target = focusedEditor(this.deeds);
    // A click would move the cursor.
    const act = () =>
      editor.locator('xpath=ancestor::*[contains(@class,"monaco-editor")][1]').evaluate((node) => {
        node.querySelector<HTMLElement>('.native-edit-context, textarea.inputarea')?.focus();
      });
    await this.deeds.until({ deed: 'focus the editor', effect: 'it has the keyboard', shows: target, act });
  }

  /** Resolves once a line on screen contains `text`. */
  async shows(text: string): Promise<void> {
    await this.deeds.wait(`a line with "${text}"`, this.line(text));
  }

  /** Resolves once no line on screen contains `text`. */
  async hides(text: string): Promise<void> {
    await this.deeds.wait(`no line with "${text}"`, gone(this.line(text)));
  }

  private line(text: string): Locator {
    return this.page.locator('.view-line').filter({ hasText: text }).first();
  }

  /** Types the instruction when an edit with this title asks for it. */
  async request(title: string, text: string): Promise<void> {
    await answer(this.deeds, title, text);
  }

  /** The thread of an edit at its lines. */
  get thread(): Locator {
    return this.page.locator('.review-widget').filter({ hasText: /Edit lines? / });
  }

  /** What takes the keys of the prompt in it. */
  get promptInput(): Locator {
    return this.thread.locator('.comment-form').locator('.native-edit-context, textarea.inputarea').first();
  }

  /** Shows once the prompt has the keyboard. */
  get promptFocus(): Locator {
    return this.thread.locator('.comment-form .monaco-editor.focused');
  }

  /** The lines of the prompt that contain `text`. */
  promptText(text: string): Locator {
    return this.thread.locator('.comment-form .view-line').filter({ hasText: text });
  }

  /** Opens the prompt for the selected lines; its title begins with `title`. */
  async prompt(title: string): Promise<void> {
    await this.pressInEditor('Alt+Shift+E', 'the prompt has the keys', this.promptFocus);
    await this.thread.getByText(title).first().waitFor();
  }

  /** Types into the prompt that has the keyboard. */
  async typePrompt(text: string): Promise<void> {
    await this.promptInput.pressSequentially(text);
    const last = text.split('\n').at(-1)!;
    await this.deeds.wait(`the prompt shows "${last}"`, this.promptText(last));
  }

  /** Sends the prompt. */
  async sendPrompt(effect: Effect): Promise<void> {
    await this.deeds.pressIn(this.promptInput, 'Control+Enter', 'it is sent', effect, once);
  }

  /** The rows of the quick pick that contain `text`. */
  picks(text: string | RegExp): Locator {
    return this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: text });
  }

  /** Chooses a row of a quick pick. */
  async pick(text: string | RegExp): Promise<void> {
    const row = this.picks(text);
    await this.deeds.click(row, 'the list closes, or shows something else', gone(row));
  }

  /** Checks exactly these rows of a quick pick with several choices, and confirms. */
  async pickMany(...wanted: (string | RegExp)[]): Promise<void> {
    const rows = this.page.locator('.quick-input-list .monaco-list-row');
    const isTicked = rows.and(this.page.locator('[aria-checked=true]'));
    await this.deeds.wait('the rows to tick', this.picks(wanted[0] ?? ''));
    const tick = async (row: Locator, isRight: Effect) => {
      await this.deeds.click(row.locator('.monaco-checkbox'), 'its tick changes', isRight, { patienceMs: 5_000 });
    };
    for (let count = await isTicked.count(); count > 0; count = await isTicked.count()) {
      const before = count;
      await tick(isTicked.first(), async () => (await isTicked.count()) < before);
    }
    for (const text of wanted) {
      const row = this.picks(text).first();
      await tick(row, row.and(isTicked));
    }
    const ok = this.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' });
    await this.deeds.click(ok, 'the list closes, or asks for something else', gone(ok));
  }

  /** Confirms the checked rows of the list with this title. */
  async confirmPicks(title: string): Promise<void> {
    await enter(this.deeds, title);
  }

  /** Opens the light bulb's menu at the cursor until it has this action: its provider may be late. Returns its rows. */
  async quickFixes(action: string | RegExp): Promise<Locator> {
    const rows = this.page.locator('.action-widget .monaco-list-row.action');
    await this.deeds.until({
      deed: 'open the light bulb',
      effect: `the action ${action}`,
      shows: rows.filter({ hasText: action }),
      act: async () => {
        if (await rows.first().isVisible()) await this.deeds.press('Escape', 'the menu closes', gone(rows));
        await this.focus();
        await this.page.keyboard.press('Control+.');
      },
      patienceMs: 5_000,
    });
    return rows;
  }

  /** Chooses an action in the light bulb's open menu. */
  async quickFix(action: string | RegExp): Promise<void> {
    const row = this.page.locator('.action-widget .monaco-list-row.action').filter({ hasText: action });
    await this.deeds.click(row, 'the menu closes', gone(row));
  }

  /** The rows of the view "Proposed Changes" that contain `text`. */
  proposals(text: string | RegExp = ''): Locator {
    return this.view('Proposed Changes').locator('.monaco-list-row').filter({ hasText: text });
  }

  /** Clicks an action that appears when the mouse is over a tree row, such as 'Accept File', until the row is gone. */
  async clickItemAction(row: Locator, title: string): Promise<void> {
    await this.clickUnderMouse(row, row.locator(`.action-label[aria-label^="${title}"]`), title, gone(row));
  }

  /** Clicks an action in the title of a side bar view, until the effect shows. */
  async clickViewAction(view: string, title: string, shows: Effect): Promise<void> {
    const header = this.view(view).locator('.pane-header');
    await this.clickUnderMouse(header, header.locator(`.action-label[aria-label^="${title}"]`), title, shows);
  }

  private async clickUnderMouse(over: Locator, action: Locator, title: string, shows: Effect): Promise<void> {
    await this.deeds.until({
      deed: `click "${title}"`,
      effect: 'what it does',
      shows,
      act: async (timeout) => {
        await over.first().hover({ timeout });
        await action.first().click({ timeout });
      },
      patienceMs: 5_000,
    });
  }

  /** A side bar view by its title. */
  view(title: string): Locator {
    const header = this.page.locator('.pane-header').filter({ hasText: title });
    return this.page.locator('.split-view-view .pane').filter({ has: header });
  }

  /** Clicks an action in the title of the active editor, such as 'Accept File' of a diff, until the effect shows. */
  async clickTitleAction(title: string, effect: string, shows: Effect): Promise<void> {
    const actions = this.page.locator('.editor-group-container.active .title .editor-actions');
    await this.deeds.click(actions.locator(`.action-label[aria-label^="${title}"]`), effect, shows);
  }

  /** The active tab, with this in its title. */
  tab(title: string): Locator {
    return this.page.locator('.tab.active', { hasText: title });
  }

  /** The changed side of the active diff editor, or its original side. */
  diff(side: 'original' | 'modified' = 'modified'): Locator {
    return this.page.locator(`.editor-group-container.active .monaco-diff-editor .editor.${side} .view-lines`);
  }
}
