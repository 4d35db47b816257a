/** A diagnostic as plain data: positions count from 0, `severity` is the editor's number, 0 is the worst. */
export interface FoundProblem {
  message: string;
  severity: 0 | 1 | 2 | 3;
  /** The tool that reported it, such as "ts" or "eslint". */
  source?: string;
  code?: string;
  start: Place;
  end: Place;
}

interface Place {
  line: number;
  character: number;
}

/** The most problems in one request: the answer for so many is as long as a model can write. */
export const MAX_PROBLEMS = 50;
const MAX_MESSAGE = 1_000;
const MAX_LINE = 300;
/** The longest problem message in a menu. */
const MAX_LABEL = 48;

const SEVERITIES = ['error', 'warning', 'information', 'hint'] as const;

/** Drops hints, because the editor's list of problems has none. */
export function countable<T extends { severity: number }>(problems: readonly T[]): T[] {
  return problems.filter(({ severity }) => severity < 3);
}

/** The problems for one request: takes the worst first and returns them by position. */
export function chooseProblems(problems: readonly FoundProblem[]): FoundProblem[] {
  const worst = problems.toSorted((a, b) => a.severity - b.severity || compare(a.start, b.start));
  return worst.slice(0, MAX_PROBLEMS).sort((a, b) => compare(a.start, b.start));
}

/** The problems at the cursor: those around it, else those in its line. The worst first, then the narrowest. */
export function problemsAt(problems: readonly FoundProblem[], at: Place): FoundProblem[] {
  const around = problems.filter(({ start, end }) => compare(start, at) <= 0 && compare(at, end) <= 0);
  const found =
    around.length > 0 ? around : problems.filter(({ start, end }) => start.line <= at.line && at.line <= end.line);
  return found.toSorted((a, b) => a.severity - b.severity || width(a) - width(b));
}

/**
 * The current version of a problem chosen in a menu, because it may have moved since. Undefined if no problem has its
 * message any more.
 */
export function findPresent(present: readonly FoundProblem[], message: string, at: Place): FoundProblem | undefined {
  const distance = ({ start }: FoundProblem) =>
    Math.abs(start.line - at.line) * 10_000 + Math.abs(start.character - at.character);
  return present.filter((problem) => problem.message === message).toSorted((a, b) => distance(a) - distance(b))[0];
}

/**
 * The instruction to fix problems of one file. `lineAt` gives the text of a line, counted from 0. `ofAll`: how many
 * problems the file has, if not all could be included.
 */
export function fixInstruction(
  problems: readonly FoundProblem[],
  lineAt: (line: number) => string,
  ofAll = problems.length,
): string {
  const [only] = problems;
  if (only && ofAll === 1) {
    const head = `Fix the ${SEVERITIES[only.severity]} in ${place(only)}: ${message(only)}`;
    return `${head}\n${quoted(lineAt(only.start.line))}\n\n${MANNERS}`;
  }
  const bounded =
    ofAll > problems.length ? ` These are ${problems.length} of ${ofAll}; leave the others for later.` : '';
  const list = problems.map((problem, index) => {
    const head = `${index + 1}. ${place(problem)}, ${SEVERITIES[problem.severity]}: ${message(problem)}`;
    return `${head}\n${quoted(lineAt(problem.start.line))}`;
  });
  return `Fix these ${problems.length} problems.${bounded}\n\n${list.join('\n')}\n\n${MANNERS}`;
}

const MANNERS =
  'Fix the cause and not only the complaint: neither silence a check nor delete what is used. Change nothing else. Lines count from 1.';

/** "Fix “Cannot find name 'x'” with Perigee"; without the message if there is only one problem. */
export function problemTitle(verb: 'Fix' | 'Explain', message?: string): string {
  return message === undefined ? `${verb} with Perigee` : `${verb} “${shortMessage(message)}” with Perigee`;
}

/** "Fix all 3 problems in client.ts", or how many fit into one request. */
export function allTitle(count: number, name: string): string {
  if (count === 1) return `Fix the problem in ${name}`;
  const which = count > MAX_PROBLEMS ? `${MAX_PROBLEMS} of the ${count}` : `all ${count}`;
  return `Fix ${which} problems in ${name}`;
}

/** The first line of a message for a menu, cut between words. */
export function shortMessage(text: string): string {
  const line = text.trim().split('\n', 1)[0]!.replace(/\s+/g, ' ').replace(/\.$/, '');
  if (line.length <= MAX_LABEL) return line;
  return `${line.slice(0, MAX_LABEL - 1).replace(/\s+\S{0,15}$/, '')}…`;
}

function place({ start, end }: FoundProblem): string {
  // If a range ends before the first character of a line, that line is not part of it.
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  return last > start.line ? `lines ${start.line + 1}–${last + 1}` : `line ${start.line + 1}`;
}

function message({ message, source, code }: FoundProblem): string {
  const from = [source, code].filter((part) => part).join(' ');
  return `${cut(message.trim(), MAX_MESSAGE)}${from && ` (${from})`}`;
}

const quoted = (line: string) => `    ${cut(line.trim(), MAX_LINE)}`;
const cut = (text: string, max: number) => (text.length <= max ? text : `${text.slice(0, max - 1)}…`);
const compare = (a: Place, b: Place) => a.line - b.line || a.character - b.character;
const width = ({ start, end }: FoundProblem) => (end.line - start.line) * 10_000 + end.character - start.character;
