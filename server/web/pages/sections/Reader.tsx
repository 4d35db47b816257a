import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { saysThought } from '../../../../shared/answers/thoughts.ts';
import type { Attachment, Conversation, Message } from '../../../../shared/conversations.ts';
import { asFailure, type CallFailed, call } from '../../kit/api.ts';
import { spent } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { When } from '../../kit/now.tsx';
import { Failure, Loading } from '../../kit/parts.tsx';
import { renderMarkdown } from '../markdown.ts';

const STATES: Record<NonNullable<Message['state']>, string> = {
  running: 'still answering',
  complete: '',
  stopped: 'stopped',
  interrupted: 'interrupted',
  failed: 'failed',
};

/** Shows one conversation; earlier messages load page by page. */
export function Reader({ id }: { id: string }) {
  const newest = useResource<Conversation>(`/api/conversations/${id}`, ['conversation']);
  const [earlier, setEarlier] = useState<{ messages: Message[]; before: string | null }>();
  const [failure, setFailure] = useState<CallFailed>();
  const back = (
    <p>
      <a href="#conversations">All conversations</a>
    </p>
  );
  if (newest.failure && !newest.value)
    return (
      <>
        {back}
        <Failure failure={newest.failure} again={newest.reload} />
      </>
    );
  if (!newest.value) return <Loading />;
  const { title, messages } = newest.value;
  const before = earlier ? earlier.before : newest.value.before;
  const known = new Set(messages.map((message) => message.id));
  const all = [...(earlier?.messages.filter((message) => !known.has(message.id)) ?? []), ...messages];
  const loadEarlier = () =>
    call<Conversation>('GET', `/api/conversations/${id}?before=${before}`).then(
      (page) => setEarlier({ messages: [...page.messages, ...(earlier?.messages ?? [])], before: page.before }),
      (error) => setFailure(asFailure(error)),
    );
  return (
    <>
      {back}
      <h2>{title}</h2>
      <p>
        <a href={`/api/conversations/${id}/export`} download>
          Save as Markdown
        </a>
      </p>
      {failure && <Failure failure={failure} />}
      {before && (
        <button type="button" class="quiet" onClick={() => void loadEarlier()}>
          Earlier messages
        </button>
      )}
      {all.map((message) => (
        <Said key={message.id} message={message} />
      ))}
    </>
  );
}

function Said({ message }: { message: Message }) {
  const { role, text, state, attachments, problem } = message;
  const isAnswer = role === 'assistant';
  const ended = state ? STATES[state] : '';
  return (
    <article class={isAnswer ? 'answer' : 'question'} aria-label={isAnswer ? 'Answer' : 'You'}>
      <p class="soft">
        {isAnswer ? (message.model ?? 'Answer') : 'You'} · <When at={message.createdAt} />
        {ended && ` · ${ended}`}
        {message.chargedMicro !== undefined && ` · ${spent(message.chargedMicro)}`}
      </p>
      {attachments && attachments.length > 0 && (
        <ul class="tags">
          {attachments.map((attachment) => (
            <li key={attachment.id} class={attachment.image ? 'picture' : 'tag'}>
              {attachment.image ? <Picture attachment={attachment} /> : nameOf(attachment)}
            </li>
          ))}
        </ul>
      )}
      {message.thinking && <Thinking thinking={message.thinking} />}
      {isAnswer ? (
        <Answer text={text} />
      ) : (
        <div class="plain" dir="auto">
          {text}
        </div>
      )}
      {problem && (
        <p class="problem-text">
          {problem.title}. {problem.detail}
        </p>
      )}
    </article>
  );
}

/** A picture, which opens by itself at its full size. */
function Picture({ attachment: { id, path = 'Picture', image } }: { attachment: Attachment }) {
  const at = `/api/attachments/${id}`;
  return (
    <a href={at} target="_blank" rel="noopener">
      <img src={at} alt={path} title={path} width={image?.width} height={image?.height} loading="lazy" />
    </a>
  );
}

function nameOf({ kind, path }: Attachment): string {
  if (kind === 'pasted') return `pasted, ${path}`;
  return path ?? (kind === 'instructions' ? 'Your own instructions' : kind);
}

/** The thoughts before an answer, drawn when they are unfolded. */
function Thinking({ thinking: { text, ms } }: { thinking: NonNullable<Message['thinking']> }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="thoughts" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{saysThought(ms)}</summary>
      {isOpen && <Answer text={text.trimEnd()} />}
    </details>
  );
}

function Answer({ text }: { text: string }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => place.current!.replaceChildren(...renderMarkdown(text)), [text]);
  return <div class="markdown" ref={place} />;
}
