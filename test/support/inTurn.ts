interface Turn {
  print: (text: string) => void;
  end: () => void;
}

/**
 * Lets concurrent jobs print one after the other. The first unfinished job prints at once; the output of the others is
 * kept until their turn.
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
