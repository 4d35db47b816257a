/**
 * Temml without the extensions of its main file. Its parse tree is not a public API, so the version is pinned exactly.
 */
declare module 'temml/temml.js' {
  const temml: { __renderToMathMLTree(tex: string, options: object): unknown };
  export default temml;
}
