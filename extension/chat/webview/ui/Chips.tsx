import type { Chip } from '../../protocol.ts';
import { count, KIND_ICONS } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { ImplicitChip, LeftOut } from './ImplicitChip.tsx';
import { InstructionsChip } from './InstructionsChip.tsx';

const titleOf = (chip: Chip) => {
  const { kind, label, path = label, note, leftOut } = chip;
  const what = kind === 'pasted' ? label : path;
  return [`${what}${note ? `: ${note}` : ''}, ${sizeOf(chip)}`, ...(leftOut ? [leftOut] : [])].join('. ');
};

/** The search for what fits a question is bounded, and its size is known only when it is sent. */
const sizeOf = ({ kind, tokens }: Chip) => `${kind === 'found' ? 'at most' : 'about'} ${count(tokens)} tokens`;

/** The attachments of the composer, or of an earlier message that is being edited (`to`). */
export function Chips({ chips, to }: { chips: Chip[]; to?: string }) {
  const chat = useChat();
  const left = useChatState((s) => s.surroundings?.leftOut);
  const guidance = useChatState((s) => s.surroundings?.instructions);
  const [leftOut, instructions] = to === undefined ? [left, guidance] : [];
  if (!chips.length && !leftOut && !instructions) return null;
  return (
    <ul class="chips" aria-label={to ? 'Newly attached' : 'Attached'}>
      {instructions && <InstructionsChip {...instructions} />}
      {leftOut && <LeftOut {...leftOut} />}
      {chips.map((chip) =>
        chip.implicit ? (
          <ImplicitChip key="implicit" chip={chip} />
        ) : (
          <li class="chip" key={chip.id} title={titleOf(chip)}>
            <Icon name={KIND_ICONS[chip.kind]} />
            <span class="label">{chip.label}</span>
            {chip.note && <span class="size note">{chip.note}</span>}
            {chip.leftOut && <span class="heard">{chip.leftOut}</span>}
            {chip.kind === 'pasted' && (
              <IconButton
                icon="insert"
                label="Put into the text"
                onClick={() => chat.host.post({ type: 'takePasted', id: chip.id, ...(to && { to }) })}
              />
            )}
            <IconButton
              icon="close"
              label={`Remove ${chip.label}, ${sizeOf(chip)}`}
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
