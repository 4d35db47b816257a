import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { Chat } from './chat.ts';
import type { ChatState } from './state.ts';

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (!chat) throw new Error('No chat around this component');
  return chat;
}

/** Selects a part of the state. The component renders again only when that part changes. */
export function useChatState<T>(select: (state: ChatState) => T): T {
  const chat = useChat();
  const [, tell] = useState({});
  const now = select(chat.state);
  // The selected part may change between renderings: a code block has no id before it is complete.
  const last = useRef({ select, now });
  last.current = { select, now };
  useEffect(() => {
    const look = () => {
      if (!Object.is(last.current.select(chat.state), last.current.now)) tell({});
    };
    look();
    return chat.subscribe(look);
  }, [chat]);
  return now;
}
