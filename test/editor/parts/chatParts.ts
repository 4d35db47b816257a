// The chat of an editor, driven like a user: elements are found by their visible words.
import assert from 'node:assert/strict';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { all, any, type Deeds, type Effect, gone, isSo } from './deeds.ts';

/** The parts of an editor that the chat needs. */
interface Editor {
  page: Page;
  deeds: Deeds;
  webview(): FrameLocator;
  runCommand(title: string): Promise<void>;
  statusBarItem(what: string | RegExp): Locator;
}

export class ChatParts {
  constructor(private readonly editor: Editor) {}

  /** The content of the view. It is a new frame after each restart of the editor. */
  get view(): FrameLocator {
    return this.editor.webview();
  }

  get composer(): Locator {
    return this.view.getByLabel('Message', { exact: true }).getByRole('textbox');
  }

  /** The composer while it has the focus. Until then, the view may take the focus from anything opened meanwhile. */
  get focused(): Locator {
    return this.composer.and(this.view.locator(':focus'));
  }

  get answers(): Locator {
    return this.view.getByRole('article', { name: 'Answer' });
  }

  /** The user's messages. */
  get messages(): Locator {
    return this.view.getByRole('article', { name: 'You' });
  }

  button(name: string | RegExp): Locator {
    return this.view.getByRole('button', { name });
  }

  /** Starts as a new user does: a click on the status bar opens the chat as a guest. */
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

  /** Shows another view in its place, so that the editor disposes this one. */
  async close(): Promise<void> {
    await this.#byCommand('View: Show Explorer', gone(this.editor.page.locator('iframe.webview.ready')));
  }

  /** Runs a command until its effect shows. The command must be safe to run twice. */
  async #byCommand(title: string, shows: Effect): Promise<void> {
    let isRun = false;
    await this.editor.deeds.until({
      deed: `run "${title}"`,
      effect: 'the chat that it leads to',
      // The effect may be visible already, from a chat that the command is about to replace.
      shows: async () => isRun && (await isSo(shows)),
      act: async () => {
        await this.editor.runCommand(title);
        isRun = true;
      },
      patienceMs: 5_000,
    });
  }

  /** Replaces the composer's text. Fails if the view puts other text there. */
  async type(text: string): Promise<void> {
    await this.composer.fill(text);
    assert.equal(await this.composer.inputValue(), text, 'the composer has what was typed');
  }

  /** Types and sends. Resolves once the message is in the conversation and the composer is empty. */
  async send(text: string): Promise<void> {
    const same = this.messages.filter({ hasText: text });
    const before = await same.count();
    await this.type(text);
    await this.sendTyped(async () => (await same.count()) > before && (await this.#isEmpty()));
  }

  /** Sends what stands in the composer. Resolves once it is this message, and the composer is empty. */
  async sendTypedAs(message: Locator): Promise<void> {
    await this.sendTyped(all(message, () => this.#isEmpty()));
  }

  /** Types a message that will be refused and tries to send it. Resolves once the view says so, with the text kept. */
  async sendInVain(text: string, told: Locator): Promise<void> {
    await this.type(text);
    await this.sendTyped(told);
    assert.equal(await this.composer.inputValue(), text, 'what was refused is kept');
  }

  /**
   * Presses Enter in the composer until `shows`. Once the text has left the composer, it only waits. The message may show
   * before the text has left: what is typed next then follows it.
   */
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

  /** Sends a message, and waits for an answer that contains this text. */
  async ask(text: string, answer: string): Promise<void> {
    await this.send(text);
    await this.answers.getByText(answer).first().waitFor();
  }

  /** Resolves once an answer is complete; by default the last one. */
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
