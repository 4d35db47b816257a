import type { ToHost } from '../protocol.ts';
import { AttachmentRefused, longPasteChip, type StoredChip } from './attachments.ts';
import type { Drafts } from './drafts.ts';
import { droppedChip, type EditorContext, pastedChip } from './editorContext.ts';

type Request = Extract<
  ToHost,
  { type: 'editing' | 'attach' | 'attachMention' | 'attachText' | 'attachPasted' | 'attachFiles' | 'detach' }
>;

/** The attachments of the composer, or of an earlier message that is being edited in place. */
export class Attaching {
  /** The earlier message that is being edited in place. */
  private edited: string | null = null;
  /** Attachments that are still being read: the user chose them for the next message. */
  private readonly reading = new Set<Promise<void>>();

  constructor(
    private readonly drafts: Drafts,
    private readonly editor: Pick<EditorContext, 'attach' | 'attachMention'>,
    private readonly view: {
      /** The chat that is open in the view. */
      chatId(): string;
      tell(): void;
      focusComposer(): void;
    },
  ) {}

  /** The attachments of the composer, and of the message being edited. `found`: what the search is about. */
  shown(found: string): { chips: StoredChip[]; edited?: { messageId: string; chips: StoredChip[] } } {
    const { edited } = this;
    const chips = (of: string) =>
      this.drafts.get(of).chips.map((chip) => (chip.kind === 'found' ? { ...chip, note: found } : chip));
    const ofEdited = edited === null ? {} : { edited: { messageId: edited, chips: chips(edited) } };
    return { chips: chips(this.view.chatId()), ...ofEdited };
  }

  /** Resolves when all chosen attachments are attached. */
  async settled(): Promise<void> {
    await Promise.all(this.reading);
  }

  /** The text of a pasted attachment; undefined if it is no longer there. */
  pasted({ id, to = this.view.chatId() }: Extract<ToHost, { type: 'takePasted' }>): string | undefined {
    return this.drafts.get(to).chips.find((chip) => chip.id === id && chip.kind === 'pasted')?.text;
  }

  /** Rejects with `AttachmentRefused`. */
  async do(message: Request): Promise<void> {
    // Reading may take a while, and the user may open another chat meanwhile.
    const chatId = message.type === 'detach' ? message.chatId : undefined;
    const to = ('to' in message ? message.to : undefined) ?? chatId ?? this.view.chatId();
    switch (message.type) {
      case 'editing':
        this.edited = message.messageId;
        return message.dropped ? this.put(message.dropped, []) : this.view.tell();
      case 'attach':
        // No message waits for it: the user may take any time to choose a file.
        if (message.kind === 'pick') return this.add(to, await this.editor.attach('pick'));
        return this.read(async () => this.add(to, await this.editor.attach(message.kind)));
      case 'attachMention':
        return this.read(async () => {
          for await (const chip of this.editor.attachMention(message.id)) await this.add(to, chip);
        });
      case 'attachText':
        return this.read(async () => this.add(to, await pastedChip(message.name, message.text)));
      case 'attachPasted':
        return this.add(to, longPasteChip(message.text));
      case 'attachFiles':
        return this.read(() => this.addFiles(to, message.uris));
      case 'detach':
        return this.put(
          to,
          this.drafts.get(to).chips.filter(({ id }) => id !== message.id),
        );
      default:
        message satisfies never;
    }
  }

  /** Attaches all that is found. Whoever waits for the attachments waits for these, too. */
  addAll(to: string, find: () => Promise<StoredChip[]>): Promise<void> {
    return this.read(async () => {
      for (const chip of await find()) await this.add(to, chip);
    });
  }

  private read(work: () => Promise<void>): Promise<void> {
    const done = work();
    const settled = done.catch(() => {});
    this.reading.add(settled);
    void settled.then(() => this.reading.delete(settled));
    return done;
  }

  /** Reports all files that can't be attached in one message, after the others are attached. */
  private async addFiles(to: string, uris: readonly string[]): Promise<void> {
    const refusals: string[] = [];
    for (const uri of uris) {
      try {
        await this.add(to, await droppedChip(uri));
      } catch (error) {
        if (!(error instanceof AttachmentRefused)) throw error;
        refusals.push(error.message);
      }
    }
    if (refusals.length > 0) throw new AttachmentRefused(refusals.join(' '));
  }

  private async add(to: string, chip: StoredChip | undefined): Promise<void> {
    if (!chip) return;
    const others = this.drafts.get(to).chips.filter(({ id }) => id !== chip.id);
    await this.put(to, [...others, chip]);
    if (to === this.view.chatId()) this.view.focusComposer();
  }

  private async put(to: string, chips: StoredChip[]): Promise<void> {
    const stored = this.drafts.update(to, { chips });
    this.view.tell();
    await stored;
  }
}
