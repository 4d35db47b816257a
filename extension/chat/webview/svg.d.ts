/** esbuild replaces the import with the SVG's text. */
declare module '*.svg' {
  const drawing: string;
  export default drawing;
}
