/** esbuild extracts imported style sheets. */
declare module '*.css';
