import { renderBlocks } from './demoBlocks.ts';
import { type DemoAttachment, fenced } from './demoPrompt.ts';

/** The file of the sample workspace that `npm start` opens. The texts below must match it. */
const PATH = 'src/client.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the sample's own template
const THROWN = 'throw new Error(`order ${id} not fetched`, { cause: error });';
const TOO_EARLY = `      if (i < tries) ${THROWN}`;
const IN_TIME = [
  `      if (i === tries - 1) ${THROWN}`,
  '      await new Promise((done) => setTimeout(done, waitMs(i)));',
];
const CAPPED = `/** At most 10 seconds. */
export function waitMs(attempt: number): number {
  return Math.min(2 ** attempt * baseMs, 10_000);
}`;

/** Code to try a code block's buttons with: a rewritten function of the sample file. */
export const sampleCode = () =>
  [
    `A function of \`${PATH}\` in the sample that \`npm start\` opens, with a limit that it had not:`,
    '',
    fenced(CAPPED, 'typescript'),
    '',
    'Apply puts it in place of the old one, to be accepted or rejected.',
  ].join('\n');

/** The bug in the sample file, and its fix. */
export const sampleFault = () =>
  [
    `\`fetchOrder\` in \`${PATH}\` means to try three times. But \`i < tries\` holds in every turn of its loop, so the first failure is thrown at once; and \`waitMs\` is never called. This gives up after the last try alone, and waits between them:`,
    '',
    renderBlocks(PATH, 'typescript', [{ search: [TOO_EARLY], replace: IN_TIME }]),
    '',
    'Apply shows the change in the file; accept or reject it there. An undo takes it back.',
  ].join('\n');

/** Whether a question is about the sample. */
export function isAboutSample(words: string, attachments: readonly DemoAttachment[]): boolean {
  return /\bfetchOrder\b/.test(words) || attachments.some(({ text }) => text.includes(TOO_EARLY));
}
