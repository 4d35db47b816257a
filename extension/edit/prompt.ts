import * as vscode from 'vscode';
import { forget, readHistory, remember } from './history.ts';

const KEY = 'edit.requests';

interface RequestItem extends vscode.QuickPickItem {
  request: string;
}

/** Asks what to do, and remembers what was asked before. */
export class EditPrompt {
  constructor(private readonly memory: vscode.Memento) {}

  get history(): readonly string[] {
    return readHistory(this.memory.get(KEY));
  }

  async remember(request: string): Promise<void> {
    await this.memory.update(KEY, remember(this.history, request));
  }

  /**
   * The request typed or chosen from earlier ones; undefined when the user gave up. `title` says what will be edited;
   * `signal` closes the prompt.
   */
  ask(title: string): Promise<string | undefined> {
    const pick = vscode.window.createQuickPick<RequestItem>();
    const removeButton: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('close'), tooltip: 'Forget' };
    const update = () => {
      const typed = pick.value.trim();
      const recent = this.history
        .filter((request) => request !== typed)
        .map((request): RequestItem => ({ label: oneLine(request), request, buttons: [removeButton] }));
      if (recent[0]) recent[0].description = 'recent';
      // First, whatever is typed, so that Enter always means what stands in the box.
      const own: RequestItem[] = typed ? [{ label: oneLine(typed), request: typed, alwaysShow: true }] : [];
      if (own[0]) own[0].description = title.replace(/^Edit /, 'edit ');
      pick.items = [...own, ...recent];
      // With an empty box Enter means nothing: it may be a key of what was typed before the box had opened.
      pick.activeItems = own;
    };
    pick.title = title;
    pick.placeholder = 'What should change? Enter starts, Escape closes';
    pick.onDidChangeValue(update);
    pick.onDidTriggerItemButton(async ({ item }) => {
      await this.memory.update(KEY, forget(this.history, item.request));
      update();
    });
    update();
    return new Promise((resolve) => {
      pick.onDidAccept(() => {
        const request = pick.activeItems[0]?.request ?? pick.value.trim();
        if (!request) return;
        resolve(request);
        pick.hide();
      });
      pick.onDidHide(() => {
        resolve(undefined);
        pick.dispose();
      });
      pick.show();
    });
  }
}

const oneLine = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .join(' ↵ ');
