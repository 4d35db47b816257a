import { Lexer, type MarkedOptions, type Token, type Tokens, type TokensList } from 'marked';
import { bounded } from '../../../../shared/boundedMarkdown.ts';
import { cutChanges, isCutWhole, textBeforeChanges } from './changes.ts';
import { readFence } from './fence.ts';

/** A block of markdown: a paragraph, a list, a fence. Equal `memo` means equal looks. */
export interface Block {
  token: Token;
  memo: string;
  /** False for a fence that may still grow. */
  closed: boolean;
  /** Of a fence: what stands between it and the code before, where it may find its file's name. */
  prose: string;
  /** Of a fence: whether code before it has a file, so that it need not be for whichever is in front. */
  followsFile: boolean;
}

type Links = TokensList['links'];

const BoundedLexer = bounded(Lexer);

/**
 * Splits a growing markdown text into blocks. What stands before the last two blocks can't change any more (only a list
 * can be joined by what follows it, and only with one block between), so each step reads only from there on.
 */
export class BlockReader {
  private settled: Block[] = [];
  private source = '';
  private links: Links = {};

  /** @param ended no more text will come: everything is read once more as a whole, so that late link targets count. */
  read(markdown: string, ended: boolean): Block[] {
    const text = markdown.includes('\r') ? markdown.replace(/\r\n?/g, '\n') : markdown;
    if (ended || !text.startsWith(this.source)) {
      this.settled = [];
      this.source = '';
      if (!ended) this.links = {};
    }
    const { tokens, links } = lex(text.slice(this.source.length), this.links);
    this.links = links;
    if (ended) return this.toBlocks(tokens, true);
    const openFrom = this.openFrom(tokens);
    const fresh = this.toBlocks(tokens.slice(0, openFrom), false);
    this.settled = [...this.settled, ...fresh.map((b) => ({ ...b, closed: true }))];
    this.source += tokens
      .slice(0, openFrom)
      .map((t) => t.raw)
      .join('');
    return [...this.settled, ...this.toBlocks(tokens.slice(openFrom), false)];
  }

  private openFrom(tokens: Token[]): number {
    let blocks = 0;
    for (let i = tokens.length - 1; i >= 0; i--) {
      if (tokens[i]?.type !== 'space' && ++blocks === 2) return i;
    }
    return 0;
  }

  private toBlocks(tokens: Token[], ended: boolean): Block[] {
    const linkNames = Object.keys(this.links).length;
    const last = tokens.findLastIndex((t) => t.type !== 'space' && t.type !== 'def');
    const blocks: Block[] = [];
    tokens.forEach((token, i) => {
      if (token.type !== 'space' && token.type !== 'def') {
        const closed = ended || i < last || token.type !== 'code' || isClosedFence(token.raw);
        const memo = `${closed ? 1 : 0}${token.raw.includes('[') ? linkNames : ''}\n${token.raw}`;
        const above = token.type === 'code' ? readAbove([...this.settled, ...blocks]) : NOTHING_ABOVE;
        blocks.push({ token, memo, closed, ...above });
      }
    });
    return blocks;
  }
}

/** Blocks that change files are code, also where no fence is around them. Markdown would make headings of their marks. */
const OPTIONS: MarkedOptions = {
  gfm: true,
  extensions: {
    renderers: {},
    childTokens: {},
    block: [
      function (this: { lexer: Lexer }, source: string): Token | undefined {
        const raw = cutChanges(source);
        if (raw !== undefined) return { type: 'code', raw, text: raw.trimEnd(), lang: '' };
        const before = textBeforeChanges(source.slice(0, MOST_BEFORE_CHANGES));
        return before === undefined ? undefined : this.lexer.blockTokens(before, [])[0];
      },
    ],
  },
};

/** So far from the beginning of a paragraph a change may begin within it: it is looked for at each block. */
const MOST_BEFORE_CHANGES = 4000;
const MAY_CHANGE = /^(?:<{5}|\*{3} Begin)/m;

function lex(text: string, links: Links): { tokens: Token[]; links: Links } {
  const lexer = new BoundedLexer(MAY_CHANGE.test(text) ? OPTIONS : { gfm: true });
  Object.assign(lexer.tokens.links, links);
  const tokens = lexer.lex(text);
  return { tokens: [...tokens], links: tokens.links };
}

/** So far up a file's name is looked for: a long answer is read again with each piece of a fence that grows. */
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

/** Whether a code block's source ends with the fence, or the mark, it began with. Indented code has none: it is closed. */
export function isClosedFence(raw: string): boolean {
  const open = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  if (!open) return isCutWhole(raw) ?? true;
  const close = /\n {0,3}(`{3,}|~{3,})[ \t]*\n?$/.exec(raw)?.[1];
  return !!close && close[0] === open[0] && close.length >= open.length;
}
