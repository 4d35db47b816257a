import { estimateTokens } from '../../prompt/tokens.ts';
import type { DemoAnswer } from './demoAnswer.ts';
import { suggested } from './demoAnswers.ts';
import { EDIT_RULES } from './demoEdit.ts';
import { changeFiles, FILE_RULES } from './demoFiles.ts';
import { type DemoAttachment, fenced, readChatPrompt } from './demoPrompt.ts';
import { sampleCode } from './demoSample.ts';

const NOTE = '> **Demo model.** No language model is connected; this answer follows from fixed rules.';

const COMMANDS: Record<string, string> = {
  help: 'all that I can do',
  table: 'a table of your words, or of what you attached',
  code: 'a code block: what you attached, or a function of the sample workspace, to try "Apply"',
  edit: 'changes to the files that you attached, to try "Apply": `edit rename count to total`',
  long: 'about 1,900 tokens, to try "stop", closing the window, and coming back',
  slow: 'an answer that takes its time',
  fail: 'an answer that breaks off in the middle, and costs nothing',
  cut: 'an answer that is cut at its length limit, to try "Continue"',
  time: "the server's time",
};

/**
 * The demo model's chat answer to one user message; the same message and time give the same answer. `afterFailure`:
 * give the full answer instead of failing or stopping short. `isFirst`: the message is the conversation's first.
 */
export function answerChat(prompt: string, nowMs: number, { afterFailure = false, isFirst = false } = {}): DemoAnswer {
  const { words, attachments } = readChatPrompt(prompt);
  const command = /^\W*(\w+)/.exec(words)?.[1]?.toLowerCase() ?? '';
  switch (command) {
    case 'help':
      return say('What I can do', help());
    case 'what':
      if (/^what can you\b/i.test(words)) return say('What I can do', help());
      break;
    case 'table':
      return say('A table', tableOf(words, attachments));
    case 'code':
      return say('A code block', code(attachments));
    case 'edit':
    case 'change':
      return say('Changes', change(words.replace(/^\W*\w+[\s:,]*/, ''), attachments));
    case 'long':
      return say('A long answer', longText());
    case 'slow':
      return { ...say('A slow answer', echo(words, attachments)), slower: 8 };
    case 'time':
      return say('The time', `On the server it is ${new Date(nowMs).toISOString()}.`);
    case 'fail': {
      const whole = say('An answer that fails', `${FAILING_START}${FAILING_REST}`);
      if (afterFailure) return whole;
      return { text: whole.text.slice(0, whole.text.lastIndexOf(FAILING_REST)), fails: true };
    }
    case 'cut': {
      const whole = say('An answer that is cut short', `${CUT_START}${CUT_REST}`);
      if (afterFailure) return whole;
      return { text: whole.text.slice(0, whole.text.lastIndexOf(CUT_REST)), cutShort: true };
    }
  }
  const known = suggested(words, attachments);
  return known ? say(...known) : say('You wrote', echo(words, attachments, isFirst));
}

const FAILING_START =
  'This answer is about to break off, as one of a real service may. What came until then stays, the message says that it ' +
  'was not charged, and you are offered to';
const FAILING_REST = ' continue, which you just did: this is the rest.';

const CUT_START =
  'This answer is about to reach its length limit, as a long one of a real service may. What came until then is charged, ' +
  'and you are offered to';
const CUT_REST = ' continue, which you just did: this is the rest.';

function say(title: string, body: string): DemoAnswer {
  return { text: `${NOTE}\n\n## ${title}\n\n${body}\n` };
}

function help(): string {
  const chat = Object.entries(COMMANDS).map(([name, does]) => `- \`${name}\`: ${does}`);
  const edits = EDIT_RULES.map((rule) => `- \`${rule.example}\``);
  return [
    'Begin a message with one of these words; anything else is repeated to you:',
    '',
    ...chat,
    '',
    'With *Perigee: Edit Selection* I change the selected lines by these rules:',
    '',
    ...edits,
    '',
    'With *Perigee: Edit File* and *Edit in Workspace* the same rules change each line of the files, and these more; a semicolon parts several:',
    '',
    ...FILE_RULES.map(({ example, does }) => `- \`${example}\`: ${does}`),
    '',
    '*Fix*, *Document*, *Write Tests* and *Commit Message* get an answer in the right place, of which I cannot mean a word.',
  ].join('\n');
}

function change(instruction: string, attachments: DemoAttachment[]): string {
  const files = attachments.filter(({ kind, path }) => path !== '' && ['file', 'selection', 'visible'].includes(kind));
  if (files.length === 0) return 'Attach a file, and I write blocks that "Apply" puts into it.';
  return changeFiles(instruction, files);
}

/** Suggestions for a newcomer's next message. */
const TO_TRY = ['edit', 'code', 'long', 'fail', 'help'].map((name) => `- \`${name}\`: ${COMMANDS[name]}`);

function echo(words: string, attachments: DemoAttachment[], isFirst = false): string {
  const quoted = words ? words.split('\n').map((line) => `> ${line}`) : ['*(nothing)*'];
  const parts = [
    ...quoted,
    '',
    'That is',
    '',
    `- **${counted(words.match(/\S+/g)?.length ?? 0, 'word')}** in ${counted(words ? words.split('\n').length : 0, 'line')},`,
    `- about **${counted(estimateTokens(words), 'token')}**,`,
    `- and **${counted(attachments.length, 'attachment')}**.`,
  ];
  if (attachments.length > 0) parts.push('', attachmentTable(attachments));
  if (isFirst) parts.push('', 'A real model would answer. Here you can try, by these words:', '', ...TO_TRY);
  else parts.push('', 'Write `help` to see what else I can do.');
  return parts.join('\n');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function tableOf(words: string, attachments: DemoAttachment[]): string {
  if (attachments.length > 0) return attachmentTable(attachments);
  const counts = new Map<string, number>();
  for (const word of words.match(/[\p{L}\p{N}_]+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  const rows = [...counts].slice(0, 50).map(([word, times]) => `| ${word} | ${[...word].length} | ${times} |`);
  return ['| word | characters | times |', '|---|---:|---:|', ...rows].join('\n');
}

function attachmentTable(attachments: DemoAttachment[]): string {
  const rows = attachments.map(
    ({ label, text }) => `| ${label.replaceAll('|', '\\|')} | ${lineCount(text)} | ${text.length} |`,
  );
  return ['| attached | lines | characters |', '|---|---:|---:|', ...rows].join('\n');
}

function lineCount(text: string): number {
  return text === '' ? 0 : text.split('\n').length;
}

function code(attachments: DemoAttachment[]): string {
  if (attachments.length === 0) return sampleCode();
  return attachments
    .map(({ label, languageId, text }) => `What you attached (${label}), unchanged:\n\n${fenced(text, languageId)}`)
    .join('\n\n');
}

const PARTS = 36;

/** About 1,900 tokens, below a guest's limit. Each paragraph differs, so that a gap or a repeat is visible. */
function longText(): string {
  const paragraphs: string[] = [];
  for (let n = 1; n <= PARTS; n += 1) {
    paragraphs.push(
      `**Part ${n} of ${PARTS}.** You may stop this answer, close the view, reload the window or go to another device: the ` +
        `answer belongs to the server and goes on. ${n} squared is ${n * n}, and ${PARTS - n} parts are still to come.`,
    );
    if (n % 9 === 0) paragraphs.push(fenced(`const part = ${n};\nconsole.log(part / ${PARTS});`, 'javascript'));
  }
  return paragraphs.join('\n\n');
}
