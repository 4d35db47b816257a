import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import type { Mention, SlashCommand } from '../../protocol.ts';
import type { Chat } from '../model/chat.ts';
import { useChatState } from '../model/context.ts';
import { listKeys } from '../parts/listKeys.ts';

const none: never[] = [];

/** The commands that fit the word after a slash at the beginning of the message, and the keys that choose one. */
export function useSlash(chat: Chat, area: RefObject<HTMLTextAreaElement | null>) {
  const commands = useChatState((s) => s.surroundings?.commands ?? none);
  /** The word, up to the cursor; null while no command is being typed. */
  const [word, setWord] = useState<string | null>(null);
  const [at, setAt] = useState(0);
  // The host may have put another text there.
  const isThere = useChatState((s) => word !== null && s.draft.startsWith(`/${word}`));
  const found = word === null || !isThere ? none : fitting(commands, word);
  const attach = (name: string) => {
    const known = commands.find((command) => command.name.toLowerCase() === name.toLowerCase());
    if (known?.attaches) chat.host.post({ type: 'slash', name: known.name });
  };
  const close = () => setWord(null);
  const look = () => {
    const field = area.current;
    const isCursor = field && field.selectionStart === field.selectionEnd;
    const before = isCursor ? field.value.slice(0, field.selectionStart) : '';
    // The first blank after a whole command is its choice.
    if (word !== null && /\s$/.test(before) && before.slice(1, -1) === word) attach(word);
    const now = before.startsWith('/') && before.length < 200 && !/\s/.test(before) ? before.slice(1) : null;
    if (now === word) return;
    if (word === null) chat.host.post({ type: 'listCommands' });
    setWord(now);
    setAt(0);
  };
  const choose = ({ id: name }: Mention) => {
    const field = area.current;
    if (!field || word === null || !field.value.startsWith(`/${word}`)) return close();
    close();
    field.focus();
    // The cursor may stand within the command, or right before other words.
    const typed = /^\S+/.exec(field.value)?.[0] ?? '';
    const isPart = `/${name}`.toLowerCase().startsWith(typed.toLowerCase());
    const rest = field.value.slice(isPart ? typed.length : word.length + 1);
    // These two need no more words. What stands there already goes along into the new chat, when it is sent.
    if (name === 'help' || (name === 'new' && rest.trim() === '')) {
      chat.setDraft(rest.trimStart());
      return name === 'help' ? chat.showHelp(true) : chat.newChat();
    }
    const head = `/${name} `;
    field.setRangeText(head, 0, field.value.length - rest.length + (/^\s/.test(rest) ? 1 : 0));
    field.setSelectionRange(head.length, head.length);
    chat.setDraft(field.value);
    attach(name);
    chat.say(`Command ${name}`);
  };
  const items = found.map(toItem);
  const onKey = (event: KeyboardEvent): boolean =>
    items.length > 0 && listKeys(event, { items, at, setAt, choose, close });
  const shown = items.length > 0 ? { label: 'Commands', items, at, choose, point: setAt } : null;
  return { look, close, onKey, shown };
}

/** First those that begin with the word, then those that contain it. */
function fitting(commands: readonly SlashCommand[], word: string): SlashCommand[] {
  const wanted = word.toLowerCase();
  const rank = ({ name }: SlashCommand) => (name.toLowerCase().startsWith(wanted) ? 0 : 1);
  return commands.filter(({ name }) => name.toLowerCase().includes(wanted)).sort((a, b) => rank(a) - rank(b));
}

const toItem = ({ name, icon, detail, note }: SlashCommand): Mention => ({
  ...{ id: name, icon, label: `/${name}` },
  detail: note ? `${detail} · ${note}` : detail,
});
