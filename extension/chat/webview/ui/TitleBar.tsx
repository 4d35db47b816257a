import { useEffect, useRef, useState } from 'preact/hooks';
import { useChat, useChatState } from '../model/context.ts';
import { Confirm, RenameField } from '../parts/fields.tsx';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { Menu, type MenuItem } from '../parts/Menu.tsx';
import { History } from './History.tsx';

export function TitleBar() {
  const chat = useChat();
  const id = useChatState((s) => s.conversation?.id ?? null);
  const title = useChatState((s) => s.conversation?.title ?? '');
  const historyOpen = useChatState((s) => s.history.open);
  const account = useChatState((s) => s.surroundings?.account ?? null);
  const isPinned = useChatState((s) => s.surroundings?.pinned === true);
  const isOffline = useChatState((s) => s.isOffline);
  const offersSignIn = useChatState(
    (s) => s.surroundings?.guests === undefined || s.surroundings.signInCredits !== undefined,
  );
  const [doing, setDoing] = useState<'rename' | 'delete' | null>(null);
  const historyButton = useRef<HTMLButtonElement>(null);
  // Opening another conversation cancels a rename or deletion that was begun for this one.
  useEffect(() => setDoing(null), [id]);
  const ofConversation: MenuItem[] = id
    ? [
        { id: 'rename', label: 'Rename', icon: 'edit', disabled: isOffline, run: () => setDoing('rename') },
        {
          id: 'pin',
          label: isPinned ? 'Unpin' : 'Pin',
          icon: isPinned ? 'pinned' : 'pin',
          disabled: isOffline,
          run: () => chat.history.pin(id, !isPinned),
        },
        {
          id: 'export',
          label: 'Export as Markdown',
          icon: 'export',
          disabled: isOffline,
          run: () => chat.host.post({ type: 'export', id }),
        },
        {
          id: 'copy',
          label: 'Copy as Markdown',
          icon: 'copy',
          disabled: isOffline,
          run: () => chat.host.post({ type: 'copyConversation', id }),
        },
        { id: 'delete', label: 'Delete', icon: 'trash', disabled: isOffline, run: () => setDoing('delete') },
      ]
    : [];
  const signIn: MenuItem = { id: 'signIn', label: 'Sign in', icon: 'account', run: () => chat.command('signIn') };
  const ofAccount: MenuItem[] =
    account?.kind === 'member'
      ? [{ id: 'account', label: 'Account page', icon: 'account', run: () => chat.command('openAccount') }]
      : offersSignIn
        ? [signIn]
        : [];
  const items: MenuItem[] = [
    ...ofConversation,
    { id: 'quota', label: 'Credits and use', icon: 'dashboard', begins: !!id, run: () => chat.command('showQuota') },
    ...ofAccount,
    { id: 'settings', label: 'Settings', icon: 'gear', run: () => chat.command('openSettings') },
  ];
  return (
    <>
      <header class="title-bar">
        {doing === 'rename' && id ? (
          <RenameField
            title={title}
            onDone={(name) => {
              if (name) chat.rename(id, name);
              setDoing(null);
            }}
          />
        ) : (
          <h1 title={title || undefined} dir="auto">
            {title || 'New chat'}
          </h1>
        )}
        <IconButton
          icon="history"
          label="History"
          popup="dialog"
          expanded={historyOpen}
          buttonRef={historyButton}
          onClick={() => (historyOpen ? chat.history.close() : chat.history.open())}
        />
        <IconButton icon="add" label="New chat" onClick={() => chat.newChat()} />
        <Menu label="More" side="under" class="icon-button" items={items}>
          <Icon name="ellipsis" />
        </Menu>
        {doing === 'delete' && id && (
          <Confirm
            question="Delete this conversation?"
            yes="Delete"
            onYes={() => {
              chat.history.delete(id);
              setDoing(null);
              chat.focusComposer();
            }}
            onNo={() => {
              setDoing(null);
              chat.focusComposer();
            }}
          />
        )}
      </header>
      {historyOpen && <History opener={historyButton} />}
    </>
  );
}
