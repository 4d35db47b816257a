import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { meter } from '../../../../shared/money/meter.ts';
import { deleteSelected } from '../editKeys.ts';
import { count, counted, enoughFor, saysSomething, whatIsLeft } from '../format.ts';
import { sendKey, sends } from '../look.ts';
import { useChat, useChatState } from '../model/context.ts';
import { runningAnswer } from '../model/conversation.ts';
import { conversationBytes, forecastAnswer } from '../model/forecast.ts';
import { Boundary } from '../parts/Boundary.tsx';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { Unseen } from '../parts/Picture.tsx';
import { signInFor } from '../parts/words.ts';
import { Chips } from './Chips.tsx';
import { AttachMenu, ModelMenu } from './ComposerMenus.tsx';
import { ContextRing } from './ContextRing.tsx';
import { Help } from './Help.tsx';
import { Mentions, useMentions } from './Mentions.tsx';
import { Queue } from './Queue.tsx';
import { Refused } from './Refused.tsx';
import { Standing } from './Standing.tsx';
import { useSlash } from './slash.ts';

const none: never[] = [];

export function Composer() {
  const chat = useChat();
  const draft = useChatState((s) => s.draft);
  const refusal = useChatState((s) => (s.refusal && !s.refusal.replaces ? s.refusal : null));
  const hint = useChatState((s) => s.hint);
  const surroundings = useChatState((s) => s.surroundings);
  return (
    <section class="composer-place" aria-label="Message">
      <div class="column">
        <Boundary of={surroundings} instead={null}>
          <Standing />
        </Boundary>
        {refusal && <Refused refusal={refusal} />}
        {hint && (
          <div class="box calm hint">
            <Icon name="info" />
            <div>{hint.text}</div>
            <IconButton icon="close" label="Dismiss" onClick={() => chat.dismissRefusal()} />
          </div>
        )}
        <LeftBefore />
        <Help />
        <Queue />
        <Unseen />
        <Box draft={draft} />
        <Boundary of={surroundings} instead={null}>
          <Left />
        </Boundary>
      </div>
    </section>
  );
}

/** How many characters of the earlier text are shown as a reminder. */
const MAX_TOLD = 200;

/** The text that was in the composer before the user typed something else. It comes back by itself, or on a click. */
function LeftBefore() {
  const chat = useChat();
  const aside = useChatState((s) => s.aside);
  if (!aside) return null;
  const { text, chips } = aside;
  const attached = chips.length > 0 ? counted(chips.length, 'attachment') : '';
  return (
    <div class="box calm before">
      <Icon name="history" />
      <div>
        Left here before: {text && <q>{text.length > MAX_TOLD ? `${text.slice(0, MAX_TOLD)}…` : text}</q>}
        {text && attached && ', '}
        {attached}{' '}
        <span class="ways">
          <button
            type="button"
            class="link"
            title="It comes back by itself when this is sent"
            onClick={() => chat.putBack()}
          >
            Put it in front
          </button>
        </span>
      </div>
    </div>
  );
}

