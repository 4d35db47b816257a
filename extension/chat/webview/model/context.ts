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

/** A part of the state; the component renders again only when that part is another one. */
export function useChatState<T>(select: (state: ChatState) => T): T {
  const chat = useChat();
  const [, tell] = useState({});
  const now = select(chat.state);
  // What is asked may change from one rendering to the next: a code block has no name before it has ended.
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
