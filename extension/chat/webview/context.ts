import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Chat } from './chat.ts';
import type { ChatState } from './state.ts';

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (!chat) throw new Error('No chat around this component');
  return chat;
}

/** A part of the state; the component renders again only when that part is another one. */
export function useChatState<T>(select: (state: ChatState) => T): T {
  const chat = useChat();
  const [, tell] = useState({});
  const now = select(chat.state);
  useEffect(() => {
    let seen = now;
    const look = () => {
      const next = select(chat.state);
      if (Object.is(next, seen)) return;
      seen = next;
      tell({});
    };
    look();
    return chat.subscribe(look);
    // `select` is the same question at each call.
  }, [chat]);
  return now;
}
