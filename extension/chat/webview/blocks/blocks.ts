import { Lexer, type Token, type Tokens, type TokensList, walkTokens } from 'marked';
import { answerLexer } from '../../../../shared/answers/answerMarkdown.ts';
import { fenceAt } from '../../../../shared/answers/fences.ts';
import { cutChanges, isCutWhole, textBeforeChanges } from './changes.ts';
import { readFence } from './fence.ts';
import { withMarksClosed } from './openMarks.ts';

/** A block of markdown: a paragraph, a list, a fence. Equal `memo` means equal looks. */
export interface Block {
  token: Token;
  memo: string;
  /** False for a fence that may still grow. */
  closed: boolean;
  /** For a fence: the text between it and the code before, which may name its file. */
  prose: string;
  /** For a fence: whether earlier code names a file. Then this block need not be for the active file. */
  followsFile: boolean;
}

type Links = TokensList['links'];

const AnswerLexer = answerLexer(Lexer);
/** How often an answer is parsed again because a link's target came after the link. */
const MOST_ANEW = 100;

/**
 * Splits a growing Markdown text into blocks. Text before the last two blocks is final (only a list can merge with what
 * follows, and only across one block), so each step parses only from there on.
 */
export class BlockReader {
  private settled: Block[] = [];
  private source = '';
  private links: Links = {};
  private anew = 0;

  /** @param ended the text is complete: parse it once more as a whole. */
  read(markdown: string, ended: boolean): Block[] {
    const text = markdown.includes('\r') ? markdown.replace(/\r\n?/g, '\n') : markdown;
    if (ended || !text.startsWith(this.source)) this.forget();
    if (ended) return this.toBlocks(lex(text, {}, false), true);
    const tokens = this.lexOpen(text);
    const openFrom = this.openFrom(tokens);
    const fresh = this.toBlocks(tokens.slice(0, openFrom), false);
    this.settled = [...this.settled, ...fresh.map((b) => ({ ...b, closed: true }))];
    this.source += tokens
      .slice(0, openFrom)
      .map((t) => t.raw)
      .join('');
    return [...this.settled, ...this.toBlocks(tokens.slice(openFrom), false)];
  }

  private forget(): void {
    this.settled = [];
    this.source = '';
    this.links = {};
  }

  /** Parses the unsettled text, or the whole text if an earlier link was waiting for its target. */
  private lexOpen(text: string): Token[] {
    const tokens = this.lexShown(text.slice(this.source.length));
    // The last definition may still grow.
    const isWhole = (t: Token, i: number) => i < tokens.length - 1 || t.raw.endsWith('\n');
    const news = tokens.filter((t, i): t is Tokens.Def => t.type === 'def' && isWhole(t, i) && !(t.tag in this.links));
    if (news.length === 0) return tokens;
    const links = { ...this.links };
    for (const { tag, href, title } of news) links[tag] ??= { href, title: title ?? null };
    const isAwaited = this.settled.some(({ token }) => token.raw.includes('['));
    const isAnew = isAwaited && ++this.anew <= MOST_ANEW;
    if (isAnew) this.forget();
    this.links = links;
    return isAnew ? this.lexShown(text) : tokens;
  }

  /** Parses the text with the open marks of its last line closed, unless they are in code. */
  private lexShown(text: string): Token[] {
    const shown = withMarksClosed(text);
    const tokens = lex(shown, this.links, true);
    const isCode = shown !== text && tokens.findLast((t) => t.type !== 'space')?.type === 'code';
    return isCode ? lex(text, this.links, true) : tokens;
  }

  private openFrom(tokens: Token[]): number {
    let blocks = 0;
    for (let i = tokens.length - 1; i >= 0; i--) {
      if (tokens[i]?.type !== 'space' && ++blocks === 2) return i;
    }
    return 0;
  }

  private toBlocks(tokens: Token[], ended: boolean): Block[] {
    const last = tokens.findLastIndex((t) => t.type !== 'space' && t.type !== 'def');
    const blocks: Block[] = [];
    tokens.forEach((token, i) => {
      if (token.type !== 'space' && token.type !== 'def') {
        const closed = ended || i < last || token.type !== 'code' || isClosedFence(token.raw);
        const memo = `${closed ? 1 : 0}${token.raw.includes('[') ? targetsOf(token) : ''}\n${token.raw}`;
        const above = token.type === 'code' ? readAbove([...this.settled, ...blocks]) : NOTHING_ABOVE;
        blocks.push({ token, memo, closed, ...above });
      }
    });
    return blocks;
  }
}

/** The targets of a block's links: they may be defined in another block. */
function targetsOf(token: Token): string {
  const targets: string[] = [];
  walkTokens([token], (inner) => {
    if ('href' in inner) targets.push(inner.href);
  });
  return targets.join(' ');
}

/** How far into a paragraph to look for an unfenced change. Limited, because each block is searched. */
const MOST_BEFORE_CHANGES = 4000;
const MAY_CHANGE = /^(?:<{5}|\*{3} Begin)/m;

/** Blocks that change files are code, even without a fence. Markdown would read their marks as headings. */
function changes(this: { lexer: Lexer }, source: string): Token | undefined {
  const raw = cutChanges(source);
  if (raw !== undefined) return { type: 'code', raw, text: raw.trimEnd(), lang: '' };
  const before = textBeforeChanges(source.slice(0, MOST_BEFORE_CHANGES));
  return before === undefined ? undefined : this.lexer.blockTokens(before, [])[0];
}

function lex(text: string, links: Links, more: boolean): Token[] {
  const lexer = new AnswerLexer({ more, blocks: MAY_CHANGE.test(text) ? [changes] : [] });
  Object.assign(lexer.tokens.links, links);
  return [...lexer.lex(text)];
}

/** How far up to look for a file's name. Limited, because each piece of a growing fence repeats the search. */
const MOST_ABOVE = 40;
const NOTHING_ABOVE = { prose: '', followsFile: false };

function readAbove(before: readonly Block[]): typeof NOTHING_ABOVE {
  const code = before.findLastIndex(({ token }) => token.type === 'code');
  const prose = before.slice(Math.max(code + 1, before.length - MOST_ABOVE)).map(({ token }) => token.raw);
  const last = before[code];
  if (!last) return { prose: prose.join('\n'), followsFile: false };
  const { file, isUnclear } = readFence((last.token as Tokens.Code).lang ?? '', last);
  return { prose: prose.join('\n'), followsFile: file !== undefined || isUnclear === true };
}

/** Whether a code block's source has its end fence or mark. Indented code has none and counts as closed. */
export function isClosedFence(raw: string): boolean {
  const fence = /^ {0,3}(?:`{3}|~{3})/.test(raw) ? fenceAt(raw, false) : undefined;
  return fence?.isWhole ?? isCutWhole(raw) ?? true;
}
