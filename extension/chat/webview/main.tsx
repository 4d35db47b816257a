import { render } from 'preact';
import { App } from './App.tsx';
import { keepEditKeys } from './editKeys.ts';
import { copyAsWritten } from './markdown/math.ts';
import { Chat } from './model/chat.ts';
import { connectHost } from './model/connect.ts';
import { ChatContext } from './model/context.ts';
import '../../../shared/math/math.css';
import './styles/base.css';
import './styles/transcript.css';
import './styles/markdown.css';
import './styles/composer.css';
import './styles/panels.css';

const host = connectHost((document.currentScript as HTMLScriptElement | null)?.dataset.scope ?? '');
const chat = new Chat(host);

// Each distinct page error is sent once to the host's log, without any text that the user or the model wrote.
const told = new Set<string>();
function failed(error: unknown): void {
  const stack =
    error instanceof Error ? `${error.name} ${(error.stack ?? '').replace(error.message, '…')}` : 'not an error';
  if (told.has(stack) || told.size > 20) return;
  told.add(stack);
  host.post({ type: 'failed', message: stack.slice(0, 2000) });
}
window.addEventListener('error', (event) => failed(event.error));
window.addEventListener('unhandledrejection', (event) => failed(event.reason));

for (const type of ['blur', 'pagehide']) window.addEventListener(type, () => chat.composing.flush());
document.addEventListener('copy', copyAsWritten);
document.addEventListener('keydown', keepEditKeys);
document.addEventListener('visibilitychange', () => chat.composing.flush());

render(
  <ChatContext.Provider value={chat}>
    <App />
  </ChatContext.Provider>,
  document.getElementById('app')!,
);
host.post({ type: 'ready' });
