/**
 * `text` as a notification of the editor shows it as it stands: `[words](command:…)` in it would be a link there, which does
 * what whoever wrote the words likes. Models, files and their names get no such say.
 */
export const plainMessage = (text: string) => text.replaceAll('](', '] (');
