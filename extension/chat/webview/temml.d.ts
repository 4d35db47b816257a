/** Temml without the extensions of its main file. Its parse tree is no public API, so the version is pinned. */
declare module 'temml/temml.js' {
  const temml: { __renderToMathMLTree(tex: string, options: object): unknown };
  export default temml;
}
