import { useChat, useChatState } from '../model/context.ts';
import { IconButton } from './Icon.tsx';

/** "Request 01a22501-dc65 · Details": the id by which the server knows a request that failed. Guests have no account page. */
export function RequestId({ id }: { id: string }) {
  const chat = useChat();
  const isMember = useChatState((s) => s.surroundings?.account?.kind === 'member');
  return (
    <div class="request quiet">
      <span title={id}>Request {id.slice(0, 13)}</span>
      <IconButton
        icon="copy"
        label="Copy request id"
        done="Copied"
        onClick={() => chat.host.post({ type: 'copy', text: id })}
      />
      {isMember && (
        <span>
          {'· '}
          <button type="button" class="link" onClick={() => chat.host.post({ type: 'openRequest', id })}>
            Details
          </button>
        </span>
      )}
    </div>
  );
}
