import { saysThought } from '../../shared/answers/thoughts.ts';
import type { Attachment, Message, Thinking } from '../../shared/conversations.ts';
import { iso } from '../platform/clock.ts';
import type { Reader } from '../platform/db/database.ts';
import type { ConversationRow } from '../platform/db/schema.ts';
import { shownMessages } from './reading.ts';

/** A whole conversation as Markdown, in pieces. */
export async function* conversationMarkdown(db: Reader, row: ConversationRow): AsyncGenerator<string> {
  yield `# ${oneLine(row.title)}\n\nPerigee, last changed ${iso(row.updated_at)}\n`;
  for await (const message of shownMessages(db, row.id)) yield markdownOf(message);
}

/** A message as Markdown, with the names of its attachments and, if an answer failed, how it ended. */
function markdownOf(message: Message): string {
  const who = message.role === 'user' ? 'You' : (message.model ?? 'Assistant');
  const parts = [`\n## ${oneLine(who)}, ${message.createdAt}\n`];
  for (const attachment of message.attachments ?? []) parts.push(`- Attached ${describe(attachment)}`);
  if (message.attachments?.length) parts.push('');
  if (message.thinking) parts.push(quoted(message.thinking), '');
  if (message.summary) parts.push('*A summary of the messages before it.*', '');
  if (message.text) parts.push(nested(message.text));
  if (message.state && message.state !== 'complete') parts.push(`\n*${STATES[message.state]}*`);
  if (message.cutShort) parts.push('\n*Cut at its length limit.*');
  return `${parts.join('\n')}\n`;
}

/** Thoughts as a quotation, from which none of their marks can escape. */
function quoted({ text, ms }: Thinking): string {
  const lines = nested(text.trim()).split(/\r\n?|\n/);
  return [`*${saysThought(ms)}*`, '', ...lines].map((line) => `> ${line}`.trimEnd()).join('\n');
}

/** Moves a text's own headings two levels down, below its message's heading. Code blocks stay as they are. */
function nested(text: string): string {
  let fence = '';
  return text
    .split('\n')
    .map((line) => {
      const [, marks = '', rest = ''] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
      if (fence === '' && marks === '')
        return line.replace(/^( {0,3})(#{1,6})(?=\s|$)/, (_, blank, own) => `${blank}${deeper(own)}`);
      if (fence === '') fence = marks;
      else if (marks.startsWith(fence) && rest.trim() === '') fence = '';
      return line;
    })
    .join('\n');
}

const deeper = (marks: string) => '#'.repeat(Math.min(6, marks.length + 2));

const STATES = {
  running: 'Still answering.',
  stopped: 'Stopped.',
  interrupted: 'Interrupted.',
  failed: 'Failed.',
} as const;

function describe({ kind, visible, path, range }: Attachment): string {
  const lines = range ? `, lines ${range.start + 1} to ${range.end + 1}` : '';
  return `${visible ? 'visible part' : (WHAT[kind] ?? kind)}${path ? ` \`${oneLine(path).replaceAll('`', '')}\`` : ''}${lines}`;
}

/** The kinds of attachments whose own name does not read well before a path. */
const WHAT: Partial<Record<Attachment['kind'], string>> = {
  found: 'piece found in',
  symbol: 'symbol in',
  terminal: 'output of',
  pasted: 'pasted text,',
  page: 'web page',
  image: 'picture',
};

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
