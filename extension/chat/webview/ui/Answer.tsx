import { Fragment } from 'preact';
import type { Message } from '../../../../shared/conversations.ts';
import { useChat, useChatState } from '../context.ts';
import { costOf, tokensOf } from '../format.ts';
import { CodeBlock } from '../markdown/CodeBlock.tsx';
import { Markdown } from '../markdown/Markdown.tsx';
import { Icon, IconButton } from './Icon.tsx';
import { problemSentence } from './words.ts';

interface AnswerProps {
  message: Message;
  asked: Message | undefined;
  isLast: boolean;
  isContinued: boolean;
}

export function Answer({ message, asked, isLast, isContinued }: AnswerProps) {
  const chat = useChat();
  const guest = useChatState((s) => s.surroundings?.account?.kind === 'guest');
  const running = message.state === 'running';
  const cost = costOf(message, guest);
  const isEmpty = message.state === 'complete' && message.text === '' && message.kind === 'chat';
  const isBroken = isEmpty || ['failed', 'interrupted', 'stopped'].includes(message.state ?? '');
  // An answer that broke off says in its box that it was not charged.
  const isTold = isBroken && cost?.label === 'Not charged';
  const again = isLast ? 'Regenerate' : 'Regenerate, replacing what follows';
  return (
    <article class="message answer" id={`m-${message.id}`} aria-label="Answer" aria-busy={running}>
      {message.continues && <div class="continued quiet">Continued</div>}
      {message.kind === 'edit' ? (
        message.text && <EditText message={message} asked={asked} />
      ) : (
        <Markdown text={message.text} ended={!running} />
      )}
      {running && (
        <div class="answering quiet">
          <Icon name="loading" spin /> Answering
        </div>
      )}
      {isBroken && <BrokenOff message={message} isContinued={isContinued} notCharged={cost?.label === 'Not charged'} />}
      {!running && (message.text || !isBroken) && (
        <footer>
          <span class="actions">
            <IconButton
              icon="copy"
              label="Copy"
              done="Copied"
              onClick={() => chat.host.post({ type: 'copy', text: message.text })}
            />
            {message.kind === 'chat' && (
              <IconButton icon="refresh" label={again} onClick={() => chat.regenerate(message.id)} />
            )}
          </span>
          <span
            class="cost"
            title={message.model && `${message.model}${message.device ? `, from ${message.device}` : ''}`}
          >
            <Cost message={message} cost={isTold ? null : cost} />
          </span>
        </footer>
      )}
    </article>
  );
}

/** "0.42 credits · 1,204 in (980 cached) · 312 out": breaks only between its parts. */
function Cost({ message, cost }: { message: Message; cost: { label: string; why?: string } | null }) {
  const tokens = tokensOf(message);
  return (
    <>
      {cost && (
        <span class={cost.why ? 'why' : undefined}>{cost.why ? `${cost.label}: ${lower(cost.why)}` : cost.label}</span>
      )}
      {tokens.map((part, i) => (
        <Fragment key={part}>
          {i > 0 && part.startsWith('(') ? ' ' : (i > 0 || cost) && ' · '}
          <span>{part}</span>
        </Fragment>
      ))}
    </>
  );
}

/** What became of an answer that has not come to its end, what was kept, what was charged, and the way on. */
function BrokenOff({
  message,
  isContinued,
  notCharged,
}: {
  message: Message;
  isContinued: boolean;
  notCharged: boolean;
}) {
  const chat = useChat();
  const stopped = message.state === 'stopped' || message.state === 'complete';
  const hasText = message.text !== '';
  const canGoOn = hasText && message.runId && message.kind === 'chat' && !isContinued;
  return (
    <div class={`box ${stopped ? 'calm' : 'error'}`}>
      <Icon name={stopped ? 'debug-stop' : message.state === 'interrupted' ? 'debug-disconnect' : 'error'} />
      <div>
        <span>{brokenSentence(message)}</span> {hasText && <span>What came so far is kept.</span>}{' '}
        <span class="ways">
          {notCharged && <strong>Not charged.</strong>}
          {canGoOn && (
            <button type="button" class="link" onClick={() => chat.continueRun(message.runId!)}>
              Continue
            </button>
          )}
          {message.kind === 'chat' && !isContinued && (
            <button type="button" class="link" onClick={() => chat.regenerate(message.id)}>
              Try again
            </button>
          )}
        </span>
      </div>
    </div>
  );
}

function brokenSentence(message: Message): string {
  if (message.state === 'stopped') return 'Stopped.';
  if (message.state === 'complete') return 'The model wrote nothing.';
  if (message.problem) return problemSentence(message.problem);
  return message.state === 'interrupted'
    ? 'The server stopped in the middle of the answer.'
    : 'The answer could not be finished.';
}

/** The answer of an edit is code for the file it was asked for. */
function EditText({ message, asked }: { message: Message; asked: Message | undefined }) {
  const of = asked?.attachments?.[0];
  return (
    <CodeBlock
      text={message.text}
      language={of?.languageId ?? ''}
      file={of?.path}
      closed={message.state !== 'running'}
    />
  );
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '');
}
