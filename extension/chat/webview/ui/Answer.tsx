import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import type { Message } from '../../../../shared/conversations.ts';
import { costOf, enoughFor, isOfFile, tokensOf } from '../format.ts';
import { CodeBlock } from '../markdown/CodeBlock.tsx';
import { Markdown } from '../markdown/Markdown.tsx';
import { useChat, useChatState } from '../model/context.ts';
import { runningAnswer } from '../model/conversation.ts';
import { AnswerContext, ApplyAll } from '../parts/Apply.tsx';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { RequestId } from '../parts/RequestId.tsx';
import { TryAgainAt } from '../parts/TryAgainAt.tsx';
import { problemSentence } from '../parts/words.ts';
import { Checkpoints } from './Checkpoints.tsx';
import { Thinking, useIsThinking } from './Thinking.tsx';

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
  const isOffline = useChatState((s) => s.isOffline);
  const cannotAsk = useChatState((s) => s.isOffline || runningAnswer(s.conversation) !== undefined);
  const cost = costOf(message, guest);
  const isEmpty = message.state === 'complete' && message.text === '' && message.kind === 'chat';
  const isBroken = isEmpty || message.cutShort || ['failed', 'interrupted', 'stopped'].includes(message.state ?? '');
  // The box of an incomplete answer already shows the charge.
  const charged = isBroken ? chargedSentence(cost, message) : undefined;
  // The replacement of a selection is already in the editor.
  const takesApply = message.summary
    ? false
    : message.kind === 'chat' || (asked !== undefined && !isReplacement(asked));
  const file = message.kind === 'edit' ? onlyFile(asked) : undefined;
  const again = isLast ? 'Regenerate' : 'Regenerate, replacing what follows';
  return (
    <article
      class={isLast ? 'message answer last' : 'message answer'}
      id={`m-${message.id}`}
      aria-label="Answer"
      aria-busy={running}
    >
      {message.continues && <div class="continued quiet">Continued</div>}
      <Thinking message={message} />
      <AnswerContext.Provider value={takesApply ? message.id : null}>
        {message.kind === 'edit' ? (
          message.text && <EditText message={message} asked={asked} file={file} />
        ) : message.summary ? (
          <Summary message={message} isWhole={!running && !isBroken} />
        ) : (
          <Markdown text={message.text} ended={!running} />
        )}
      </AnswerContext.Provider>
      {running && isOffline && (
        <div class="answering quiet">
          <Icon name="debug-disconnect" />
          <span>Waiting for the connection</span>
        </div>
      )}
      {running && !isOffline && <Answering message={message} />}
      {isBroken && <BrokenOff message={message} isContinued={isContinued} charged={charged} />}
      {!running && takesApply && <ApplyAll messageId={message.id} text={message.text} file={file} />}
      <Checkpoints messageId={message.id} />
      {!running && (message.text || !isBroken) && (
        <footer>
          <span class="actions">
            <IconButton
              icon="copy"
              label="Copy as Markdown"
              done="Copied"
              onClick={() => chat.host.post({ type: 'copy', text: message.text })}
            />
            {message.kind === 'chat' && !message.summary && (
              <IconButton
                icon="refresh"
                label={again}
                disabled={cannotAsk}
                onClick={() => chat.regenerate(message.id)}
              />
            )}
          </span>
          <span class="cost" title={askedOf(message)}>
            <Cost message={message} cost={charged ? null : cost} />
          </span>
        </footer>
      )}
    </article>
  );
}

/** "kimi-k3, thinking: high, from a laptop" */
const askedOf = ({ model, effort, device }: Message) =>
  model && [model, effort && `thinking: ${effort}`, device && `from ${device}`].filter(Boolean).join(', ');

/** A summary of the messages before it: one line that unfolds, and whether prompts have it in place of them. */
function Summary({ message, isWhole }: { message: Message; isWhole: boolean }) {
  const chat = useChat();
  const id = useChatState((s) => s.conversation?.id ?? null);
  const [isUnfolded, unfold] = useState(false);
  const isUsed = message.summary === 'used';
  const choose = (summary: string | null) => id && chat.host.post({ type: 'summary', id, summary });
  return (
    <div class="thinking summary">
      <button type="button" aria-expanded={isUnfolded} onClick={() => unfold(!isUnfolded)}>
        <Icon name={isUnfolded ? 'chevron-down' : 'chevron-right'} />
        <span>{isWhole ? 'Compacted' : 'Summary'}:</span>
        <span class="head" dir="auto">
          {plainLine(message.text)}
        </span>
      </button>
      {isUnfolded && (
        <section class="thoughts" aria-label="Summary">
          <Markdown text={message.text} ended={message.state !== 'running'} />
        </section>
      )}
      {isWhole && (
        <span class="ways quiet">
          <span>{isUsed ? 'Stands for all messages above.' : 'Not in use: the whole conversation goes along.'}</span>
          <button type="button" class="link" onClick={() => choose(isUsed ? null : message.id)}>
            {isUsed ? 'Use the whole conversation again' : 'Use this summary'}
          </button>
        </span>
      )}
    </div>
  );
}

