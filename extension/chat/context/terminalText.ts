const ESCAPE = '\u001b';
const BELL = '\u0007';

/** What a terminal would leave on the screen of a program's output: no colours, and of a line only its last state. */
export function plainOutput(raw: string): string {
  return withoutEscapes(raw)
    .split('\n')
    .map((line) => {
      let end = line.length;
      while (line[end - 1] === '\r') end--;
      return line.slice(line.lastIndexOf('\r', end - 1) + 1, end).replace(/[^\P{Cc}\t]/gu, '');
    })
    .join('\n')
    .trimEnd();
}

/** How far away the beginning of a line may be: a long line is better cut than lost. */
const MOST_TO_LINE = 4_096;

/** The last `most` characters of an output, or a little less: from the beginning of a line. */
export function endOf(raw: string, most: number): string {
  if (raw.length <= most) return raw;
  const from = raw.length - most;
  const line = raw.indexOf('\n', from) + 1;
  return raw.slice(line > 0 && line - from < MOST_TO_LINE ? line : from);
}

function withoutEscapes(raw: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = raw.indexOf(ESCAPE); at >= 0; at = raw.indexOf(ESCAPE, from)) {
    parts.push(raw.slice(from, at));
    from = endOfEscape(raw, at + 1);
  }
  parts.push(raw.slice(from));
  return parts.join('');
}

/** Where an escape sequence ends that goes on at `at`: ECMA-48, 5.4 and 5.6. */
function endOfEscape(raw: string, at: number): number {
  const kind = raw[at];
  if (kind === '[') {
    let end = at + 1;
    while (end < raw.length && raw[end]! >= ' ' && raw[end]! <= '?') end++;
    return Math.min(end + 1, raw.length);
  }
  if (kind !== undefined && ']PX^_'.includes(kind)) {
    for (let end = at + 1; end < raw.length; end++) {
      if (raw[end] === BELL) return end + 1;
      if (raw[end] === ESCAPE) return raw[end + 1] === '\\' ? end + 2 : end;
    }
    return raw.length;
  }
  let end = at;
  while (end < raw.length && raw[end]! >= ' ' && raw[end]! <= '/') end++;
  return Math.min(end + 1, raw.length);
}
