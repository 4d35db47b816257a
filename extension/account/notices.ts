import * as vscode from 'vscode';
import type { Notice } from '../../shared/account.ts';

const KEY = 'notices told';
/** How many notice ids are remembered: far more than a server sends at a time. */
const MOST = 100;

/** The button that each notice offers; null where the user can do nothing. */
const WAYS: Record<Notice['kind'], { label: string; command: string; section?: string } | null> = {
  suspended: { label: 'Why, and How to Appeal', command: 'perigee.openAccount', section: 'decisions' },
  closing: { label: 'Keep the Account', command: 'perigee.openAccount' },
  terms: { label: 'Read and Accept', command: 'perigee.acceptTerms' },
  price: { label: 'Open Account Page', command: 'perigee.openAccount', section: 'credits' },
  operator: null,
  client: null,
  decision: { label: 'Read It', command: 'perigee.openAccount', section: 'decisions' },
};
/** Notices that block nothing. They are shown as information, not as a warning. */
const CALM: readonly Notice['kind'][] = ['price', 'operator', 'client'];

/** Replaces the server's instants with local times. */
const withInstants = (text: string) =>
  text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (iso) =>
    new Date(iso).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }),
  );

/** The editor turns `[text](command:…)` into links. The server's texts are plain, so they must not make any. */
const withoutLinks = (text: string) => text.replaceAll('](', '] (');

/** Shows the notices for the account owner, each once on this machine, with a button for what to do. */
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
