// A model's edit of the sample's src/client.ts in three places: "Wait between the tries".
import { answerOf, block } from './parts/answers.ts';

export const path = 'src/client.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the sample's own template
const fetched = '`order ${id} not fetched`';
export const tooEarly = `      if (i < tries) throw new Error(${fetched}, { cause: error });`;
export const inTime = `      if (i === tries - 1) throw new Error(${fetched}, { cause: error });
      await new Promise((done) => setTimeout(done, waitMs(i)));`;
export const hasty = 'const baseMs = 100;';
export const patient = '/** Before the second try, then twice as long each time. */\nconst baseMs = 250;';
export const inOne = '  return order.lines.reduce((sum, line) => sum + line.count * line.cents, 0);';
export const inTwo = `  const cents = order.lines.map((line) => line.count * line.cents);
  return cents.reduce((sum, one) => sum + one, 0);`;

/** Not in the order of the file: the last block is for the first place. */
export const { pieces, between } = answerOf(
  block(path, tooEarly, inTime),
  block(path, inOne, inTwo),
  block(path, hasty, patient),
);
