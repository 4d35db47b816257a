/** esbuild takes style sheets out of the import. */
declare module '*.css';
