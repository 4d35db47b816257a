import type { ShownCheckpoint } from '../../protocol.ts';
import { fileName, fullTime, when } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { Icon } from '../parts/Icon.tsx';

const none: never[] = [];

/** What was accepted of an answer's changes, and the way back. */
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
  const names = tellNames(isTakenBack ? files : applied);
  const now = new Date();
  return (
    <li class={isTakenBack ? 'back' : undefined}>
      <Icon name={isTakenBack ? 'discard' : 'check'} />
      <span title={files.map(describe).join('\n')}>
        {isTakenBack ? `Taken back from ${names}` : `Applied to ${names}`}
      </span>
      {!isTakenBack && takenBack > 0 && ` · ${takenBack} taken back`}
      {' · '}
      <time dateTime={at} title={fullTime(at, now)}>
        {when(at, now)}
      </time>
      {' · '}
      {isTakenBack ? (
        <button
          type="button"
          class="link"
          aria-label={`Apply again to ${names}`}
          onClick={() => chat.host.post({ type: 'applyAgain', checkpointId: id })}
        >
          Apply again
        </button>
      ) : (
        <button
          type="button"
          class="link"
          aria-label={`Take back from ${names}`}
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

function describe({ path, change, added, removed, isTakenBack }: ShownCheckpoint['files'][number]): string {
  const counts = [added > 0 && `+${added}`, removed > 0 && `−${removed}`].filter(Boolean).join(' ');
  const how = change === 'updated' ? '' : `, ${{ created: 'new', deleted: 'deleted', moved: 'moved' }[change]}`;
  return `${path}${how}${counts && ` ${counts}`}${isTakenBack ? ', taken back' : ''}`;
}
