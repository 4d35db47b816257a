import { useChat, useChatState } from '../model/context.ts';
import { IconButton } from '../parts/Icon.tsx';

const none: never[] = [];

/** All commands, after "/help". */
export function Help() {
  const chat = useChat();
  const isOpen = useChatState((s) => s.help);
  const commands = useChatState((s) => s.surroundings?.commands ?? none);
  if (!isOpen) return null;
  return (
    <section class="box calm help" aria-label="Commands">
      <dl>
        {commands.map(({ name, detail, note }) => (
          <div key={name}>
            <dt>/{name}</dt>
            <dd>
              {detail}
              {note && <span class="quiet"> · {note}</span>}
            </dd>
          </div>
        ))}
        <div>
          <dt>@</dt>
          <dd>Attaches something. Text after a command goes along with it.</dd>
        </div>
      </dl>
      <IconButton icon="close" label="Dismiss" onClick={() => chat.showHelp(false)} />
    </section>
  );
}
