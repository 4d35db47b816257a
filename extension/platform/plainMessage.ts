import { showInvisible } from '../../shared/answers/invisible.ts';

/**
 * `text` for a notification of the editor, without links: the editor would turn `[words](command:…)` from a model, a
 * file or a file name into a link that runs a command. Invisible characters are shown, so that they cannot hide text or
 * reverse its direction.
 */
export const plainMessage = (text: string) => showInvisible(text).replaceAll('](', '] (');
