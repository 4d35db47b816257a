import type { Waiting } from '../../protocol.ts';
import { counted } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { runningAnswer } from '../model/conversation.ts';
import { queueOf } from '../model/queue.ts';
import { Icon, IconButton } from '../parts/Icon.tsx';

/** The messages that wait for the end of the answer, above the composer. */
export function Queue() {
  const messages = useChatState(queueOf);
  const isAnswering = useChatState((s) => runningAnswer(s.conversation) !== undefined);
  const isOffline = useChatState((s) => s.isOffline);
  if (messages.length === 0) return null;
  return (
    <ul class="queue" aria-label="Waiting to be sent">
      {messages.map((message) => (
        <Row key={message.id} message={message} isAnswering={isAnswering} isOffline={isOffline} />
      ))}
    </ul>
  );
}

function Row({ message, isAnswering, isOffline }: { message: Waiting; isAnswering: boolean; isOffline: boolean }) {
  const chat = useChat();
  const { text, chips, held, isSending } = message;
  const act = (deed: () => void) => () => {
    deed();
    chat.focusComposer();
  };
  const attached = chips.length > 0 ? ` · ${counted(chips.length, 'attachment')}` : '';
  return (
    <li>
      <Icon name={isSending ? 'loading' : held ? 'debug-pause' : 'watch'} spin={isSending} />
      <div>
        <div class="said" dir="auto" title={text.slice(0, 2000)}>
          {text.slice(0, 500)}
        </div>
        <div class="quiet">
          {isSending ? 'Sending' : held ? `${held} Send it when you like.` : 'Sent when the answer is done'}
          {attached}
        </div>
      </div>
      {!isSending && (
        <span class="deeds">
          <button type="button" class="link" disabled={isOffline} onClick={act(() => chat.queue.sendNow(message))}>
            {isAnswering ? 'Send now' : 'Send'}
          </button>
          <IconButton icon="edit" label="Edit" onClick={act(() => chat.queue.edit(message))} />
          <IconButton icon="close" label="Remove" onClick={act(() => chat.queue.remove(message))} />
        </span>
      )}
    </li>
  );
}
