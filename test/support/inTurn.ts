interface Turn {
  print: (text: string) => void;
  end: () => void;
}

/**
 * Lets several that work at the same time print one after the other: the first that began and hasn't ended prints at once,
 * and what the others print is kept until it is their turn.
 */
export class InTurn {
  readonly #waiting: { kept: string; isOver: boolean }[] = [];

  constructor(private readonly write: (text: string) => void) {}

  begin(): Turn {
    const own = { kept: '', isOver: false };
    this.#waiting.push(own);
    return {
      print: (text) => {
        if (this.#waiting[0] === own) this.write(text);
        else own.kept += text;
      },
      end: () => {
        own.isOver = true;
        this.#goOn();
      },
    };
  }

  #goOn(): void {
    while (this.#waiting[0]?.isOver) {
      this.#waiting.shift();
      const next = this.#waiting[0];
      if (!next) return;
      this.write(next.kept);
      next.kept = '';
    }
  }
}
