import { useChat, useChatState } from '../model/context.ts';
import { Icon } from '../parts/Icon.tsx';

const none: never[] = [];

export function EmptyState() {
  const chat = useChat();
  const suggestions = useChatState((s) => s.surroundings?.suggestions ?? none);
  return (
    <div class="empty-state">
      <h2>What are we working on?</h2>
      {suggestions.map((s) => (
        <button type="button" key={s.id} onClick={() => chat.suggestion(s.id)}>
          <Icon name={s.icon} />
          <span>{s.label}</span>
        </button>
      ))}
    </div>
  );
}
