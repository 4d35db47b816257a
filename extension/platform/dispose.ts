/** Something that is released by `dispose`: `vscode.Disposable` in shape. */
export interface Releasable {
  dispose(): unknown;
}

/** Owns its resources: `_register` returns its argument, so that acquiring and releasing are one expression. */
export abstract class Disposable implements Releasable {
  private readonly owned: Releasable[] = [];
  private released = false;

  /** Takes ownership of a value. After disposal, it disposes the value at once. */
  protected _register<T extends Releasable>(value: T): T {
    if (this.released) value.dispose();
    else this.owned.push(value);
    return value;
  }

  protected get isDisposed(): boolean {
    return this.released;
  }

  /** Disposes everything, newest first. A second call does nothing. */
  dispose(): void {
    if (this.released) return;
    this.released = true;
    for (const value of this.owned.splice(0).reverse()) value.dispose();
  }
}
