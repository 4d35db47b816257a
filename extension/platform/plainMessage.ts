import { showInvisible } from '../../shared/answers/invisible.ts';

/**
 * `text` as a notification of the editor shows it as it stands: `[words](command:…)` in it would be a link there, which does
 * what whoever wrote the words likes. Models, files and their names get no such say, nor can they hide what is
 * written or turn its direction.
 */
export const plainMessage = (text: string) => showInvisible(text).replaceAll('](', '] (');
