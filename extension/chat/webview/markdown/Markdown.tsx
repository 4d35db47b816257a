import type { Tokens } from 'marked';
import { createContext, render } from 'preact';
import { useContext, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { ChatContext, useChat } from '../context.ts';
import { AnswerContext } from '../ui/Apply.tsx';
import { readCode } from './applicable.ts';
import { type Block, BlockReader, isClosedFence } from './blocks.ts';
import { CodeBlock } from './CodeBlock.tsx';
import { DiffBlock } from './DiffBlock.tsx';
import { type Above, aboveInner, readCaption } from './fence.ts';
import { renderBlock } from './sanitise.ts';

/** The file of code blocks that name none. */
const FileContext = createContext<string | undefined>(undefined);

/** Markdown that may still grow. Blocks that are done are neither read nor rendered again. */
export function Markdown({ text, ended, file }: { text: string; ended: boolean; file?: string }) {
  const reader = useMemo(() => new BlockReader(), []);
  const blocks = reader.read(text, ended);
  return (
    <FileContext.Provider value={file}>
      <div class="markdown">
        {blocks.map((block, i) => (
          // Blocks never change places, so their number is their identity.
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
    if (block.token.type !== 'code') return <SafeHtml block={block} />;
    return <FencedCode token={block.token as Tokens.Code} closed={block.closed} above={block} />;
  }, [block.memo, isCaption]);
}

/** A paragraph that has nothing but the path of the code after it, which the code's own caption says. */
function isCaption(block: Block, next: Block | undefined): boolean {
  if (block.token.type !== 'paragraph' || next?.token.type !== 'code') return false;
  const line = block.token.raw.trim();
  return !/\s/.test(line) && readCaption(line).kind === 'named';
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
    const { fragment, codes } = renderBlock(block.token);
    for (const { place: at, token } of codes) {
      const closed = block.closed && isClosedFence(token.raw.trimStart());
      render(
        <ChatContext.Provider value={chat}>
          <AnswerContext.Provider value={answer}>
            <FileContext.Provider value={file}>
              <FencedCode token={token} closed={closed} above={aboveInner(block.token.raw)} />
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
  return <div class="block" ref={place} />;
}
