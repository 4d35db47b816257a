import * as vscode from 'vscode';
import { Disposable } from '../platform/dispose.ts';
import { Emitter, type Listen } from '../platform/emitter.ts';
import { chatPage } from './page.ts';
import type { FromHost } from './protocol.ts';

export const VIEW_ID = 'perigee.chat';

const ONCE = new Set(['attachPasted', 'attachText']);

/**
 * The web view in the sidebar, as a place to post to. The editor destroys it when it is hidden and creates it again
 * when it is shown; its first message is `ready`. This file loads nothing of the chat, because the editor creates the
 * object while it starts.
 */
export class ChatView extends Disposable implements vscode.WebviewViewProvider {
  private readonly received = this._register(new Emitter<unknown>());
  private readonly resolved = this._register(new Emitter<void>());
  /** Messages that the page sent before the host listened: on a busy machine the page may start first. */
  private early: unknown[] | undefined = [];
  /** The web view's messages, not validated. Earlier messages come first. */
  readonly onDidReceive: Listen<unknown> = (listener) => {
    const listening = this.received.event(listener);
    const early = this.early ?? [];
    this.early = undefined;
    for (const message of early) queueMicrotask(() => this.received.fire(message));
    return listening;
  };
  /** The view is shown for the first time. */
  readonly onDidResolve = this.resolved.event;
  private view: vscode.WebviewView | undefined;
  /** Whether the current page has said that it is ready. */
  private listening = false;

  /** `scope`: see `scopeOf`. */
  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly scope: string,
  ) {
    super();
    this._register(vscode.window.registerWebviewViewProvider(VIEW_ID, this));
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.listening = false;
    // A new page repeats the messages of the one before, but not a text that was attached.
    this.early = this.early?.filter((message) => ONCE.has((message as { type?: string } | null)?.type ?? ''));
    const folder = vscode.Uri.joinPath(this.extensionUri, 'dist', 'webview');
    const asset = (name: string) => view.webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    view.webview.options = { enableScripts: true, localResourceRoots: [folder] };
    view.webview.onDidReceiveMessage((message) => {
      if (this.early) this.early.push(message);
      else this.received.fire(message);
    });
    view.onDidChangeVisibility(() => {
      if (!view.visible) this.listening = false;
    });
    view.onDidDispose(() => {
      if (this.view !== view) return;
      this.view = undefined;
      this.listening = false;
    });
    view.webview.html = chatPage({
      scriptUri: asset('chat.js'),
      mathUri: asset('math.js'),
      styleUri: asset('chat.css'),
      cspSource: view.webview.cspSource,
      nonce: nonce(),
      scope: this.scope,
    });
    this.resolved.fire();
  }

  get isListening(): boolean {
    return this.listening;
  }

  /** The page said `ready`: from now on it receives messages. */
  listens(): void {
    this.listening = true;
  }

  /** Drops the message if no page is ready: `ready` is answered with the whole state. */
  post(message: FromHost): void {
    if (this.listening) void this.view?.webview.postMessage(message);
  }

  /** Shows the view and puts the focus into it. */
  async reveal(): Promise<void> {
    await vscode.commands.executeCommand(`${VIEW_ID}.focus`);
  }
}

function nonce(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
