import { useLayoutEffect, useRef } from 'preact/hooks';
import { broughtBy, type ShownCode } from '../blocks/applicable.ts';
import { countChanges, type ShownChange, type ShownLine } from '../blocks/changes.ts';
import { fileName } from '../format.ts';
import { useLater } from '../later.ts';
import { useChat } from '../model/context.ts';
import { IconButton } from '../parts/Icon.tsx';
import { CodeFrame } from './CodeFrame.tsx';
import { colourLines } from './colours.ts';

/** Search/replace blocks or a patch, shown as removed and added lines for each file. */
export function DiffBlock({ code, closed }: { code: ShownCode; closed: boolean }) {
  const chat = useChat();
  const files = code.changes!;
  const [only] = files;
  const copied = broughtBy(code);
  return (
    <CodeFrame
      code={code}
      closed={closed}
      label={files.length === 1 ? fileLabel(only!) : `${files.length} files`}
      title={files.map((file) => [file.path, file.movedTo].filter(Boolean).join(' → ')).join('\n') || undefined}
      counts={<Counts files={files} />}
      actions={
        copied !== '' && (
          <IconButton
            icon="copy"
            label="Copy the new lines"
            done="Copied"
            onClick={() => chat.host.post({ type: 'copy', text: copied })}
          />
        )
      }
    >
      {files.map((file, i) => (
        // Files never change order, so the index is a stable key.
        <div class="changed-file" key={i}>
          {files.length > 1 && (
            <div class="file-name" title={file.path}>
              <span class="what">{fileLabel(file)}</span>
              <Counts files={[file]} />
            </div>
          )}
          {file.lines.length > 0 && <Lines file={file} language={languageOf(file, code)} closed={closed} />}
        </div>
      ))}
    </CodeFrame>
  );
}

function Lines({ file, language, closed }: { file: ShownChange; language: string; closed: boolean }) {
  const colours = useLater(closed ? () => colourLines(file.lines, language) : null, [file, language]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <pre tabIndex={0} class="diff">
      <code>
        {file.lines.map((line, i) => (
          <Line key={i} line={line} colours={colours?.[i] ?? null} />
        ))}
      </code>
    </pre>
  );
}

const MARKS = { keep: ' ', old: '−', new: '+' } as const;
const TAGS = { keep: 'span', old: 'del', new: 'ins' } as const;

function Line({ line, colours }: { line: ShownLine; colours: DocumentFragment | null }) {
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    place.current?.replaceChildren(colours?.cloneNode(true) ?? line.text);
  }, [line.text, colours]);
  if (line.op === 'gap') return <span class="line gap">{line.text ? `⋯ ${line.text}` : '⋯'}</span>;
  const Tag = TAGS[line.op];
  return (
    <Tag class={`line ${line.op}`}>
      <span class="mark">{MARKS[line.op]}</span>
      <span ref={place} />
      {'\n'}
    </Tag>
  );
}

/** "+3 −1". */
function Counts({ files }: { files: readonly ShownChange[] }) {
  const { added, removed } = countChanges(files);
  const told = [added > 0 && `${added} added`, removed > 0 && `${removed} removed`].filter(Boolean).join(', ');
  if (!told) return null;
  return (
    <span class="counts" role="img" aria-label={`Lines: ${told}`} title={`Lines: ${told}`}>
      {added > 0 && <span class="added">+{added}</span>}
      {removed > 0 && <span class="removed">−{removed}</span>}
    </span>
  );
}

function fileLabel({ kind, path, movedTo }: ShownChange): string {
  const name = path === undefined ? 'changes' : fileName(path);
  if (kind === 'move') return `${name} → ${movedTo && path ? shortTarget(path, movedTo) : movedTo}`;
  return kind === 'update' ? name : `${name} · ${kind === 'create' ? 'new' : 'deleted'}`;
}

/** The target of a moved file: its new name, or its new folder if the name stays. */
function shortTarget(path: string, movedTo: string): string {
  return fileName(path) === fileName(movedTo) ? movedTo : fileName(movedTo);
}

/** By the file's extension, because a fence around changes often has no language, or "diff". */
function languageOf({ path = '', movedTo }: ShownChange, code: ShownCode): string {
  return /\.(\w+)$/.exec(movedTo ?? path)?.[1] ?? code.language;
}
