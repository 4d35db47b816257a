interface Place {
  line: number;
  character: number;
}

/** The parts of an outline symbol that are used here; `vscode.DocumentSymbol` fits. `kind`: the editor's number. */
export interface Outlined {
  readonly name: string;
  readonly kind: number;
  readonly range: { readonly start: Place; readonly end: Place };
  readonly children: readonly Outlined[];
}

/** Module, Namespace, Package, Class, Enum, Interface, Object, Struct of `vscode.SymbolKind`. Members come first. */
const CONTAINERS = new Set([1, 2, 3, 4, 9, 10, 18, 22]);

/**
 * The symbol at the cursor `at`: a whole function or method, including nested ones; a class only if the cursor is in
 * none of its members. Undefined outside of all symbols.
 */
export function symbolAround(symbols: readonly Outlined[], at: Place): Outlined | undefined {
  const around = symbols.find(({ range }) => compare(range.start, at) <= 0 && compare(at, range.end) <= 0);
  if (!around || !CONTAINERS.has(around.kind)) return around;
  return symbolAround(around.children, at) ?? around;
}

const compare = (a: Place, b: Place) => a.line - b.line || a.character - b.character;
