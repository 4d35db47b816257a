// How an answer spells a file's text (escapes, indentation, letter forms), from all of its changes to the file.
import type { ChangeLine } from '../edits.ts';
import { type IndentPair, offends } from '../text/indentation.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import {
  bothForms,
  composed,
  type Form,
  formOf,
  hasForms,
  indentOf,
  isBlank,
  looseKey,
  NOT_ASCII,
  plainPunctuation,
} from '../text/loose.ts';
import { decodeEntities, Encoded, hasEntity, PunctuationEvidence, unescapeTabs } from '../text/misprints.ts';
import type { Found } from './match.ts';

export const UNKNOWN = {
  punctuation:
    'The old lines have other quotes or dashes than the file, so Perigee can’t tell which ones the new lines need.',
  entities: 'Only some characters are written as HTML entities, so Perigee can’t tell which of them are meant.',
  escapes:
    'Tabs or line ends are written as escapes elsewhere in the answer, so Perigee can’t tell whether they are here.',
  form: 'The file has accented letters in more than one form, so Perigee can’t tell which form the new ones need.',
};

/** What the lines of one change that the file has as well show about the answer's spelling. */
export interface Evidence {
  punctuation: PunctuationEvidence;
  escaped?: 'tabs' | 'lines';
  /** How often HTML entities had to be decoded. */
  decoded: number;
  /** All the lines that the answer wrote of the file, unchanged. */
  written: readonly string[];
  /** Pairs of the answer's and the file's indentation, if their characters or units differ; else empty. */
  restyled: readonly IndentPair[];
  mayBeRestyled: boolean;
  /** The file's form of letters that the answer writes in another form. */
  form?: Form;
  /** The form of such letters if both write the same. */
  ownForm?: Form;
}

export function evidenceOf(
  file: IndexedFile,
  { lines, start, pairs, misprint }: Found & { kind: 'found' },
  written: readonly ChangeLine[],
): Evidence {
  const punctuation = new PunctuationEvidence();
  let form: Form | undefined;
  let ownForm: Form | undefined;
  let at = start;
  for (const { op, text } of lines) {
    if (op === 'new') continue;
    const other = file.lines[at++]!;
    const [own, its] = [composed(text.trim()), composed(other.trim())];
    if (plainPunctuation(own) === plainPunctuation(its)) punctuation.add(own, its);
    else punctuation.addUnequal(own, its);
    if (!hasForms(other)) continue;
    if (text.trim() === other.trim()) ownForm = bothForms(ownForm, formOf(other));
    else form = bothForms(form, formOf(other));
  }
  const isOther = pairs.some(([[one], own]) => /\t/.test(one!) !== /\t/.test(own) && one !== '' && own !== '');
  // If the block was moved, all lines shift by the same amount; otherwise the unit of a level differs. One level alone
  // may be either.
  const filled = pairs.filter(([[one], own]) => one !== '' && own !== '');
  const shifts = new Set(pairs.map(([[one], own]) => own.length - one!.length));
  const moved = filled.filter(([[one], own]) => one !== own).length;
  const isScaled = moved > 1 && shifts.size > 1;
  return {
    punctuation,
    escaped: misprint?.escaped,
    decoded: misprint?.decoded ?? 0,
    written: written.map(({ text }) => text),
    restyled: isOther || isScaled ? pairs : [],
    mayBeRestyled: moved > 0,
    form,
    ownForm,
  };
}

/** Lines with their letters in `form`; unchanged if the file has no single form. */
export const inForm = (lines: readonly string[], form: Form | undefined) =>
  form === undefined || form === 'mixed'
    ? [...lines]
    : lines.map((line) => (hasForms(line) ? line.normalize(form) : line));

/** The evidence of all changes of an answer to one file: what one change proves holds for the others. */
export class Manner {
  private readonly punctuation = new PunctuationEvidence();
  private tabsEscaped = false;
  private linesEscaped = false;
  private decoded = 0;
  private readonly encoded = new Encoded();
  private readonly written: string[] = [];
  private otherForm: Form | undefined;
  private ownForm: Form | undefined;
  private readonly restyled = new Map<string, IndentPair>();
  private mayBeRestyled = false;
  /** Grows with new evidence, so that changes are only rewritten when there is some. */
  version = 0;
  private known: string;

  constructor(private readonly file: IndexedFile) {
    this.known = this.tell();
  }