/** The first words of a Markdown text, without its marks. */
const plainLine = (text: string) =>
  text
    .slice(0, 200)
    .replace(/^[#>*\-\s]+/, '')
    .replace(/[*_`#]/g, '')
    .replace(/\s+/g, ' ');

/** While the model thinks, the line of its thoughts says so. */
function Answering({ message }: { message: Message }) {
  const isThinking = useIsThinking(message);
  const enough = message.clampedTo !== undefined && enoughFor(message.clampedTo);
  if (isThinking) return enough && <div class="answering quiet">What is left is {enough}</div>;
  return (
    <div class="answering quiet">
      <Icon name="loading" spin />
      <span>
        {[message.summary ? 'Summarising the conversation' : 'Answering', enough].filter(Boolean).join(' · ')}
      </span>
    </div>
  );
}

/** "0.42 credits · 1,204 in (980 cached) · 312 out". Lines break only between its parts. */
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

/** Why an answer is incomplete, what was kept, what was charged, and the next step. */
function BrokenOff({
  message,
  isContinued,
  charged,
}: {
  message: Message;
  isContinued: boolean;
  charged: string | undefined;
}) {
  const chat = useChat();
  const lost = useChatState((s) => s.conversation?.lost[message.id]);
  const stopped = message.state === 'stopped' || message.state === 'complete';
  const hasText = message.text !== '';
  const requestId = message.state === 'stopped' || message.cutShort ? '' : message.problem?.requestId || message.runId;
  const canGoOn = hasText && message.runId && message.kind === 'chat' && !isContinued && !message.summary;
  return (
    <div class={`box ${stopped ? 'calm' : 'error'}`}>
      <Icon name={stopped ? 'debug-stop' : message.state === 'interrupted' ? 'debug-disconnect' : 'error'} />
      <div>
        <span>{brokenSentence(message)}</span> {hasText && !lost && <span>What came so far is kept.</span>}{' '}
        {lost && (
          <span>
            What came so far is kept, but for its last words, which the server had not stored: <q>{lost.trim()}</q>{' '}
          </span>
        )}
        {message.problem?.retryAt && <TryAgainAt at={message.problem.retryAt} />}
        <span class="ways">
          {charged && <strong>{charged}</strong>}
          {canGoOn && (
            <button type="button" class="link" onClick={() => chat.continueRun(message.runId!)}>
              Continue
            </button>
          )}
          {message.summary && <span>The whole conversation stays in use.</span>}
          {message.kind === 'chat' && !isContinued && !message.summary && (
            <button type="button" class="link" onClick={() => chat.regenerate(message.id)}>
              Try again
            </button>
          )}
        </span>
        {requestId && <RequestId id={requestId} />}
      </div>
    </div>
  );
}

function brokenSentence(message: Message): string {
  if (message.state === 'stopped') return 'Stopped.';
  if (message.cutShort)
    return message.clampedTo === undefined ? 'Cut at its length limit.' : 'What was left bought no more.';
  if (message.state === 'complete')
    return message.thinking ? 'The model thought, and wrote no answer.' : 'The model wrote nothing.';
  const hasBegun = message.text !== '';
  if (message.problem) return problemSentence(message.problem, hasBegun);
  if (message.state !== 'interrupted') return 'The answer could not be finished.';
  return hasBegun ? 'The server stopped in the middle of the answer.' : 'The server stopped before the answer began.';
}

/** "Not charged.", or "Charged 0.13 credits." if the answer was stopped or cut short: only those are charged. */
function chargedSentence(cost: { label: string } | null, { state, cutShort }: Message): string | undefined {
  if (cost?.label === 'Not charged') return 'Not charged.';
  return cost && (state === 'stopped' || cutShort) && cost.label !== 'Free' ? `Charged ${cost.label}.` : undefined;
}

/** Whether an edit asked for the replacement of a selection; otherwise it asked for search/replace blocks. */
const isReplacement = (asked: Message) => asked.attachments?.[0]?.kind === 'selection';

function onlyFile(asked: Message | undefined): string | undefined {
  const [only, ...others] = asked?.attachments ?? [];
  return only && others.length === 0 && isOfFile(only) ? only.path : undefined;
}

/** The answer of an edit: code for the file that it was asked for, or blocks that change one or more files. */
function EditText({ message, asked, file }: { message: Message; asked: Message | undefined; file?: string }) {
  const { text } = message;
  const ended = message.state !== 'running';
  const isPlain = asked !== undefined && isReplacement(asked) && !/^\s*(?:`{3}|~{3})/.test(text);
  if (!isPlain) return <Markdown text={text} ended={ended} file={file} />;
  const language = asked.attachments![0]!.languageId ?? '';
  return <CodeBlock code={{ text, language, file, isWhole: ended, changes: null }} closed={ended} />;
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '');
}
