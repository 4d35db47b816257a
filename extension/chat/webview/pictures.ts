import type { FromHost, ToHost } from '../protocol.ts';
import { blobOf, shrink } from './shrink.ts';

/** The pictures of chips and messages by id: an address to draw, or why there is none. */
export type Drawn = Readonly<Record<string, { url?: string; why?: string }>>;

/** How many pictures are kept for drawing. A chat has at most 20. */
const MOST = 60;

/** The pictures of messages: made smaller before they are attached, and drawn from what the host has. */
export class Pictures {
  private readonly asked = new Set<string>();
  /** Pictures are being made smaller: resolves to whether all of them could be attached. */
  private busy: Promise<boolean> | undefined;

  constructor(
    private readonly view: {
      host: { post(message: ToHost): void };
      state(): { pictures: Drawn };
      set(part: { pictures: Drawn }): void;
    },
  ) {}

  /**
   * Sends once the pictures are small enough that are still being attached; false if there are none. If one of them can't
   * be attached, nothing is sent: the hint says why, and the user decides.
   */
  delay(send: () => void): boolean {
    void this.busy?.then((isAttached) => isAttached && send());
    return this.busy !== undefined;
  }

  /** Attaches a pasted or dropped picture. Resolves to what is wrong with it, if anything. */
  attach(file: File, name: string, to: { to?: string }): Promise<string | undefined> {
    const work = shrink(file).then((shrunk) => {
      if ('why' in shrunk) return shrunk.why;
      this.view.host.post({ type: 'attachPicture', name, data: shrunk.data, ...to });
      return undefined;
    });
    const before = this.busy ?? Promise.resolve(true);
    const busy = Promise.all([before, work]).then(([isAttached, why]) => isAttached && why === undefined);
    this.busy = busy;
    void busy.finally(() => {
      if (this.busy === busy) this.busy = undefined;
    });
    return work;
  }

  /** Makes the picture of a file smaller for the host. */
  async shrink({ requestId, name, data }: Extract<FromHost, { type: 'shrink' }>): Promise<void> {
    const shrunk = await shrink(blobOf(data));
    this.view.host.post(
      'why' in shrunk
        ? { type: 'pictureRefused', requestId, why: shrunk.why }
        : { type: 'attachPicture', requestId, name, data: shrunk.data },
    );
  }

  /** Asks for a picture to draw, once. */
  ask(id: string): void {
    if (this.asked.has(id)) return;
    this.asked.add(id);
    this.view.host.post({ type: 'picture', id });
  }

  told(message: Extract<FromHost, { type: 'picture' }>): void {
    const { id } = message;
    const drawn = 'why' in message ? { why: message.why } : { url: urlOf(message) };
    const all = Object.entries({ ...this.view.state().pictures, [id]: drawn });
    for (const [old, { url }] of all.slice(0, -MOST)) {
      if (url) URL.revokeObjectURL(url);
      this.asked.delete(old);
    }
    this.view.set({ pictures: Object.fromEntries(all.slice(-MOST)) });
    // Asked for again the next time it is shown.
    if ('why' in message) this.asked.delete(id);
  }
}

const urlOf = ({ data, mediaType }: { data: string; mediaType: string }) =>
  URL.createObjectURL(blobOf(data, mediaType));
