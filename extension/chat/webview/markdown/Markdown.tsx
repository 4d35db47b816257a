import type { Tokens } from 'marked';
import { render } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { ChatContext, useChat } from '../context.ts';
import { type Block, BlockReader, isClosedFence } from './blocks.ts';
import { CodeBlock } from './CodeBlock.tsx';
import { readFence } from './fence.ts';
import { renderBlock } from './sanitise.ts';

/** Markdown that may still grow. Blocks that are done are neither read nor rendered again. */
export function Markdown({ text, ended }: { text: string; ended: boolean }) {
  const reader = useMemo(() => new BlockReader(), []);
  const blocks = reader.read(text, ended);
  return (
    <div class="markdown">
      {blocks.map((block, i) => (
        // Blocks never change places, so their number is their identity.
        <OneBlock key={i} block={block} />
      ))}
    </div>
  );
}

function OneBlock({ block }: { block: Block }) {
  // Equal memo means equal looks.
  return useMemo(() => {
    if (block.token.type !== 'code') return <SafeHtml block={block} />;
    return <FencedCode token={block.token as Tokens.Code} closed={block.closed} lineBefore={block.lineBefore} />;
  }, [block.memo]);
}

function FencedCode({ token, closed, lineBefore }: { token: Tokens.Code; closed: boolean; lineBefore: string }) {
  return <CodeBlock {...readFence(token.lang ?? '', lineBefore)} text={token.text} closed={closed} />;
}

function SafeHtml({ block }: { block: Block }) {
  const chat = useChat();
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { fragment, codes } = renderBlock(block.token);
    for (const { place: at, token } of codes) {
      const closed = block.closed && isClosedFence(token.raw.trimStart());
      render(
        <ChatContext.Provider value={chat}>
          <FencedCode token={token} closed={closed} lineBefore="" />
        </ChatContext.Provider>,
        at,
      );
    }
    place.current!.replaceChildren(fragment);
    return () => {
      for (const { place: at } of codes) render(null, at);
    };
  }, [block, chat]);
  return <div class="block" ref={place} />;
}
