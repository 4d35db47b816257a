import type { ShownCheckpoint, ShownCheckpointFile } from '../../protocol.ts';
import { fileName, fullTime, when } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { Icon } from '../parts/Icon.tsx';

const none: never[] = [];

/** The accepted changes of an answer, and the button that undoes them. */
export function Checkpoints({ messageId }: { messageId: string }) {
  const checkpoints = useChatState((s) => s.changes[messageId]?.checkpoints ?? none);
  if (!checkpoints.length) return null;
  return (
    <ul class="checkpoints" aria-label="Applied changes">
      {checkpoints.map((checkpoint) => (
        <Row key={checkpoint.id} checkpoint={checkpoint} />
      ))}
    </ul>
  );
}

function Row({ checkpoint: { id, at, files } }: { checkpoint: ShownCheckpoint }) {
  const chat = useChat();
  const applied = files.filter((file) => !file.isTakenBack);
  const isTakenBack = applied.length === 0;
  const takenBack = files.length - applied.length;
  const shown = isTakenBack ? files : applied;
  const names = tellNames(shown);
  const what = tellChange(shown);
  const now = new Date();
  const time = when(at, now);
  const label = [`${names}${what && `, ${what}`}`, time].join(', ');
  return (
    <li class={isTakenBack ? 'back' : undefined}>
      <Icon name={isTakenBack ? 'discard' : 'check'} />
      <span title={files.map(describe).join('\n')}>
        {isTakenBack ? `Taken back from ${names}` : `Applied to ${names}`}
      </span>
      {what && <span class="what"> · {what}</span>}
      {!isTakenBack && takenBack > 0 && ` · ${takenBack} taken back`}
      {' · '}
      <time dateTime={at} title={fullTime(at, now)}>
        {time}
      </time>
      {' · '}
      {isTakenBack ? (
        <button
          type="button"
          class="link"
          aria-label={`Apply again to ${label}`}
          onClick={() => chat.host.post({ type: 'applyAgain', checkpointId: id })}
        >
          Apply again
        </button>
      ) : (
        <button
          type="button"
          class="link"
          aria-label={`Take back from ${label}`}
          onClick={() => chat.host.post({ type: 'takeBack', checkpointId: id })}
        >
          Take back
        </button>
      )}
    </li>
  );
}

/** "client.ts", "client.ts and 2 more". */
export function tellNames(files: readonly { path: string }[]): string {
  const name = fileName(files[0]?.path ?? '');
  return files.length > 1 ? `${name} and ${files.length - 1} more` : name;
}

/** "line 12 +3 −1", "new +20", "2 files +23 −1": the text that distinguishes the rows. */
function tellChange(files: readonly ShownCheckpointFile[]): string {
  const sum = (side: 'added' | 'removed') => files.reduce((total, file) => total + file[side], 0);
  const [only] = files;
  const place = files.length > 1 || !only ? '' : (HOW[only.change] ?? (only.line ? `line ${only.line}` : ''));
  return [place, tellCounts(sum('added'), sum('removed'))].filter(Boolean).join(' ');
}

const HOW: Partial<Record<ShownCheckpointFile['change'], string>> = {
  created: 'new',
  deleted: 'deleted',
  moved: 'moved',
};

const tellCounts = (added: number, removed: number) =>
  [added > 0 && `+${added}`, removed > 0 && `−${removed}`].filter(Boolean).join(' ');

function describe({ path, change, added, removed, isTakenBack }: ShownCheckpointFile): string {
  const counts = tellCounts(added, removed);
  const how = HOW[change] ? `, ${HOW[change]}` : '';
  return `${path}${how}${counts && ` ${counts}`}${isTakenBack ? ', taken back' : ''}`;
}
