/** esbuild puts a drawing's text in place of the import. */
declare module '*.svg' {
  const drawing: string;
  export default drawing;
}
