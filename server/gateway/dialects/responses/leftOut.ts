/** What a request loses on its way to a chat-completions service. */
export class LeftOut {
  readonly #kinds = new Map<string, { first: string; count: number }>();

  /** `path`: where it stood. Only the first one of each kind is named, because a history may have hundreds. */
  add(kind: string, path: string): void {
    const known = this.#kinds.get(kind);
    if (known) known.count++;
    else this.#kinds.set(kind, { first: path, count: 1 });
  }

  get names(): string[] {
    return [...this.#kinds.values()].map(({ first, count }) =>
      count === 1 ? first : `${first} and ${count - 1} more`,
    );
  }
}

/** A type of the request as it may stand in a message: nothing that isn't plainly a type is repeated. */
export function typed(path: string, type: unknown): string {
  return typeof type === 'string' && /^[a-z0-9_]{1,40}$/.test(type) ? `${path} (${type})` : path;
}
