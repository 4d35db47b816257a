import type { Tokens } from 'marked';
import { createContext, render } from 'preact';
import { useContext, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { readLine } from '../../../../shared/answers/answerPaths.ts';
import { MOST_OF_BLOCK } from '../../../../shared/answers/boundedMarkdown.ts';
import { readCode } from '../blocks/applicable.ts';
import { type Block, BlockReader, isClosedFence } from '../blocks/blocks.ts';
import { type Above, aboveInner } from '../blocks/fence.ts';
import { ChatContext, useChat } from '../model/context.ts';
import { AnswerContext } from '../parts/Apply.tsx';
import { Boundary } from '../parts/Boundary.tsx';
import { CodeBlock } from './CodeBlock.tsx';
import { DiffBlock } from './DiffBlock.tsx';
import { ink } from './math.ts';
import { renderBlock } from './sanitise.ts';

/** The file for code blocks that name none. */
const FileContext = createContext<string | undefined>(undefined);

interface MarkdownProps {
  text: string;
  ended: boolean;
  file?: string;
}

/** Markdown that may still grow. A part that can't be rendered is shown as written. */
export function Markdown(props: MarkdownProps) {
  return (
    <Boundary of={props.text} instead={<AsWritten text={props.text} />}>
      <Blocks {...props} />
    </Boundary>
  );
}

/** Renders the blocks. A finished block is neither parsed nor rendered again. */
function Blocks({ text, ended, file }: MarkdownProps) {
  const reader = useMemo(() => new BlockReader(), []);
  const blocks = reader.read(text, ended);
  return (
    <FileContext.Provider value={file}>
      <div class="markdown">
        {blocks.map((block, i) => (
          // Blocks never change order, so the index is a stable key.
          <OneBlock key={i} block={block} isCaption={isCaption(block, blocks[i + 1])} />
        ))}
      </div>
    </FileContext.Provider>
  );
}

function OneBlock({ block, isCaption }: { block: Block; isCaption: boolean }) {
  // Equal memo means equal looks.
  return useMemo(() => {
    if (isCaption) return null;
    const { token, closed } = block;
    const asWritten = <AsWritten text={token.raw} />;
    if (token.type !== 'code' && token.raw.length > MOST_OF_BLOCK) return asWritten;
    return (
      <Boundary of={block} instead={asWritten}>
        {token.type === 'code' ? (
          <FencedCode token={token as Tokens.Code} closed={closed} above={block} />
        ) : (
          <SafeHtml block={block} />
        )}
      </Boundary>
    );
  }, [block.memo, isCaption]);
}

function AsWritten({ text }: { text: string }) {
  return (
    <div class="block as-written" dir="auto">
      {text.trimEnd()}
    </div>
  );
}

/** A paragraph that is only the path of the code after it. The code's own caption shows that path. */
function isCaption(block: Block, next: Block | undefined): boolean {
  if (block.token.type !== 'paragraph' || next?.token.type !== 'code') return false;
  const line = block.token.raw.trim();
  return !/\s/.test(line) && readLine(line).kind === 'named';
}

function FencedCode({ token, closed, above }: { token: Tokens.Code; closed: boolean; above: Above }) {
  const file = useContext(FileContext);
  const code = readCode(token, above, closed, file);
  return code.changes ? <DiffBlock code={code} closed={closed} /> : <CodeBlock code={code} closed={closed} />;
}

function SafeHtml({ block }: { block: Block }) {
  const chat = useChat();
  const answer = useContext(AnswerContext);
  const file = useContext(FileContext);
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { fragment, codes, maths, links } = renderBlock(block.token);
    const above = aboveInner(block.token.raw);
    ink.draw(maths);
    for (const link of links)
      if ('symbol' in link) chat.files.linkSymbol(link.place, link.symbol);
      else chat.files.link(link.place, link.reference);
    for (const { place: at, token } of codes) {
      const closed = block.closed && isClosedFence(token.raw.trimStart());
      render(
        <ChatContext.Provider value={chat}>
          <AnswerContext.Provider value={answer}>
            <FileContext.Provider value={file}>
              <Boundary of={token} instead={<AsWritten text={token.raw} />}>
                <FencedCode token={token} closed={closed} above={above} />
              </Boundary>
            </FileContext.Provider>
          </AnswerContext.Provider>
        </ChatContext.Provider>,
        at,
      );
    }
    place.current!.replaceChildren(fragment);
    return () => {
      for (const { place: at } of codes) render(null, at);
    };
  }, [block, chat, answer, file]);
  return <div class="block" dir="auto" ref={place} />;
}
