// Filters the math that a lazily loaded library draws: only what is listed here becomes an element of the page. TeX has
// commands for links, images, classes and styles, and a model writes the TeX.

/** A tree of MathML that is safe to put into a page, or a text. */
export type SafeMath =
  | string
  | { name: string; attributes: Record<string, string>; styles: Record<string, string>; children: SafeMath[] };

/** A node in the library's format. */
interface LibraryNode {
  type?: string;
  text?: string;
  attributes?: Record<string, unknown>;
  classes?: string[];
  style?: Record<string, unknown>;
  children?: LibraryNode[];
}

const words = (text: string) => new Set(text.split(' '));
const ELEMENTS = words(
  'math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle mpadded mphantom msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd',
);
const ATTRIBUTES = words(
  'accent accentunder columnalign columnspan depth display displaystyle fence form height largeop linethickness lspace mathvariant maxsize minsize movablelimits rowspan rowspacing rspace scriptlevel separator stretchy symmetric voffset width',
);
/** Styles for spacing only: no colours, positions or font sizes. */
const STYLES = words(
  'border borderBottom borderLeft borderRight borderTop display justifyContent mathDepth padding paddingBottom paddingLeft paddingRight paddingTop textAlign width',
);
const VALUE = /^[\w .%+#-]{0,60}$/;
const CLASS = /^(?:tml|chr)-[\w-]{1,30}$/;
const LINES = /^tml-(?:overline|underline|fbox)$/;
const MOST_NODES = 3000;
const MOST_LEVELS = 100;

/** Throws if anything in the tree may not be drawn. */
export function safeMath(root: unknown): SafeMath {
  let nodes = 0;
  const take = (node: LibraryNode, level: number): SafeMath[] => {
    if (++nodes > MOST_NODES || level > MOST_LEVELS) throw new Error('Too much math.');
    if (node.type === undefined && typeof node.text === 'string') return [node.text];
    const children = (node.children ?? []).flatMap((child) => take(child, level + 1));
    // A fragment has no element of its own.
    if (node.type === undefined && node.attributes === undefined) return children;
    // Browsers draw these by style alone. Without the style the formula would have another meaning.
    const isDrawn = node.type === 'menclose' && LINES.test(node.classes?.join(' ') ?? '');
    const name = isDrawn ? 'mrow' : node.type;
    if (name === undefined || !ELEMENTS.has(name)) throw new Error('Something else than math.');
    const attributes = picked(node.attributes, ATTRIBUTES);
    const classes = (node.classes ?? []).filter((name) => CLASS.test(name));
    if (classes.length > 0) attributes.class = classes.join(' ');
    return [{ name, attributes, styles: picked(node.style, STYLES), children }];
  };
  const [only, ...others] = take(root as LibraryNode, 0);
  if (typeof only !== 'object' || only.name !== 'math' || others.length > 0)
    throw new Error('Something else than math.');
  return only;
}

function picked(from: Record<string, unknown> = {}, names: Set<string>): Record<string, string> {
  const kept = Object.entries(from).filter(([name, value]) => names.has(name) && VALUE.test(String(value)));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

/** Options of the library: a model's TeX can define no macros, and its expansion is bounded. */
export const MATH_OPTIONS = { throwOnError: true, trust: false, strict: false, maxExpand: 200, maxSize: [20, 20] };

/** The function that the library's script provides to the page. */
export type ReadMath = (tex: string, display: boolean) => SafeMath;
