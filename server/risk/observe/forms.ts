// Agents whose model writes its calls as text send the results as messages of the role `user`, each client in a form of
// its own. The forms that are known stand in `personText.ts`; here are those that nobody has read yet. What gives them
// away is the conversation: its messages begin or end alike, and the person's first one does not. Pure.

/** Units at a message's beginning and end that are compared; less of them if a line ends before. */
const EDGE = 24;
/** A line that ends before must have so many units: people begin messages with "ok" and a line break, too. */
const SHORTEST_LINE = 4;
/** Earlier messages of the same form. Of the first ones nobody can tell. */
const LEAST_ALIKE = 2;

interface Message {
  role?: unknown;
  content?: unknown;
  tool_calls?: unknown;
}

/**
 * Whether the message at `at` is a result in the form of this conversation, of its messages from `from` on. `opening`: the
 * conversation's first message of a person. False where the model makes real calls: the results are messages of their own.
 */
export function isForm(messages: readonly (Message | null)[], opening: number, from: number, at: number): boolean {
  const own = edgesOf(messages[at]?.content);
  const first = edgesOf(messages[opening]?.content);
  if (opening < 0 || at <= opening || own === null) return false;
  for (let i = at - 1; i >= from; i--) {
    const message = messages[i];
    if (message?.role === 'tool' || message?.tool_calls) return false;
  }
  // A client may put each text of a person between the same marks.
  const isWrapped = own.mark !== null && own.mark !== first?.mark;
  if (isWrapped) return true;
  let begins = 0;
  let ends = 0;
  for (let i = at - 1; i >= Math.max(from, opening + 1); i--) {
    if (messages[i]?.role !== 'user') continue;
    const other = edgesOf(messages[i]?.content);
    if (other?.head === own.head && own.head !== null && own.head !== first?.head) begins++;
    if (other?.tail === own.tail && own.tail !== null && own.tail !== first?.tail) ends++;
    if (Math.max(begins, ends) >= LEAST_ALIKE) return true;
  }
  return false;
}

interface Edges {
  /** Null: the text is too short to have a form. */
  head: string | null;
  tail: string | null;
  /** The mark around all of it: a name of XML, or `{` for JSON; null: none. */
  mark: string | null;
}

/** Of a text, or of its first and its last part. Copies next to nothing, however long they are. */
function edgesOf(content: unknown): Edges | null {
  const texts = typeof content === 'string' ? [content] : textsOf(content);
  if (texts.length === 0) return null;
  const start = texts[0]!.slice(0, 4 * EDGE).trimStart();
  const end = texts
    .at(-1)!
    .slice(-4 * EDGE)
    .trimEnd();
  const line = start.indexOf('\n');
  const last = end.lastIndexOf('\n');
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  const isLong = length > EDGE;
  return {
    head: line >= SHORTEST_LINE && line < EDGE ? start.slice(0, line + 1) : isLong ? start.slice(0, EDGE) : null,
    tail:
      last >= 0 && end.length - last > SHORTEST_LINE && end.length - last <= EDGE
        ? end.slice(last)
        : isLong
          ? end.slice(-EDGE)
          : null,
    mark: markOf(start, end),
  };
}

const NAME = /^<([A-Za-z][\w:-]{0,40})[\s>]/;

function markOf(start: string, end: string): string | null {
  const name = NAME.exec(start)?.[1];
  if (name !== undefined) return end.endsWith(`</${name}>`) ? name : null;
  return /^(?:\{\s*"|\[\s*\{)/.test(start) && /[}\]]$/.test(end) ? '{' : null;
}

function textsOf(content: unknown): string[] {
  if (!Array.isArray(content)) return [];
  return (content as ({ text?: unknown } | null)[]).flatMap((part) =>
    typeof part?.text === 'string' && part.text !== '' ? [part.text] : [],
  );
}
