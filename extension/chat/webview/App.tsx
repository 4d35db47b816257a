import { useEffect, useLayoutEffect } from 'preact/hooks';
import { isWebLink } from '../../../shared/answers/answerHtml.ts';
import { wear } from './look.ts';
import { useChat, useChatState } from './model/context.ts';
import { takeFiles } from './model/dropped.ts';
import { Boundary } from './parts/Boundary.tsx';
import { Composer } from './ui/Composer.tsx';
import { TitleBar } from './ui/TitleBar.tsx';
import { Transcript } from './ui/Transcript.tsx';

export function App() {
  const chat = useChat();
  // New surroundings retry what could not be drawn.
  const surroundings = useChatState((s) => s.surroundings);
  useEffect(() => {
    const onClick = (event: MouseEvent) => {
      const file = (event.target as Element).closest?.<HTMLElement>('.file');
      if (file) chat.files.open(file.dataset);
      const link = (event.target as Element).closest?.('a');
      if (!link) return;
      // The page never navigates: the host asks the user and opens the link.
      event.preventDefault();
      const href = link.getAttribute('href') ?? '';
      if (isWebLink(href)) chat.host.post({ type: 'openLink', href: href.slice(0, 8000) });
    };
    const onKey = (event: KeyboardEvent) => {
      const file = event.key === 'Enter' && (event.target as Element).closest?.<HTMLElement>('.file');
      if (file) chat.files.open(file.dataset);
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
      if (chat.state.history.open) chat.history.close();
      else if (chat.state.help) chat.showHelp(false);
      else if (chat.canStop()) chat.stop();
      else if (chat.state.refusal || chat.state.hint) chat.dismissRefusal();
    };
    document.addEventListener('click', onClick);
    document.addEventListener('auxclick', onClick);
    document.addEventListener('keydown', onKey);
    const stopTaking = takeFiles(chat);
    return () => {
      stopTaking();
      document.removeEventListener('click', onClick);
      document.removeEventListener('auxclick', onClick);
      document.removeEventListener('keydown', onKey);
    };
  }, [chat]);
  const look = useChatState((s) => s.surroundings?.look);
  useLayoutEffect(() => wear(look), [look]);
  return (
    <div class="app">
      <Boundary of={surroundings} instead={null}>
        <TitleBar />
      </Boundary>
      <Shown />
      <Composer />
      <Announcer />
    </div>
  );
}

function Shown() {
  const conversation = useChatState((s) => s.conversation);
  return (
    <Boundary of={conversation} instead={<main class="transcript" aria-label="Conversation" />}>
      {conversation ? <Transcript /> : <main class="transcript" aria-busy="true" aria-label="Conversation" />}
    </Boundary>
  );
}

/** The one live region (polite) for all announcements. The log itself is not live, or each token would be read out. */
function Announcer() {
  const { text, n } = useChatState((s) => s.spoken);
  return (
    <div class="heard" role="status" aria-live="polite" aria-atomic="true">
      <span key={n}>{text}</span>
    </div>
  );
}