function Box({ draft }: { draft: string }) {
  const chat = useChat();
  const field = useRef<HTMLTextAreaElement>(null);
  const sending = useChatState((s) => s.sending !== null);
  const running = useChatState((s) => runningAnswer(s.conversation) !== undefined);
  const isOffline = useChatState((s) => s.isOffline);
  const sendWith = useChatState((s) => s.surroundings?.look?.sendWith);
  const mentions = useMentions(chat, field, (text) => chat.setDraft(text));
  const slash = useSlash(chat, field);
  const list = mentions.shown ?? slash.shown;
  const look = () => {
    mentions.look();
    slash.look();
  };
  const attached = useChatState((s) => s.surroundings?.chips ?? none);
  const aside = useChatState((s) => s.aside);
  const chips = aside ? attached.filter(({ id }) => !aside.chips.includes(id)) : attached;
  useLayoutEffect(() => {
    const area = field.current!;
    if (area.value === draft) return;
    area.value = draft;
    area.setSelectionRange(draft.length, draft.length);
  }, [draft]);
  // Before the first paint, so that a key pressed as soon as the box is visible goes into it.
  useLayoutEffect(() => {
    // Unless the host requests it, only if the view has the focus: never take the focus from the editor.
    const focus = (evenUnfocused = false) => {
      if (evenUnfocused || document.hasFocus()) field.current?.focus();
    };
    const onFocus = () => {
      if ((document.activeElement ?? document.body) === document.body) focus();
    };
    chat.focusComposer = focus;
    onFocus();
    window.addEventListener('focus', onFocus);
    return () => window.removeEventListener('focus', onFocus);
  }, [chat]);

  useLayoutEffect(() => chat.takesText('', field.current!, (text) => chat.setDraft(text)), [chat]);

  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing || mentions.onKey(event) || slash.onKey(event)) return;
    const area = field.current!;
    if (sends(event, sendWith)) {
      event.preventDefault();
      chat.sendDraft();
    } else if (event.key === 'ArrowUp' && area.value === '' && chat.editLast()) event.preventDefault();
  };
  const onTooLong = (added: string | undefined, event: Event) => {
    const area = field.current!;
    const kept = area.value.length - (area.selectionEnd - area.selectionStart);
    if (added && !chat.accepts(added.length, kept)) event.preventDefault();
  };
  return (
    <div class="composer">
      {list && <Mentions {...list} />}
      <Chips chips={chips} />
      <textarea
        dir="auto"
        ref={field}
        // A box that fits its text needs a new layout for each key, so a very long text gets a fixed height.
        class={draft.length > 20_000 ? 'long' : undefined}
        rows={1}
        placeholder="Ask, or type @ or /"
        aria-label="Message"
        aria-autocomplete="list"
        aria-controls={list ? 'mentions' : undefined}
        aria-activedescendant={list ? `mention-${list.at}` : undefined}
        onInput={(event) => {
          chat.setDraft(event.currentTarget.value);
          look();
        }}
        onClick={look}
        onKeyUp={(event) => (event.key === 'ArrowLeft' || event.key === 'ArrowRight') && look()}
        onBlur={() => {
          mentions.close();
          slash.close();
        }}
        onKeyDown={onKey}
        onPaste={(event) => {
          const added = event.clipboardData?.getData('text/plain');
          if (chat.attachesPasted(added ?? '')) {
            event.preventDefault();
            deleteSelected(event.currentTarget);
          } else onTooLong(added, event);
        }}
        onDrop={(event) => onTooLong(event.dataTransfer?.getData('text/plain'), event)}
      />
      <div class="row">
        <AttachMenu />
        <ModelMenu />
        <span class="space" />
        <ContextRing />
        {running && !isOffline && (
          <IconButton
            icon="debug-stop"
            label="Stop (Escape)"
            class="send"
            onClick={() => {
              chat.stop();
              field.current?.focus();
            }}
          />
        )}
        {(!running || isOffline || saysSomething(draft)) && (
          <button
            type="button"
            class={`icon-button send ${running ? 'later' : ''}`}
            title={`${running ? 'Send when the answer is done' : 'Send'} (${sendKey(sendWith)})`}
            aria-label={running ? 'Send when the answer is done' : 'Send'}
            disabled={sending || !saysSomething(draft)}
            onClick={() => {
              chat.sendDraft();
              field.current?.focus();
            }}
          >
            <Icon name={sending ? 'loading' : 'arrow-up'} spin={sending} />
          </button>
        )}
      </div>
    </div>
  );
}

/** The quota that is left, below the composer. Never the context. */
function Left() {
  const chat = useChat();
  const balance = useChatState((s) => s.surroundings?.balance ?? null);
  const account = useChatState((s) => s.surroundings?.account ?? null);
  const connection = useChatState((s) => s.surroundings?.connection.state ?? 'connecting');
  const signInCredits = useChatState((s) => s.surroundings?.signInCredits);
  const isLow = balance !== null && meter(balance, account?.kind ?? 'member').severity !== 'normal';
  if (!balance) return <div class="left quiet">{connection === 'connecting' ? 'Connecting' : ' '}</div>;
  return (
    <div class="left quiet">
      <span>
        <button type="button" class="plain" title="Credits and use" onClick={() => chat.command('showQuota')}>
          {isLow && <Icon name="warning" />}
          {whatIsLeft(balance, account)}
        </button>
        {account?.kind === 'guest' && signInCredits !== undefined && (
          <>
            {' · '}
            <button type="button" class="link" onClick={() => chat.command('signIn')}>
              {signInFor(signInCredits)}
            </button>
          </>
        )}
      </span>
      <Enough />
    </div>
  );
}

/** Warns before sending that the balance buys only a shorter answer than usual, or none. */
function Enough() {
  const surroundings = useChatState((s) => s.surroundings);
  const messages = useChatState((s) => s.conversation?.messages ?? none);
  const hasEarlier = useChatState((s) => (s.conversation?.before ?? null) !== null);
  const running = useChatState((s) => runningAnswer(s.conversation) !== undefined);
  const draft = useChatState((s) => s.draft);
  const contextTokens = surroundings?.contextTokens ?? 0;
  const vision = surroundings?.models.find(({ id }) => id === surroundings.modelId)?.vision;
  // A running answer's text changes in each frame, and part of its hold returns.
  const soFarBytes = useMemo(
    () => (running ? 0 : conversationBytes(messages, hasEarlier, contextTokens, vision)),
    [messages, hasEarlier, contextTokens, vision, running],
  );
  if (!surroundings || running || surroundings.connection.state !== 'ok') return null;
  // A guest's messages are counted elsewhere, and a banner reports an empty balance.
  if (surroundings.account?.kind !== 'member' || (surroundings.balance?.availableMicro ?? 0) <= 0) return null;
  const forecast = forecastAnswer({ surroundings, soFarBytes, draft });
  if (!forecast || forecast.kind === 'whole') return null;
  const isShort = forecast.kind === 'short';
  const title = isShort
    ? `This is the most. Credits that the answer does not use return. Usual answers have up to ${count(forecast.usual)} tokens.`
    : 'Send less, choose a cheaper model, or add credits.';
  return (
    <div class="enough" role="status" title={title}>
      {isShort ? capitalised(enoughFor(forecast.tokens)) : 'Not enough left for this message'}
    </div>
  );
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
