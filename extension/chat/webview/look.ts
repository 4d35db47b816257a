import type { ChatLook } from '../protocol.ts';

/**
 * Gives the page the font that the settings ask for. By the style's own properties, which the page's policy allows, and
 * which can't be left for another rule.
 */
export function wear({ fontSize, fontFamily }: Partial<ChatLook> = {}): void {
  const { style } = document.documentElement;
  const set = (name: string, value: string | undefined) =>
    value === undefined ? style.removeProperty(name) : style.setProperty(name, value);
  set('--chat-font-size', fontSize === undefined ? undefined : `${fontSize}px`);
  set('--chat-code-size', fontSize === undefined ? undefined : `${fontSize}px`);
  // A value that CSS can't read would give the browser's own font.
  const isFont = fontFamily !== undefined && CSS.supports('font-family', fontFamily);
  set('--chat-font-family', isFont ? fontFamily : undefined);
}

/** Whether a key press means "send"; the other Enter breaks the line. */
export function sends(event: KeyboardEvent, sendWith: ChatLook['sendWith'] = 'Enter'): boolean {
  if (event.key !== 'Enter' || event.shiftKey) return false;
  return sendWith === 'Enter' || event.ctrlKey || event.metaKey;
}

/** The key's name on this machine. */
export function sendKey(sendWith: ChatLook['sendWith'] = 'Enter'): string {
  return sendWith === 'Ctrl+Enter' && /Mac/.test(navigator.userAgent) ? 'Cmd+Enter' : sendWith;
}
