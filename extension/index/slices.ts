/** The editor's other work waits for at most this long, in ms. */
const SLICE_MS = 6;

/** Does long work of one thread in slices: all that share it together take one slice, then pause. */
export class Slices {
  private began = 0;
  private pausing: Promise<void> | undefined;

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly pause: () => Promise<void> = () => new Promise((resolve) => setTimeout(resolve, 0)),
  ) {}

  /** Waits if this slice is over. Call it between short steps. */
  async breathe(): Promise<void> {
    while (this.pausing || this.now() - this.began >= SLICE_MS) {
      this.pausing ??= this.pause().then(() => {
        this.began = this.now();
        this.pausing = undefined;
      });
      await this.pausing;
    }
  }

  /** Runs a generator to its end; each of its steps must be short. */
  async run<T>(steps: Generator<void, T>): Promise<T> {
    for (;;) {
      if (this.pausing || this.now() - this.began >= SLICE_MS) await this.breathe();
      const step = steps.next();
      if (step.done) return step.value;
    }
  }
}
