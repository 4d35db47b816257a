import type { Chip } from '../../protocol.ts';
import { count, KIND_ICONS } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { ImplicitChip, LeftOut } from './ImplicitChip.tsx';

/** The attachments of the composer, or of an earlier message that is being edited (`to`). */
export function Chips({ chips, to }: { chips: Chip[]; to?: string }) {
  const chat = useChat();
  const left = useChatState((s) => s.surroundings?.leftOut);
  const leftOut = to === undefined ? left : undefined;
  if (!chips.length && !leftOut) return null;
  return (
    <ul class="chips" aria-label={to ? 'Newly attached' : 'Attached'}>
      {leftOut && <LeftOut {...leftOut} />}
      {chips.map((chip) =>
        chip.implicit ? (
          <ImplicitChip key="implicit" chip={chip} />
        ) : (
          <li class="chip" key={chip.id} title={`${chip.path ?? chip.label}, about ${count(chip.tokens)} tokens`}>
            <Icon name={KIND_ICONS[chip.kind]} />
            <span class="label">{chip.label}</span>
            <IconButton
              icon="close"
              label={`Remove ${chip.label}, about ${count(chip.tokens)} tokens`}
              onClick={() => {
                chat.host.post({ type: 'detach', id: chip.id, ...(to && { to }) });
                if (to === undefined) chat.focusComposer();
              }}
            />
          </li>
        ),
      )}
    </ul>
  );
}
