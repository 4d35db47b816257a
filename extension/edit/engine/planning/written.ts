import { Manner } from '../placing/manner.ts';
import type { Slot } from '../placing/place.ts';
import type { IndexedFile } from '../text/indexedFile.ts';

/** The changes of one answer. Evidence of how the answer writes the file's text, from one change, holds for all. */
export class Written {
  private manner: Manner | undefined;
  /** The changes whose evidence is in `manner`. */
  private heard: Slot[] = [];

  /** Rewrites the changes with all evidence so far, where that is more than each was written with. */
  rewrite(file: IndexedFile, slots: readonly Slot[]): void {
    const telling = slots.filter(({ placement }) => placement?.rewrite);
    if (!this.manner || this.heard.some((slot, index) => slot !== telling[index])) this.forget();
    this.manner ??= new Manner(file);
    for (const slot of telling.slice(this.heard.length)) {
      this.manner.add(slot.placement!.rewrite!.evidence);
      this.heard.push(slot);
      const isAlone = this.manner.version === 0 || this.heard.length === 1;
      slot.version = isAlone && slot.version === undefined ? this.manner.version : -1;
    }
    for (const slot of telling) {
      if (slot.version === this.manner.version) continue;
      slot.placement = slot.placement!.rewrite!.write(this.manner);
      slot.version = this.manner.version;
    }
  }

  forget(): void {
    this.manner = undefined;
    this.heard = [];
  }
}
