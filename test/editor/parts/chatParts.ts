// The chat of an editor, used as people use it: by the words that stand there.
import assert from 'node:assert/strict';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { all, any, type Deeds, type Effect, gone, isSo } from './deeds.ts';

/** What of an editor the chat needs. */
interface Editor {
  page: Page;
  deeds: Deeds;
  webview(): FrameLocator;
  runCommand(title: string): Promise<void>;
  statusBarItem(what: string | RegExp): Locator;
}

export class ChatParts {
  constructor(private readonly editor: Editor) {}

  /** The content of the view; another one after each restart of the editor. */
  get view(): FrameLocator {
    return this.editor.webview();
  }

  get composer(): Locator {
    return this.view.getByLabel('Message', { exact: true }).getByRole('textbox');
  }

  /** The composer while the cursor is in it; before that, the view would take it from whatever is opened meanwhile. */
  get focused(): Locator {
    return this.composer.and(this.view.locator(':focus'));
  }

  get answers(): Locator {
    return this.view.getByRole('article', { name: 'Answer' });
  }

  /** What the user said, one for each message. */
  get messages(): Locator {
    return this.view.getByRole('article', { name: 'You' });
  }

  button(name: string | RegExp): Locator {
    return this.view.getByRole('button', { name });
  }

  /** Does what a newcomer does first: a click on the status bar opens the chat as a guest. */
  async start(): Promise<void> {
    const item = this.editor.statusBarItem('Perigee: start');
    await this.editor.deeds.click(item, 'the chat, with the cursor in it', this.focused);
  }

  async open(): Promise<void> {
    await this.#byCommand('Perigee: Open Chat', this.focused);
  }

  async startNew(): Promise<void> {
    const heading = this.view.getByRole('heading', { name: 'New chat' });
    await this.#byCommand('Perigee: New Chat', all(heading, gone(this.answers), this.focused));
  }

  /** Shows another view in its place, so that this one is thrown away. */
  async close(): Promise<void> {
    await this.#byCommand('View: Show Explorer', gone(this.editor.page.locator('iframe.webview.ready')));
  }

  /** Runs a command that may be run twice, until its effect shows. */
  async #byCommand(title: string, shows: Effect): Promise<void> {
    let isRun = false;
    await this.editor.deeds.until({
      deed: `run "${title}"`,
      effect: 'the chat that it leads to',
      // What is there already may be what the command is about to replace.
      shows: async () => isRun && (await isSo(shows)),
      act: async () => {
        await this.editor.runCommand(title);
        isRun = true;
      },
      patienceMs: 5_000,
    });
  }

  /** Writes into the composer in place of what is there. Fails when the view puts something else there. */
  async type(text: string): Promise<void> {
    await this.composer.fill(text);
    assert.equal(await this.composer.inputValue(), text, 'the composer has what was typed');
  }

  /** Types and sends; resolves once the message stands in the conversation and the composer is empty. */
  async send(text: string): Promise<void> {
    const same = this.messages.filter({ hasText: text });
    const before = await same.count();
    await this.type(text);
    await this.sendTyped(async () => (await same.count()) > before && (await this.#isEmpty()));
  }

  /** Types and tries to send what will be refused; resolves once the view says so in these words, with the text kept. */
  async sendInVain(text: string, told: Locator): Promise<void> {
    await this.type(text);
    await this.sendTyped(told);
    assert.equal(await this.composer.inputValue(), text, 'what was refused is kept');
  }

  /** Presses Enter in the composer until `shows`; once the text has left the composer it is only waited for. */
  async sendTyped(shows: Effect): Promise<void> {
    const text = await this.composer.inputValue();
    await this.editor.deeds.until({
      deed: `send "${text}"`,
      effect: 'the message in the conversation, or a word about why it is not',
      shows,
      act: async (timeout) => {
        if ((await this.composer.inputValue({ timeout })) === text) await this.composer.press('Enter', { timeout });
      },
      patienceMs: 5_000,
    });
  }

  /** Sends, and waits for an answer with this text in it. */
  async ask(text: string, answer: string): Promise<void> {
    await this.send(text);
    await this.answers.getByText(answer).first().waitFor();
  }

  /** Resolves once an answer, the last by default, is written to its end. */
  async ended(answer = this.answers.last()): Promise<void> {
    await answer.and(this.view.locator('[aria-busy="false"]')).waitFor();
  }

  async stop(): Promise<void> {
    const button = this.button('Stop (Escape)');
    await this.editor.deeds.click(
      button,
      'the answer stops',
      any(gone(button), this.answers.last().getByText('Stopped.')),
    );
  }

  async #isEmpty(): Promise<boolean> {
    return (await this.composer.inputValue({ timeout: 2_000 }).catch(() => undefined)) === '';
  }
}
