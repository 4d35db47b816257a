import { useEffect, useState } from 'preact/hooks';
import type { Attachment } from '../../../../shared/conversations.ts';
import { count, counted, picturesIn } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { Icon } from './Icon.tsx';

const none: never[] = [];

/** What is known of a picture: its address, or why there is none. */
function usePicture(id: string): { url?: string; why?: string } | undefined {
  const chat = useChat();
  const picture = useChatState((s) => s.pictures[id]);
  useEffect(() => chat.pictures.ask(id), [chat, id]);
  return picture;
}

/** A picture in a chip. */
export function Thumb({ id }: { id: string }) {
  const url = usePicture(id)?.url;
  return url ? <img class="thumb" src={url} alt="" /> : <Icon name="file-media" />;
}

/** A picture of a sent message: small, and as large as the view is wide on a click. */
export function SentPicture({ attachment }: { attachment: Attachment }) {
  const { id, path = 'Picture', image } = attachment;
  const picture = usePicture(id);
  const [isLarge, setLarge] = useState(false);
  const size = image ? `, ${count(image.width)} × ${count(image.height)} pixels` : '';
  return (
    <li class={`picture ${isLarge ? 'large' : ''}`} title={`${path}${size}`}>
      {picture?.url ? (
        <button type="button" class="plain" aria-expanded={isLarge} onClick={() => setLarge(!isLarge)}>
          <img src={picture.url} alt={path} />
        </button>
      ) : (
        <span class="missing">
          <Icon name="file-media" />
          <span class="label">
            {path}
            {picture?.why && <span> · {picture.why}</span>}
          </span>
        </span>
      )}
    </li>
  );
}

/** Says that the chosen model does not get the pictures of the chat so far. */
export function Unseen() {
  const pictures = useChatState((s) => picturesIn(s.conversation?.messages ?? none));
  const model = useChatState((s) => s.surroundings?.models.find(({ id }) => id === s.surroundings?.modelId));
  if (!model || model.vision || pictures === 0) return null;
  const which = pictures === 1 ? 'the picture' : `the ${counted(pictures, 'picture')}`;
  return (
    <div class="box calm unseen">
      <Icon name="file-media" />
      <div>
        {model.name} reads no pictures: {which} above {pictures === 1 ? 'is' : 'are'} left out for it.
      </div>
    </div>
  );
}
