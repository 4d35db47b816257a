import * as vscode from 'vscode';
import type { Accepted, Source } from '../../../extension/edit/changes/proposal.ts';
import type { FilePlan } from '../../../extension/edit/engine/edits.ts';
import { WorkspaceFiles } from '../../../extension/edit/files/files.ts';
import { Reports } from '../../../extension/edit/notifications/reports.ts';
import type { OpenProposal } from '../../../extension/edit/proposals/proposals.ts';
import { createEdits, type Edits } from '../../../extension/edit/requests/edits.ts';
import { EditPrompt } from '../../../extension/edit/requests/prompt.ts';
import type { EditRuns } from '../../../extension/edit/runs/runs.ts';
import { type BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import type {
  FilesEdit,
  Instruction,
  Outcome,
  OutcomeAnswer,
  RepairEdit,
  RunAnswer,
  RunEvent,
  RunRequest,
  SelectionEdit,
} from '../../../shared/runs.ts';

const balance = {
  availableMicro: 9,
  pendingMicro: 0,
  ofMicro: 10,
  promotionalMicro: 9,
  purchasedMicro: 0,
  windows: [],
};

/** The lines that a request is about; fails if it is about files. */
export function selectionOf({ input }: RunRequest & { kind: 'edit' }): SelectionEdit {
  if (!('selection' in input)) throw new Error('not an edit of a selection');
  return input;
}

/** The files that a request is about; fails if it is about a selection. */
export function filesOf({ input }: RunRequest & { kind: 'edit' }): FilesEdit {
  if (!('files' in input)) throw new Error('not an edit of files');
  return input;
}

/** What a request to repair asks for. */
export function repairOf({ input }: RunRequest & { kind: 'edit' }): RepairEdit {
  if (!('repairs' in input)) throw new Error('not a repair');
  return input;
}

/** A block as models write it; each text is whole lines, or none. */
export function block(search: string, replace: string, path?: string): string {
  const lines = (text: string) => (text === '' ? '' : `${text}\n`);
  const head = path === undefined ? '' : `${path}\n`;
  return `${head}\`\`\`\n<<<<<<< SEARCH\n${lines(search)}=======\n${lines(replace)}>>>>>>> REPLACE\n\`\`\`\n\n`;
}

/** A server whose answers the test writes, piece by piece. */
export class ScriptedRuns implements EditRuns {
  readonly requests: (RunRequest & { kind: 'edit' })[] = [];
  readonly stopped: string[] = [];
  readonly outcomes: Outcome[] = [];
  /** As many edits as may be were refunded today. */
  isCapped = false;
  /** Thrown by the next start. */
  refusal: BackendError | undefined;
  private readonly called = new vscode.EventEmitter<void>();
  readonly onDidCall = this.called.event;
  private readonly taken = new vscode.EventEmitter<void>();
  /** All that was written by now has been read, and what follows from it done, as far as that is done at once. */
  readonly onDidTake = this.taken.event;
  private readonly answers = new Map<string, { events: RunEvent[]; length: number; wake?: () => void }>();

  async start(request: RunRequest): Promise<RunAnswer> {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal) throw refusal;
    if (request.kind !== 'edit') throw new Error('not an edit');
    this.answers.set(request.id, { events: [], length: 0 });
    this.requests.push(request);
    this.called.fire();
    // An edit has no use for what is told here; its events say all.
    return {} as RunAnswer;
  }

  async *events(id: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
    const answer = this.answers.get(id)!;
    for (;;) {
      const event = answer.events.shift();
      if (event) {
        yield event;
        if (event.type === 'done' || event.type === 'error') return;
        continue;
      }
      this.taken.fire();
      await new Promise<void>((resolve, reject) => {
        answer.wake = resolve;
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
  }

  async stop(id: string): Promise<void> {
    this.stopped.push(id);
    this.push(id, { type: 'done', data: { state: 'stopped', chargedMicro: 1_000_000, balance } });
  }

  async tellOutcome(_id: string, outcome: Outcome): Promise<OutcomeAnswer> {
    this.outcomes.push(outcome);
    this.called.fire();
    if (outcome.applied > 0) return { chargedMicro: 1_000_000, refundedMicro: 0, notRefunded: 'applied', balance };
    if (this.isCapped) return { chargedMicro: 1_000_000, refundedMicro: 0, notRefunded: 'daily_limit', balance };
    return { chargedMicro: 0, refundedMicro: 1_000_000, balance };
  }

  /** The model writes `text` in the newest run. */
  write(text: string): void {
    this.writeTo(this.requests.at(-1)!.id, text);
  }

  writeTo(id: string, text: string): void {
    const answer = this.answers.get(id)!;
    this.push(id, { type: 'text', data: { text, at: answer.length } });
    answer.length += text.length;
  }

  done(): void {
    this.doneWith(this.requests.at(-1)!.id);
  }

  /** The newest run ends at its length limit. */
  cut(): void {
    const data = { state: 'complete', cutShort: true, chargedMicro: 1_000_000, balance } as const;
    this.push(this.requests.at(-1)!.id, { type: 'done', data });
  }

  doneWith(id: string): void {
    this.push(id, { type: 'done', data: { state: 'complete', chargedMicro: 1_000_000, balance } });
  }

  fail(): void {
    const problem = {
      ...localProblem('The model service failed', 'It stopped answering.', 'upstream_failed'),
      chargedMicro: 0,
    };
    this.push(this.requests.at(-1)!.id, { type: 'error', data: problem });
  }

  private push(id: string, event: RunEvent): void {
    const answer = this.answers.get(id)!;
    answer.events.push(event);
    answer.wake?.();
  }
}

/** What the user was told, in order, and which button they press next. */
export class Messages {
  readonly told: string[] = [];
  /** Those that took the focus from the editor. */
  readonly modal: string[] = [];
  private readonly answers: string[] = [];
  private readonly waiting: (() => void)[] = [];
  private readonly originals = { ...vscode.window };

  constructor() {
    for (const name of ['showInformationMessage', 'showWarningMessage', 'showErrorMessage'] as const) {
      const show = async (text: string, ...rest: (string | vscode.MessageOptions)[]) => {
        const buttons = rest.filter((each) => typeof each === 'string');
        this.told.push(text);
        if (rest.some((each) => typeof each === 'object' && each.modal)) this.modal.push(text);
        for (const wake of this.waiting.splice(0)) wake();
        const answer = this.answers[0];
        return answer && buttons.includes(answer) ? this.answers.shift() : undefined;
      };
      Object.defineProperty(vscode.window, name, { value: show, configurable: true, writable: true });
    }
  }

  /** The next message with this button is answered by it. */
  press(button: string): void {
    this.answers.push(button);
  }

  async next(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.told.findIndex((text) => pattern.test(text));
      if (found >= 0) return this.told.splice(0, found + 1).at(-1)!;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  dispose(): void {
    for (const name of ['showInformationMessage', 'showWarningMessage', 'showErrorMessage'] as const) {
      Object.defineProperty(vscode.window, name, { value: this.originals[name], configurable: true, writable: true });
    }
  }
}

/** Well below mocha's limit, whose words say less. */
const VAIN_MS = 40_000;

class Memory implements vscode.Memento {
  private readonly values = new Map<string, unknown>();
  keys = () => [...this.values.keys()];
  get<T>(key: string, otherwise?: T): T {
    return (this.values.has(key) ? this.values.get(key) : otherwise) as T;
  }
  async update(key: string, value: unknown): Promise<void> {
    this.values.set(key, value);
  }
}

/** Edits as the extension makes them, with a scripted server, and a document to edit. */
export class Scene {
  readonly runs = new ScriptedRuns();
  readonly memory = new Memory();
  readonly prompt = new EditPrompt(this.memory);
  readonly messages = new Messages();
  /** What went to the list of proposals: each time all plans of an answer so far, the last time `finished`. */
  readonly proposed: { source: Source; plans: readonly FilePlan[]; finished: boolean; why?: string }[] = [];
  readonly accepted: Accepted[] = [];
  /** The instructions for an edit of some files. */
  guide = (_: readonly vscode.Uri[]): Instruction[] => [];
  readonly takenBack: string[] = [];
  readonly files = new WorkspaceFiles();
  private readonly reports = new Reports();
  readonly edits: Edits = createEdits({
    runs: this.runs,
    files: this.files,
    reports: this.reports,
    proposals: () => ({ begin: (source) => this.beginProposal(source) }),
    record: async (accepted) => {
      this.accepted.push(accepted);
      return `checkpoint ${this.accepted.length}`;
    },
    takeBack: async (id) => {
      this.takenBack.push(id);
      this.lookAgain();
    },
    prompt: this.prompt,
    isGuest: () => false,
    guide: async (about) => this.guide(about),
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  editor!: vscode.TextEditor;
  private readonly waiting = new Set<() => void>();
  private readonly heard = [
    vscode.workspace.onDidChangeTextDocument(() => this.lookAgain()),
    vscode.window.onDidChangeActiveTextEditor(() => this.lookAgain()),
    this.edits.onDidChange(() => this.lookAgain()),
    this.runs.onDidCall(() => this.lookAgain()),
  ];

  private beginProposal(source: Source): OpenProposal {
    const proposed = {
      source,
      plans: [] as readonly FilePlan[],
      finished: false,
      why: undefined as string | undefined,
    };
    this.proposed.push(proposed);
    const update = (plans: readonly FilePlan[]) => {
      proposed.plans = plans;
      this.lookAgain();
    };
    const end = async (why?: string) => {
      Object.assign(proposed, { finished: true, why });
      this.lookAgain();
      return { files: proposed.plans.length, refused: 0 };
    };
    return {
      update,
      finish: (plans) => {
        update(plans);
        return end();
      },
      fail: (why) => end(why),
    };
  }

  private lookAgain(): void {
    for (const look of [...this.waiting]) look();
  }

  /** Resolves once `isSo`, which is asked whenever a document, an edit or the active editor changes. */
  async until(
    isSo: () => boolean,
    words = () => `waited in vain at:\n${this.text}\n${this.messages.told}`,
  ): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve, reject) => {
      const end = () => {
        clearTimeout(late);
        this.waiting.delete(look);
      };
      const look = () => {
        if (!isSo()) return;
        end();
        resolve();
      };
      const late = setTimeout(() => {
        end();
        reject(new Error(words()));
      }, VAIN_MS);
      this.waiting.add(look);
    });
  }

  get document(): vscode.TextDocument {
    return this.editor.document;
  }

  get text(): string {
    return this.document.getText();
  }

  /** Opens an untitled document with `text`, one line for each word. */
  async open(text: string, languageId = 'plaintext'): Promise<void> {
    // On a slow machine the document of an earlier test, closed by now, still answers to the same name for a moment.
    for (let tries = 0; tries < 10; tries++) {
      const document = await vscode.workspace.openTextDocument({ content: text, language: languageId });
      if (document.getText() !== text) continue;
      this.editor = await vscode.window.showTextDocument(document);
      if (!document.isClosed && document.getText() === text) return;
    }
    throw new Error('no document of its own was opened');
  }

  /** Asks for an edit of the whole file. Returns once the model has been asked. */
  async askFile(instruction = 'do it'): Promise<{ over: Promise<void> }> {
    const before = this.runs.requests.length;
    const over = this.edits.editFile({ instruction });
    await this.until(() => this.runs.requests.length > before);
    return { over };
  }

  /** Selects whole lines, from 0, the last one included, and asks for an edit. Returns once the model has been asked. */
  async ask(first: number, last: number, instruction = 'do it'): Promise<{ over: Promise<void> }> {
    this.editor.selection = new vscode.Selection(first, 0, last, this.document.lineAt(last).text.length);
    const before = this.runs.requests.length;
    const over = this.edits.editSelection(instruction);
    await this.until(() => this.runs.requests.length > before);
    return { over };
  }

  /** Resolves once the document's text is `expected`; it is looked at after each change of any document. */
  async shows(expected: string): Promise<void> {
    await this.until(
      () => this.text === expected,
      () => `expected ${JSON.stringify(expected)}, there is ${JSON.stringify(this.text)}`,
    );
  }

  async reviewed(hunks: number): Promise<void> {
    await this.until(
      () =>
        this.edits.running.some((session) => session.phase === 'reviewing' && session.tracked.open.length === hunks),
      () => `${hunks} hunks expected; ${this.edits.running.map((session) => session.phase)}`,
    );
  }

  async idle(): Promise<void> {
    await this.until(() => this.edits.running.length === 0);
  }

  async dispose(): Promise<void> {
    for (const each of this.heard) each.dispose();
    this.edits.dispose();
    this.reports.dispose();
    this.messages.dispose();
    while (vscode.window.activeTextEditor) {
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    }
  }
}
