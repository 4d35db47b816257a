/** The entry without the extensions of the main file. Its tree is not public, so the version is pinned. */
declare module 'temml/temml.js' {
  const temml: { __renderToMathMLTree(tex: string, options: object): unknown };
  export default temml;
}
