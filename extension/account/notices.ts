import * as vscode from 'vscode';
import type { Notice } from '../../shared/account.ts';

const KEY = 'notices told';
/** Ids that are remembered: far more than a server tells at a time. */
const MOST = 100;

/** The way on from each; null: there is nothing to do. */
const WAYS: Record<Notice['kind'], { label: string; command: string; section?: string } | null> = {
  suspended: { label: 'Open Account Page', command: 'perigee.openAccount' },
  closing: { label: 'Keep the Account', command: 'perigee.openAccount' },
  terms: { label: 'Read and Accept', command: 'perigee.acceptTerms' },
  price: { label: 'Open Account Page', command: 'perigee.openAccount', section: 'credits' },
  operator: null,
};
/** Those that stand in nobody's way: told as information, not as a warning. */
const CALM: readonly Notice['kind'][] = ['price', 'operator'];

/** Instants as the server writes them, in this machine's time. */
const withInstants = (text: string) =>
  text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (iso) =>
    new Date(iso).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }),
  );

/** The editor makes links of `[text](command:…)`, which a server must not: its texts are plain. */
const withoutLinks = (text: string) => text.replaceAll('](', '] (');

/** Tells what the account's owner must know, each thing once on this machine, with its way on. */
export class Notices {
  constructor(private readonly memory: vscode.Memento) {}

  async tell(notices: readonly Notice[]): Promise<void> {
    const told = this.memory.get<string[]>(KEY, []);
    const fresh = notices.filter(({ id }) => !told.includes(id));
    if (fresh.length === 0) return;
    await this.memory.update(KEY, [...told, ...fresh.map(({ id }) => id)].slice(-MOST));
    for (const { kind, text } of fresh) {
      const tell = CALM.includes(kind) ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
      const way = WAYS[kind];
      const shown = withoutLinks(withInstants(text));
      if (!way) void tell(shown);
      else
        void tell(shown, way.label).then(
          (choice) => choice && vscode.commands.executeCommand(way.command, way.section),
        );
    }
  }
}
