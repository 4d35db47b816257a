import * as vscode from 'vscode';
import { inPrompt } from '../../../shared/answers/inPrompt.ts';
import type { Message } from '../../../shared/conversations.ts';
import type { Instruction } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import { Emitter } from '../../platform/emitter.ts';
import type { Guidance, Instructions } from '../../platform/instructions/instructions.ts';
import type { Surroundings } from '../protocol.ts';
import { estimateTokens, type StoredChip } from './attachments.ts';
import type { Draft } from './drafts.ts';

/** Stands among the files that a chat excludes, for all instructions. */
export const INSTRUCTIONS = 'perigee:instructions';
const NOTHING: Guidance = { instructions: [], leftOut: [] };

/** The instructions that go along with the questions of a chat: those of the workspace that fit the attached files. */
export class ChatGuidance extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  readonly onDidChange = this.changed.event;
  /** The last answer, and the files that it is about. */
  private known: { about: string; guidance: Guidance } | undefined;
  /** The files that are being looked at. */
  private asked: string | undefined;
  /** The looks so far: only the last one counts. */
  private looks = 0;

  constructor(private readonly instructions: Pick<Instructions, 'for' | 'take' | 'look' | 'onDidChange'>) {
    super();
    this._register(
      instructions.onDidChange(() => {
        this.known = undefined;
        this.asked = undefined;
        this.looks += 1;
        this.changed.fire();
      }),
    );
  }

  /** What to show of them, as far as it is known now; `onDidChange` tells the rest. `messages`: the chat so far. */
  shown(chips: readonly StoredChip[], { without }: Draft, messages: readonly Message[]): Surroundings['instructions'] {
    const uris = urisOf(chips);
    const about = uris.join('\n');
    if (this.known?.about !== about && this.asked !== about) void this.look(about, uris);
    // Until it is known what fits the new files, the old ones are shown rather than nothing.
    const { instructions, leftOut } = this.known?.guidance ?? NOTHING;
    if (instructions.length + leftOut.length === 0) return undefined;
    const files = instructions.map(({ path, text }) => {
      const isSent = isIn(messages, path, text);
      return { path, tokens: estimateTokens(text), ...(isSent && { isSent }) };
    });
    return { files, leftOut, ...(without?.includes(INSTRUCTIONS) && { isOut: true as const }) };
  }

  /** What goes along with a question, as its files are now. */
  async take(chips: readonly StoredChip[], { without }: Draft): Promise<Instruction[]> {
    if (without?.includes(INSTRUCTIONS)) return [];
    return this.instructions.take(urisOf(chips));
  }

  /** A question is begun: what is shown is what will go along with it. */
  refresh(): void {
    void this.instructions.look();
  }

  private async look(about: string, uris: readonly vscode.Uri[]): Promise<void> {
    this.asked = about;
    const look = ++this.looks;
    // A question that is sent fails with the same error, and says so.
    const guidance = await this.instructions.for(uris).catch(() => NOTHING);
    if (this.looks !== look || this.isDisposed) return;
    this.asked = undefined;
    this.known = { about, guidance };
    this.changed.fire();
  }
}

/** The server sends an unchanged one once in a chat. A text of equal length is taken for the same: this is for the eye. */
function isIn(messages: readonly Message[], path: string | undefined, text: string): true | undefined {
  const sent = inPrompt(messages).flatMap(({ attachments = [] }) => attachments);
  const last = sent.findLast((one) => one.kind === 'instructions' && one.path === path);
  return last?.characters === text.length ? true : undefined;
}

const urisOf = (chips: readonly StoredChip[]): vscode.Uri[] =>
  [...new Set(chips.flatMap(({ uri }) => uri ?? []))].map((uri) => vscode.Uri.parse(uri, true));
