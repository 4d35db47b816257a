import type { Chip, Surroundings } from '../../protocol.ts';
import { count, counted } from '../format.ts';
import { useChat } from '../model/context.ts';
import { Icon, IconButton } from '../parts/Icon.tsx';

/** The implicit context of the next message, in a lighter style than attachments. */
export function ImplicitChip({ chip }: { chip: Chip }) {
  const chat = useChat();
  const { label, path, range, tokens, lines: many, implicit } = chip;
  // The icon shows that it is the visible part.
  const name = (implicit === 'visible' && path?.split('/').at(-1)) || label;
  const about = `about ${count(tokens)} tokens`;
  const lines = range ? `, lines ${range.start + 1}–${range.end + 1}` : '';
  return (
    <li class="chip implicit" title={`${path ?? label}${lines}, ${about}. It goes along because the editor shows it.`}>
      <Icon name={implicit === 'visible' ? 'eye' : 'list-selection'} />
      <span class="label">{name}</span>
      {many !== undefined && <span class="size">{counted(many, 'line')}</span>}
      <IconButton
        icon="close"
        label={`Leave out ${label}, ${about}`}
        onClick={() => {
          chat.host.post({ type: 'detach', id: chip.id });
          chat.say(`${label} does not go along`);
          chat.focusComposer();
        }}
      />
    </li>
  );
}

/** What the editor shows but is not sent: the user excluded it here, or `why` tells the reason. */
export function LeftOut({ label, why }: NonNullable<Surroundings['leftOut']>) {
  const chat = useChat();
  if (why)
    return (
      <li class="chip implicit out" title={why}>
        <Icon name="circle-slash" />
        <span class="label">{label}</span>
        <span class="size">too large</span>
        <span class="heard">{why}</span>
      </li>
    );
  return (
    <li class="chip implicit out">
      <button
        type="button"
        class="plain"
        title={`Send ${label} along`}
        aria-label={`Send ${label} along`}
        onClick={() => {
          chat.host.post({ type: 'attachImplicit' });
          chat.say(`${label} goes along`);
          chat.focusComposer();
        }}
      >
        <Icon name="add" />
        <span class="label">{label}</span>
      </button>
    </li>
  );
}
