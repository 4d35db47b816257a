import { useLayoutEffect, useRef } from 'preact/hooks';
import { isForTerminal } from '../../../../shared/answers/shellCommands.ts';
import type { ShownCode } from '../blocks/applicable.ts';
import { languageIdOf } from '../blocks/fence.ts';
import { fileName } from '../format.ts';
import { useLater } from '../later.ts';
import { useChat } from '../model/context.ts';
import { IconButton } from '../parts/Icon.tsx';
import { CodeFrame } from './CodeFrame.tsx';
import { highlight, highlighted } from './highlight.ts';
import { safeCode } from './sanitise.ts';

/** What Markdown previews draw, if they can. */
const DIAGRAMS = new Set(['mermaid', 'plantuml', 'dot', 'graphviz']);

/** A code block with its label and actions. Plain text is appended until it is complete, then it is highlighted. */
export function CodeBlock({ code: shown, closed }: { code: ShownCode; closed: boolean }) {
  const { text, language, file } = shown;
  const chat = useChat();
  const code = useRef<HTMLElement>(null);
  // Within a growing list, the block is remade for each piece. Use cached highlighting at once, so that it never
  // flashes plain.
  const known = closed ? highlighted(text, language) : undefined;
  const later = useLater(closed && !known ? () => highlight(text, language) : null, [text, language]);
  const html = known ?? later;
  useLayoutEffect(() => {
    const place = code.current!;
    if (html) place.replaceChildren(safeCode(html));
    else if (place.firstChild?.nodeType === Node.TEXT_NODE && !place.firstChild.nextSibling) {
      // Appending to the node keeps the reader's selection.
      const node = place.firstChild as Text;
      if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
      else node.data = text;
    } else place.replaceChildren(text);
  }, [text, html]);
  return (
    <CodeFrame
      code={shown}
      closed={closed}
      label={[language, file && fileName(file)].filter(Boolean).join(' · ') || 'code'}
      title={file}
      actions={
        <>
          <IconButton icon="copy" label="Copy" done="Copied" onClick={() => chat.host.post({ type: 'copy', text })} />
          {closed && isForTerminal(language) && (
            <IconButton
              icon="terminal"
              label="Insert into terminal"
              onClick={() => chat.host.post({ type: 'insertInTerminal', text, language })}
            />
          )}
          {closed && DIAGRAMS.has(language) && (
            <IconButton
              icon="open-preview"
              label="Open preview"
              onClick={() => chat.host.post({ type: 'previewDiagram', text, language })}
            />
          )}
          <IconButton icon="insert" label="Insert at cursor" onClick={() => chat.host.post({ type: 'insert', text })} />
          <IconButton
            icon="new-file"
            label="New file"
            onClick={() => chat.host.post({ type: 'newFile', text, languageId: languageIdOf(language) })}
          />
        </>
      }
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code ref={code} />
      </pre>
    </CodeFrame>
  );
}
