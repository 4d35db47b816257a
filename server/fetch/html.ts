import { setImmediate as otherWork } from 'node:timers/promises';
import { Parser } from 'htmlparser2';
import { cleanName } from '../../shared/texts.ts';
import { AppError } from '../platform/errors.ts';

/** The parser's time grows with the square of it, and no page that people read comes near. */
const MAX_DEPTH = 400;
/** A shorter main part may be a placeholder that a script fills. */
const MIN_MAIN = 200;
/** In UTF-16 units. More is not even looked at, spaces included. */
const MAX_TITLE = 300;
const MOST_OF_TITLE = 1_000;
/** How much is parsed before other work of the process has its turn: a few milliseconds of the worst pages. */
const SLICE = 16 * 1024;

const BLOCKS = new Set(
  'address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr legend li main menu ol p pre search section summary table tbody tfoot thead tr ul'.split(
    ' ',
  ),
);
/** An empty line goes around these. */
const APART = new Set('blockquote dl figure h1 h2 h3 h4 h5 h6 ol p pre table ul'.split(' '));
/** What nobody reads as the page's text. */
const SKIPPED = new Set(
  'audio button canvas datalist iframe input map math nav noframes noscript object script select style svg template textarea title video'.split(
    ' ',
  ),
);

/** An HTML page as plain text: what a reader sees, without links, pictures and menus. Throws `page_not_text`. */
export async function htmlText(html: string): Promise<{ title?: string; text: string }> {
  const [whole, main] = [new Writer(), new Writer()];
  let title = '';
  const open: { name: string; isSkipped: boolean; isMain: boolean; isInSvg: boolean }[] = [];
  const parser = new Parser({
    onopentag(name, attributes) {
      if (open.length >= MAX_DEPTH)
        throw new AppError('page_not_text', 'Its elements are nested too deep to be read. Name another page.');
      const around = open.at(-1);
      const isHidden = 'hidden' in attributes || attributes['aria-hidden'] === 'true';
      const isSkipped = around?.isSkipped || isHidden || SKIPPED.has(name);
      const isMain = around?.isMain || name === 'main' || name === 'article' || attributes.role === 'main';
      const isInSvg = around?.isInSvg === true || name === 'svg';
      open.push({ name, isSkipped: isSkipped === true, isMain, isInSvg });
      if (isSkipped) return;
      whole.open(name);
      if (isMain) main.open(name);
    },
    ontext(text) {
      const at = open.at(-1);
      if (at?.name === 'title' && !at.isInSvg && title.length < MOST_OF_TITLE) title += text;
      if (at?.isSkipped) return;
      whole.add(text);
      if (at?.isMain) main.add(text);
    },
    onclosetag(name) {
      const closed = open.pop();
      if (!closed || closed.isSkipped) return;
      whole.close(name);
      if (closed.isMain) main.close(name);
    },
  });
  for (let from = 0; from < html.length; from += SLICE) {
    parser.write(html.slice(from, from + SLICE));
    await otherWork();
  }
  parser.end();
  const text = main.text.length >= MIN_MAIN ? main.text : whole.text;
  // Not half of a character of two units.
  const known = cleanName(title.slice(0, MOST_OF_TITLE))
    .slice(0, MAX_TITLE)
    .replace(/[\ud800-\udbff]$/, '');
  return { ...(known && { title: known }), text };
}

/** Lays out text in lines, as the tags around it ask for. */
class Writer {
  private readonly parts: string[] = [];
  /** Line breaks that are due before the next word. */
  private breaks = 0;
  private isSpaceDue = false;
  private preDepth = 0;
  /** Stands before the next word: a list item's dash, a heading's signs. */
  private mark = '';

  open(name: string): void {
    if (name === 'br') this.breaks = Math.min(2, this.breaks + 1);
    else if (BLOCKS.has(name)) this.break(APART.has(name) ? 2 : 1);
    if (name === 'pre') this.preDepth++;
    if (name === 'li') this.mark = '- ';
    else if (/^h[1-6]$/.test(name)) this.mark = `${'#'.repeat(Number(name[1]))} `;
    else if ((name === 'td' || name === 'th') && this.breaks === 0) {
      this.put(' |', '');
      this.isSpaceDue = true;
    }
  }

  close(name: string): void {
    if (name === 'pre') this.preDepth--;
    if (BLOCKS.has(name)) this.break(APART.has(name) ? 2 : 1);
    else if (name === 'td' || name === 'th') this.isSpaceDue = true;
  }

  add(text: string): void {
    if (this.preDepth > 0) {
      if (text.trim() !== '' || this.breaks === 0) this.put(text, '');
      return;
    }
    const words = text.replace(/[ \t\r\n\f\u00a0]+/g, ' ');
    if (words.startsWith(' ')) this.isSpaceDue = true;
    const bare = words.trim();
    if (bare === '') return;
    this.put(bare, this.isSpaceDue ? ' ' : '');
    this.isSpaceDue = words.endsWith(' ');
  }

  get text(): string {
    return this.parts.join('').trim();
  }

  private put(text: string, space: string): void {
    const lead = this.breaks > 0 ? '\n'.repeat(this.breaks) : space;
    this.parts.push((this.parts.length > 0 ? lead : '') + this.mark + text);
    this.breaks = 0;
    this.mark = '';
    this.isSpaceDue = false;
  }

  private break(lines: number): void {
    this.breaks = Math.max(this.breaks, lines);
    this.isSpaceDue = false;
  }
}
