/** The shape of `vscode.Event`. Our own type, so that code without an editor (backend, tests) can have events too. */
export type Listen<T> = (listener: (value: T) => void) => { dispose(): void };

/** Calls each listener in turn. A listener that throws affects neither the others nor the caller of `fire`. */
export class Emitter<T> {
  private readonly listeners = new Set<(value: T) => void>();

  readonly event: Listen<T> = (listener) => {
    // Wrapped, so that the same function may listen twice and stop once.
    const entry = (value: T) => listener(value);
    this.listeners.add(entry);
    return { dispose: () => this.listeners.delete(entry) };
  };

  fire(value: T): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(value);
      } catch (error) {
        console.error(error);
      }
    }
  }

  dispose(): void {
    this.listeners.clear();
  }
}

/** Resolves when an event fires, or after `ms`. */
export function firesWithin<T>(listen: Listen<T>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      listening.dispose();
      resolve();
    };
    const timer = setTimeout(end, ms);
    const listening = listen(end);
  });
}
