import type { MathToken } from '../answers/answerMarkdown.ts';
import type { ReadMath, SafeMath } from '../answers/mathTree.ts';

/** The part of a document that is used here, because several kinds of pages draw math. */
interface Page<N> {
  createElementNS(namespace: 'http://www.w3.org/1998/Math/MathML', name: string): N;
  createTextNode(text: string): unknown;
}
interface MathElement {
  readonly style: object;
  setAttribute(name: string, value: string): void;
  append(...nodes: never[]): void;
}
interface Place {
  className: string;
  readonly isConnected: boolean;
  setAttribute(name: string, value: string): void;
  replaceChildren(...nodes: never[]): void;
}

/** How many parsed formulas are cached, because a growing block is drawn again with each piece. */
const MOST_KNOWN = 500;
/** How many formulas are drawn in one block. Further ones stay TeX. */
const MOST_IN_BLOCK = 300;

/** Draws math in its elements once the library is loaded. Until then, and where it fails, the TeX stays. */
export class MathInk {
  private read: ReadMath | undefined;
  private loading: Promise<void> | undefined;
  private readonly known = new Map<string, SafeMath | null>();

  constructor(
    private readonly page: Page<MathElement>,
    private readonly load: () => Promise<ReadMath>,
  ) {}

  /** The elements already contain the TeX. */
  draw(places: readonly { place: Place; math: MathToken }[]): void {
    for (const { place, math } of places) {
      place.className = math.display ? 'math display' : 'math';
      place.setAttribute('data-source', math.raw.trim());
      if (math.isOpen) place.setAttribute('data-open', '');
    }
    const drawn = places.slice(0, MOST_IN_BLOCK).filter(({ math }) => !math.isOpen);
    if (this.read) for (const { place, math } of drawn) this.put(place, math, this.read);
    else if (drawn.length > 0) void this.whenLoaded(() => this.draw(places.filter(({ place }) => place.isConnected)));
  }

  private async whenLoaded(then: () => void): Promise<void> {
    this.loading ??= this.load().then((read) => {
      this.read = read;
    });
    // Without the library the TeX stays.
    await this.loading.then(then, () => {});
  }

  private put(place: Place, { text, display }: MathToken, read: ReadMath): void {
    const key = `${display ? 1 : 0}${text}`;
    let math = this.known.get(key);
    if (math === undefined) {
      math = readOrNull(text, display, read);
      if (this.known.size >= MOST_KNOWN) this.known.delete(this.known.keys().next().value as string);
      this.known.set(key, math);
    }
    if (math === null) place.className += ' unread';
    else place.replaceChildren(this.node(math) as never);
  }

  private node(math: SafeMath): unknown {
    if (typeof math === 'string') return this.page.createTextNode(math);
    const element = this.page.createElementNS('http://www.w3.org/1998/Math/MathML', math.name);
    for (const [name, value] of Object.entries(math.attributes)) element.setAttribute(name, value);
    Object.assign(element.style, math.styles);
    element.append(...(math.children.map((child) => this.node(child)) as never[]));
    return element;
  }
}

function readOrNull(tex: string, display: boolean, read: ReadMath): SafeMath | null {
  try {
    return read(tex, display);
  } catch {
    return null;
  }
}
