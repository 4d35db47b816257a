import ignore from 'ignore';

/**
 * Whether ignore files leave out the file at `path`, name by name from a folder on. `rules[n]` is what those of the folder
 * above the name `n` say, in the syntax of `.gitignore`. As in Git, the deeper file has the last word, and nothing within a
 * folder that is left out comes back.
 */
export function isLeftOut(path: readonly string[], rules: readonly (string | undefined)[]): boolean {
  const judges = rules.map((text) => (text === undefined ? undefined : ignore().add(text.normalize('NFC'))));
  return path.some((_, last) => {
    // A disk may have a name in another normal form than the file that speaks of it.
    const names = path.slice(0, last + 1).map((name) => name.normalize('NFC'));
    let isIgnored = false;
    for (let from = 0; from <= last; from++) {
      const name = names.slice(from).join('/') + (last < path.length - 1 ? '/' : '');
      const { ignored, unignored } = judges[from]?.test(name) ?? {};
      if (ignored || unignored) isIgnored = ignored === true;
    }
    return isIgnored;
  });
}