  add(evidence: Evidence): this {
    const { escaped, decoded, form, ownForm, restyled, written } = evidence;
    this.punctuation.merge(evidence.punctuation);
    this.tabsEscaped ||= escaped !== undefined;
    this.linesEscaped ||= escaped === 'lines';
    this.decoded = Math.max(this.decoded, decoded);
    this.written.push(...written);
    this.otherForm = bothForms(this.otherForm, form);
    this.ownForm = bothForms(this.ownForm, ownForm);
    this.mayBeRestyled ||= evidence.mayBeRestyled;
    for (const pair of restyled) this.restyled.set(pair.flat().join('|'), pair);
    const known = this.tell();
    if (known !== this.known) this.version++;
    this.known = known;
    return this;
  }

  /** A string that is equal for equal evidence. */
  private tell(): string {
    return [
      this.punctuation.signature,
      this.tabsEscaped,
      this.linesEscaped,
      this.decoded,
      this.decoded > 0 && this.isEncoded,
      this.form,
      this.restyled.size,
      this.mayBeRestyled,
    ].join();
  }

  /** Whether the answer writes entities for their characters wherever it quotes the file. */
  private get isEncoded(): boolean {
    for (const line of this.written.splice(0)) this.encoded.add(line);
    return this.encoded.isWhole;
  }

  private get form(): Form | undefined {
    return this.otherForm && bothForms(this.otherForm, this.ownForm);
  }

  /** Whether the file has the line with exactly its punctuation. */
  private isOwn(line: string): boolean {
    const { file } = this;
    return NOT_ASCII.test(line) && file.at(looseKey(line)).some((at) => file.lines[at]!.trim() === line.trim());
  }

  /**
   * The new lines in the file's spelling, or a sentence if that is unclear. `own`: the evidence of their change alone.
   */
  translate(lines: readonly string[], own: Evidence): string[] | string {
    const decoded = this.decode(lines, own);
    if (typeof decoded === 'string') return decoded;
    const unescaped = this.unescape(decoded, own);
    if (typeof unescaped === 'string') return unescaped;
    const punctuated = unescaped.map((line) =>
      this.isOwn(line) ? line : this.punctuation.translate(line, own.punctuation),
    );
    if (punctuated.includes(undefined)) return UNKNOWN.punctuation;
    if (!punctuated.some((line) => hasForms(line!))) return punctuated as string[];
    if (this.form === 'mixed') return UNKNOWN.form;
    return inForm(punctuated as string[], this.form ?? this.file.form);
  }

  private decode(lines: readonly string[], own: Evidence): readonly string[] | string {
    if (this.decoded === 0 || !own.written.some(hasEntity)) return lines;
    if (!this.isEncoded || (own.decoded !== this.decoded && own.decoded > 0)) return UNKNOWN.entities;
    return own.decoded > 0 ? lines : lines.map((line) => decodeEntities(line, this.decoded));
  }

  private unescape(lines: readonly string[], own: Evidence): readonly string[] | string {
    if (own.escaped) return lines;
    if (this.linesEscaped && lines.length === 1 && lines[0]!.includes('\\n')) return UNKNOWN.escapes;
    if (!lines.some((line) => line.startsWith('\\t'))) return lines;
    if (this.file.lines.some((line) => /^\s*\\/.test(line))) return this.tabsEscaped ? UNKNOWN.escapes : lines;
    if (this.tabsEscaped) return lines.map(unescapeTabs);
    return this.file.style.kind === 'tabs' ? UNKNOWN.escapes : lines;
  }

  /**
   * The pairs by which new lines are indented. The other changes' evidence fills gaps in their own. Undefined if that
   * evidence shows a difference but not how to convert it.
   */
  pairsFor(pairs: readonly IndentPair[], lines: readonly string[]): readonly IndentPair[] | undefined {
    const showsNothing = pairs.every(([written, own]) => own === '' && written.includes(''));
    const isIndented = lines.some((line) => !isBlank(line) && indentOf(line) !== '');
    if (!isIndented || !this.mayBeRestyled) return pairs;
    const moved = pairs.filter(([written, own]) => !written.includes(own)).length;
    if (!showsNothing) return moved === 1 && this.restyled.size > 1 ? [...pairs, ...this.restyled.values()] : pairs;
    // A single change may be restyled alone: only a wrong indentation character shows that this one is.
    const isOther = lines.some((line) => offends(indentOf(line), this.file.style));
    return isOther && this.restyled.size > 0 ? [...pairs, ...this.restyled.values()] : undefined;
  }
}
