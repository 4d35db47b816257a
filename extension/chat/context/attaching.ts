import { MAX_IMAGES } from '../../../shared/media/images.ts';
import type { AttachNow, ToHost } from '../protocol.ts';
import { AttachmentRefused, longPasteChip, type StoredChip } from './attachments.ts';
import type { Drafts } from './drafts.ts';
import { droppedChip, type EditorContext, pastedChip } from './editorContext.ts';
import { isListed } from './lists.ts';
import type { Pictures } from './pictures.ts';

type Request = Extract<
  ToHost,
  {
    type:
      | 'editing'
      | 'attach'
      | 'attachMention'
      | 'readPage'
      | 'attachText'
      | 'attachPasted'
      | 'attachFiles'
      | 'detach'
      | 'attachPicture';
  }
>;

/** The attachments of the composer, or of an earlier message that is being edited in place. */
export class Attaching {
  /** The earlier message that is being edited in place. */
  private edited: string | null = null;
  /** Attachments that are still being read: the user chose them for the next message. */
  private readonly reading = new Set<Promise<void>>();
  /** The ids of pages that are being read, with the chat or message that they belong to. */
  private readonly pages = new Set<string>();

  constructor(
    private readonly drafts: Drafts,
    private readonly editor: Pick<EditorContext, 'attach' | 'choose' | 'attachMention' | 'readPage'>,
    private readonly pictures: Pick<Pictures, 'keep' | 'kept' | 'answered'>,
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
      this.drafts
        .get(of)
        .chips.map((chip) => (chip.kind === 'found' ? { ...chip, note: found } : this.withState(of, chip)));
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
        return this.attach(to, message.kind);
      case 'attachMention':
        return this.attachOffer(to, message.id);
      case 'readPage':
        return this.read(() => this.readPage(to, message.id));
      case 'attachText':
        return this.read(async () => this.add(to, await pastedChip(message.name, message.text)));
      case 'attachPasted':
        return this.add(to, longPasteChip(message.text));
      case 'attachPicture':
        if (this.pictures.answered(message)) return;
        return this.read(async () => this.add(to, await this.pictures.keep(message.name, message.data)));
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

  private async attach(to: string, kind: AttachNow): Promise<void> {
    // No message waits for a choice: the user may take any time for it.
    if (kind === 'pick' || kind === 'page') {
      const chip = await this.editor.attach(kind);
      return this.read(() => this.add(to, chip));
    }
    if (isListed(kind) || kind === 'editors') {
      const id = await this.editor.choose(kind);
      return id === undefined ? undefined : this.attachOffer(to, id);
    }
    return this.read(async () => this.add(to, await this.editor.attach(kind)));
  }

  private attachOffer(to: string, id: string): Promise<void> {
    return this.read(async () => {
      for await (const chip of this.editor.attachMention(id)) await this.add(to, chip);
    });
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

  private async add(to: string, chosen: StoredChip | undefined): Promise<void> {
    if (!chosen) return;
    const chip = chosen.kind === 'image' ? await this.pictures.kept(chosen) : chosen;
    const { chips } = this.drafts.get(to);
    const others = chips.filter(({ id }) => id !== chip.id);
    const pictures = others.filter(({ kind }) => kind === 'image').length;
    if (chip.kind === 'image' && pictures >= MAX_IMAGES)
      throw new AttachmentRefused(`A message holds ${MAX_IMAGES} pictures. Remove one of them first.`);
    // A page keeps the text that it has until there is a newer one.
    const stored = this.put(to, [...others, chips.find((one) => isSamePage(one, chip)) ?? chip]);
    if (to === this.view.chatId()) this.view.focusComposer();
    await stored;
    // It shows at once, and its text comes when the server has read it.
    if (chip.kind === 'page') await this.readPage(to, chip.id);
  }

  private async readPage(to: string, id: string): Promise<void> {
    const page = this.drafts.get(to).chips.find((chip) => chip.id === id && chip.kind === 'page');
    const key = `${to} ${id}`;
    if (!page || this.pages.has(key)) return;
    this.pages.add(key);
    this.view.tell();
    const read = await this.editor.readPage(page);
    this.pages.delete(key);
    // The user may have removed it meanwhile.
    await this.put(
      to,
      this.drafts.get(to).chips.map((chip) => (isSamePage(chip, read) ? withText(read, chip) : chip)),
    );
  }

  /** A page that nobody reads any more, such as after a reload of the window, can be tried again. */
  private withState(of: string, chip: StoredChip): StoredChip {
    if (chip.kind !== 'page') return chip;
    if (this.pages.has(`${of} ${chip.id}`)) return { ...chip, isReading: true, failed: undefined };
    return chip.text !== undefined ? chip : { ...chip, failed: chip.failed ?? 'The page was not read to its end.' };
  }

  private async put(to: string, chips: StoredChip[]): Promise<void> {
    const stored = this.drafts.update(to, { chips });
    this.view.tell();
    await stored;
  }
}

/** Of a page with a long address, the id holds only a digest. */
const isSamePage = (one: StoredChip, other: StoredChip) =>
  one.kind === 'page' && one.id === other.id && one.path === other.path;

/** A page as it was read again: if that failed, with the text of before. */
const withText = (read: StoredChip, before: StoredChip): StoredChip =>
  read.text !== undefined || before.text === undefined
    ? read
    : { ...before, failed: `${read.failed} What was read before goes along.` };
