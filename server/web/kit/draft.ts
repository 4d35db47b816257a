import { useState } from 'preact/hooks';

/**
 * Text that survives a reload of its tab: in the session storage, under this key. Fields with the same key show the same
 * text only after a reload. The third function forgets the text, once it was sent.
 */
export function useDraft(key: string): [text: string, write: (text: string) => void, forget: () => void] {
  const name = `perigee.draft.${key}`;
  const [text, setText] = useState(() => read(name));
  const write = (next: string) => {
    setText(next);
    try {
      if (next === '') sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, next);
    } catch {
      // Without storage, the text is kept as long as the page is open.
    }
  };
  return [text, write, () => write('')];
}

function read(name: string): string {
  try {
    return sessionStorage.getItem(name) ?? '';
  } catch {
    return '';
  }
}
