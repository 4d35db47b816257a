import type { Model } from '../../../../shared/models.ts';
import type { Chip } from '../../protocol.ts';
import { count, KIND_ICONS, withTimes } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { Thumb } from '../parts/Picture.tsx';
import { ImplicitChip, LeftOut } from './ImplicitChip.tsx';
import { InstructionsChip } from './InstructionsChip.tsx';

const titleOf = (chip: Chip) => {
  const { kind, label, path = label, note, leftOut } = chip;
  const what = kind === 'pasted' ? label : path;
  return [`${what}${note ? `: ${note}` : ''}, ${sizeOf(chip)}`, ...(leftOut ? [leftOut] : [])].join('. ');
};

/** The search for what fits a question is bounded, and its size is known only when it is sent. */
const sizeOf = ({ kind, tokens }: Chip) => `${kind === 'found' ? 'at most' : 'about'} ${count(tokens)} tokens`;

/** What a picture's chip says where the model reads none. */
const unseenBy = (model: Model | undefined) =>
  model && !model.vision ? { note: 'not for this model', leftOut: `${model.name} reads no pictures.` } : {};

/** The attachments of the composer, or of an earlier message that is being edited (`to`). */
export function Chips({ chips, to }: { chips: Chip[]; to?: string }) {
  const chat = useChat();
  const left = useChatState((s) => s.surroundings?.leftOut);
  const guidance = useChatState((s) => s.surroundings?.instructions);
  const model = useChatState((s) => s.surroundings?.models.find(({ id }) => id === s.surroundings?.modelId));
  const seen = chips.map((chip) => (chip.kind === 'image' ? { ...chip, ...unseenBy(model) } : chip));
  const [leftOut, instructions] = to === undefined ? [left, guidance] : [];
  if (!chips.length && !leftOut && !instructions) return null;
  return (
    <ul class="chips" aria-label={to ? 'Newly attached' : 'Attached'}>
      {instructions && <InstructionsChip {...instructions} />}
      {leftOut && <LeftOut {...leftOut} />}
      {seen.map((chip) =>
        chip.implicit ? (
          <ImplicitChip key="implicit" chip={chip} />
        ) : (
          <li class={chip.kind === 'image' ? 'chip image' : 'chip'} key={chip.id} title={titleOf(chip)}>
            {chip.kind === 'image' ? (
              <Thumb id={chip.id} />
            ) : (
              <Icon
                name={chip.isReading ? 'loading' : chip.failed ? 'warning' : KIND_ICONS[chip.kind]}
                spin={chip.isReading}
              />
            )}
            <span class="label">{chip.label}</span>
            {(chip.kind === 'page' || chip.kind === 'image') && !chip.failed && !chip.note && (
              <span class="size">{chip.isReading ? 'is being read' : `${count(chip.tokens)} tokens`}</span>
            )}
            {chip.note && <span class="size note">{chip.note}</span>}
            {chip.leftOut && <span class="heard">{chip.leftOut}</span>}
            {chip.failed && (
              <IconButton
                icon="refresh"
                label={`Read ${chip.label} again`}
                onClick={() => chat.host.post({ type: 'readPage', id: chip.id, ...(to && { to }) })}
              />
            )}
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
      {chips.map(
        ({ id, label, failed }) =>
          failed && (
            <li class="failed" key={`failed ${id}`} role="alert">
              {label}: {withTimes(failed)}
            </li>
          ),
      )}
    </ul>
  );
}
