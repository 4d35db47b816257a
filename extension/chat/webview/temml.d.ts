/** Without the extensions that its main file brings along. Its tree is no public part: the version is exact for that. */
declare module 'temml/temml.js' {
  const temml: { __renderToMathMLTree(tex: string, options: object): unknown };
  export default temml;
}
