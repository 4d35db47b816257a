import { useLayoutEffect, useRef } from 'preact/hooks';
import { MAX_REFERENCE } from '../../../../shared/answers/fileReferences.ts';
import type { Attachment, Message } from '../../../../shared/conversations.ts';
import { deleteSelected } from '../editKeys.ts';
import { attachmentLabel, count, fullTime, isOfFile, KIND_ICONS, when } from '../format.ts';
import { sends } from '../look.ts';
import { useChat, useChatState } from '../model/context.ts';
import { useNow } from '../model/now.ts';
import type { Editing } from '../model/state.ts';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { SentPicture, Thumb } from '../parts/Picture.tsx';
import { Chips } from './Chips.tsx';
import { AttachMenu } from './ComposerMenus.tsx';
import { Mentions, useMentions } from './Mentions.tsx';
import { Refused } from './Refused.tsx';

export function UserMessage({ message }: { message: Message }) {
  const editing = useChatState((s) => (s.editing?.messageId === message.id ? s.editing : null));
  const chat = useChat();
  const editButton = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);
  useLayoutEffect(() => {
    if (wasEditing.current && !editing && document.activeElement === document.body) {
      if (editButton.current) editButton.current.focus();
      else chat.focusComposer();
    }
    wasEditing.current = editing !== null;
  }, [chat, editing]);
  if (editing) return <EditInPlace message={message} editing={editing} />;
  return (
    <article class="message user" id={`m-${message.id}`} aria-label="You">
      <div class="bubble">
        {(message.attachments?.length || message.kind === 'edit') && (
          <ul class="chips" aria-label="Attached">
            {message.kind === 'edit' && (
              <li class="chip">
                <Icon name="edit" /> Edit
              </li>
            )}
            {message.attachments?.map((a) =>
              a.kind === 'image' ? <SentPicture key={a.id} attachment={a} /> : <SentChip key={a.id} attachment={a} />,
            )}
          </ul>
        )}
        <div class="said" dir="auto">
          {message.text}
        </div>
      </div>
      <div class="actions">
        <Time at={message.createdAt} />
        <IconButton
          icon="copy"
          label="Copy"
          done="Copied"
          onClick={() => chat.host.post({ type: 'copy', text: message.text })}
        />
        {message.kind === 'chat' && (
          <IconButton
            icon="edit"
            label="Edit and send again"
            buttonRef={editButton}
            onClick={() => chat.editing.start(message.id)}
          />
        )}
      </div>
    </article>
  );
}

function Time({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={fullTime(at, now)}>
      {when(at, now)}
    </time>
  );
}

function SentChip({ attachment, onRemove }: { attachment: Attachment; onRemove?: () => void }) {
  const label = attachmentLabel(attachment);
  const { path = label, range, visible } = attachment;
  const lines = range ? `, lines ${range.start + 1}–${range.end + 1}` : '';
  const size = attachment.kind === 'image' ? '' : `, ${count(attachment.characters)} characters`;
  const chat = useChat();
  const place = useRef<HTMLSpanElement>(null);
  const line = range && range.start + 1;
  const isLink = isOfFile(attachment) && path.length <= MAX_REFERENCE;
  useLayoutEffect(() => {
    if (isLink) chat.files.link(place.current!, { path, line });
  }, [chat, isLink, path, line]);
  return (
    <li class={visible ? 'chip implicit' : 'chip'} title={`${path}${lines}${size}`}>
      {attachment.kind === 'image' ? (
        <Thumb id={attachment.id} />
      ) : (
        <Icon name={visible ? 'eye' : KIND_ICONS[attachment.kind]} />
      )}
      <span class="label">
        <span ref={place}>{label}</span>
      </span>
      {onRemove && <IconButton icon="close" label={`Remove ${label}`} onClick={onRemove} />}
    </li>
  );
}

const none: never[] = [];

/** Edits the message in place, in a small composer. The messages after it are replaced only when it is sent. */
function EditInPlace({ message, editing }: { message: Message; editing: Editing }) {
  const chat = useChat();
  const sending = useChatState((s) => s.sending !== null && s.sending.replaces === message.id);
  const refusal = useChatState((s) => (s.refusal?.replaces === message.id ? s.refusal : null));
  const edited = useChatState((s) => s.surroundings?.edited);
  const chips = edited?.messageId === message.id ? edited.chips : none;
  const sendWith = useChatState((s) => s.surroundings?.look?.sendWith);
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const area = field.current!;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }, []);
  useLayoutEffect(() => chat.takesText(message.id, field.current!, (text) => chat.editing.set({ ...editing, text })));
  const change = (part: Partial<Editing>) => chat.editing.set({ ...editing, ...part });
  const mentions = useMentions(chat, field, (text) => change({ text }), message.id);
  const list = mentions.shown;
  const kept = message.attachments?.filter((a) => editing.keep.includes(a.id)) ?? [];
  return (
    <article class="message user editing" id={`m-${message.id}`} aria-label="You, editing">
      <div class="bubble">
        {kept.length > 0 && (
          <ul class="chips" aria-label="Attached">
            {kept.map((a) => (
              <SentChip
                key={a.id}
                attachment={a}
                onRemove={() => {
                  change({ keep: editing.keep.filter((id) => id !== a.id) });
                  field.current?.focus();
                }}
              />
            ))}
          </ul>
        )}
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          defaultValue={editing.text}
          aria-label="Your message"
          aria-autocomplete="list"
          aria-controls={list ? 'mentions' : undefined}
          aria-activedescendant={list ? `mention-${list.at}` : undefined}
          onInput={(event) => {
            change({ text: event.currentTarget.value });
            mentions.look();
          }}
          onClick={mentions.look}
          onKeyUp={(event) => (event.key === 'ArrowLeft' || event.key === 'ArrowRight') && mentions.look()}
          onBlur={mentions.close}
          onPaste={(event) => {
            const area = event.currentTarget;
            const added = event.clipboardData?.getData('text/plain') ?? '';
            const kept = area.value.length - (area.selectionEnd - area.selectionStart);
            if (chat.attachesPasted(added, message.id)) {
              event.preventDefault();
              deleteSelected(area);
            } else if (!chat.accepts(added.length, kept)) event.preventDefault();
          }}
          onKeyDown={(event) => {
            if (event.isComposing || mentions.onKey(event)) return;
            if (event.key === 'Escape') chat.editing.set(null);
            else if (sends(event, sendWith)) chat.sendEdited();
            else return;
            event.preventDefault();
          }}
        />
        {list && <Mentions {...list} />}
        <Chips chips={chips} to={message.id} />
        {refusal && <Refused refusal={refusal} />}
        <div class="row">
          <AttachMenu to={message.id} />
          <span class="quiet">Replaces what follows.</span>
          <button type="button" class="button secondary" onClick={() => chat.editing.set(null)}>
            Cancel
          </button>
          <button
            type="button"
            class="button"
            disabled={sending || !editing.text.trim()}
            onClick={() => chat.sendEdited()}
          >
            Send
          </button>
        </div>
      </div>
    </article>
  );
}
