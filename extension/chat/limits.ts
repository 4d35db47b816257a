// Without zod, for the web view.

/** Files that are taken of one drop. */
export const MOST_DROPPED = 20;
