import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ConversationSummary } from '../../../../shared/conversations.ts';
import { fullTime, type Group, groupOf, when } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { useNow } from '../model/now.ts';
import { Confirm, RenameField } from '../parts/fields.tsx';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { useOutside } from '../parts/Menu.tsx';

const SEARCH_DELAY_MS = 200;

/** Edits are numerous, so the list shows only chats unless the user asks for edits. */
const KINDS = [
  { kind: 'chat', label: 'Chats' },
  { kind: 'edit', label: 'Edits' },
  { kind: null, label: 'All' },
] as const;
const NONE = { chat: 'No chat', edit: 'No edit', all: 'No conversation' };
const EMPTY = {
  chat: 'No chats yet. The first message makes one.',
  edit: 'No edits yet.',
  all: 'No conversations yet. The first message makes one.',
};

/** All conversations. Down goes from the search into the list; F2 renames, P pins, Delete deletes, Escape closes. */
export function History({ opener }: { opener: RefObject<HTMLButtonElement | null> }) {
  const chat = useChat();
  const history = useChatState((s) => s.history);
  const openId = useChatState((s) => s.conversation?.id ?? null);
  const panel = useRef<HTMLElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useLayoutEffect(() => {
    search.current?.focus();
    const holder = panel.current;
    return () => {
      clearTimeout(timer.current);
      // The focus returns to the opener, unless the user moved it (to the composer of the chosen conversation).
      if (!document.activeElement || holder?.contains(document.activeElement)) opener.current?.focus();
    };
  }, []);
  useOutside(true, [panel, opener], () => chat.history.close());
  const { rows } = history;
  // Observe again after each page: if a page is too short to scroll, the observer would not fire again. Don't observe
  // before the first page: the end of the empty list is in sight, and the observer reports it in the next frame, when
  // the page may be there.
  useEffect(() => {
    if (history.before === null) return;
    const sight = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && chat.history.more(), {
      root: panel.current?.querySelector('.list'),
      rootMargin: '200px',
    });
    if (end.current) sight.observe(end.current);
    return () => sight.disconnect();
  }, [rows, history.before]);

  const now = useNow();
  const groups = new Map<Group, ConversationSummary[]>();
  for (const row of rows) {
    // What is found has an order of its own.
    const group = row.pinned && history.search === '' ? 'Pinned' : groupOf(row.updatedAt, now);
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  const isEmpty = rows.length === 0 && !history.loading && history.failed === null;
  return (
    <section
      class="history popup"
      role="dialog"
      aria-label="History"
      ref={panel}
      onKeyDown={(e) => listKeys(e, search.current)}
    >
      <div class="search">
        <Icon name="search" />
        <input
          ref={search}
          type="text"
          maxLength={500}
          placeholder="Search conversations"
          aria-label="Search conversations"
          onInput={(event) => {
            const text = event.currentTarget.value;
            clearTimeout(timer.current);
            timer.current = setTimeout(() => chat.history.ask({ search: text }), SEARCH_DELAY_MS);
          }}
        />
      </div>
      <fieldset class="kinds" aria-label="Show">
        {KINDS.map(({ kind, label }) => (
          <button
            type="button"
            key={label}
            aria-pressed={history.kind === kind}
            onClick={() => history.kind !== kind && chat.history.ask({ kind })}
          >
            {label}
          </button>
        ))}
      </fieldset>
      <div class="list" aria-busy={history.loading}>
        {[...groups].map(([name, group]) => (
          <section key={name} aria-labelledby={`group-${name.replaceAll(' ', '')}`}>
            <h2 id={`group-${name.replaceAll(' ', '')}`}>{name}</h2>
            <ul>
              {group.map((row) => (
                <Row key={row.id} row={row} isOpen={row.id === openId} now={now} search={history.search} />
              ))}
            </ul>
          </section>
        ))}
        {isEmpty && (
          <p class="quiet">
            {history.search
              ? `${NONE[history.kind ?? 'all']} matches “${history.search}”.`
              : EMPTY[history.kind ?? 'all']}{' '}
            {history.search && history.kind !== null && (
              <button type="button" class="link" onClick={() => chat.history.ask({ kind: null })}>
                Search all
              </button>
            )}
          </p>
        )}
        {history.failed !== null && (
          <p class="failed">
            <Icon name="error" /> {history.failed}{' '}
            <button type="button" class="link" onClick={() => chat.history.ask({})}>
              Retry
            </button>
          </p>
        )}
        {history.loading && (
          <p class="quiet">
            <Icon name="loading" spin /> Loading
          </p>
        )}
        <div ref={end} class="end" />
      </div>
    </section>
  );
}

/** Marks the search text in a title. */
function Marked({ text, part }: { text: string; part: string }) {
  const wanted = part.trim().toLowerCase();
  const at = wanted === '' ? -1 : text.toLowerCase().indexOf(wanted);
  // If lower case changes the length of the text, the positions don't match.
  if (at < 0 || text.toLowerCase().length !== text.length) return <>{text}</>;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + wanted.length)}</mark>
      {text.slice(at + wanted.length)}
    </>
  );
}

interface RowProps {
  row: ConversationSummary;
  isOpen: boolean;
  now: Date;
  search: string;
}

function Row({ row, isOpen, now, search }: RowProps) {
  const chat = useChat();
  const [doing, setDoing] = useState<'rename' | 'delete' | null>(null);
  const open = useRef<HTMLButtonElement>(null);
  const wasDoing = useRef(false);
  useLayoutEffect(() => {
    if (wasDoing.current && doing === null && document.activeElement === document.body) open.current?.focus();
    wasDoing.current = doing !== null;
  }, [doing]);
  const done = () => setDoing(null);
  const pin = () => chat.history.pin(row.id, !row.pinned);
  if (doing === 'rename') {
    return (
      <li class="row">
        <RenameField
          title={row.title}
          onDone={(title) => {
            if (title) chat.rename(row.id, title);
            done();
          }}
        />
      </li>
    );
  }
  if (doing === 'delete') {
    return (
      <li class="row">
        <Confirm
          question="Delete?"
          yes="Yes"
          onNo={done}
          onYes={() => {
            focusNeighbour(document.activeElement);
            chat.history.delete(row.id);
            setDoing(null);
          }}
        />
      </li>
    );
  }
  return (
    <li
      class={`row${isOpen ? ' open' : ''}`}
      onKeyDown={(event) => {
        if (event.key === 'F2') setDoing('rename');
        else if (event.key === 'Delete') setDoing('delete');
        else if (event.key.toLowerCase() === 'p' && !event.ctrlKey && !event.metaKey && !event.altKey) pin();
        else return;
        event.preventDefault();
      }}
    >
      <button
        type="button"
        class="go"
        ref={open}
        aria-current={isOpen ? 'true' : undefined}
        title={row.title}
        onClick={() => chat.openConversation(row.id)}
      >
        {row.running ? <Icon name="loading" spin /> : <Icon name={row.kind === 'edit' ? 'edit' : 'comment'} />}
        <span class="title" dir="auto">
          <Marked text={row.title || 'Untitled'} part={search} />
        </span>
        {row.running ? (
          <span class="when">running · {row.running.device}</span>
        ) : (
          <time class="when" dateTime={row.updatedAt} title={fullTime(row.updatedAt, now)}>
            {when(row.updatedAt, now)}
          </time>
        )}
        {row.passage && (
          <span class="passage">
            {row.passage.before}
            <mark>{row.passage.match}</mark>
            {row.passage.after}
          </span>
        )}
      </button>
      <span class="actions">
        <IconButton icon="edit" label={`Rename ${row.title}`} onClick={() => setDoing('rename')} />
        <IconButton
          icon="export"
          label={`Export ${row.title} as Markdown`}
          onClick={() => chat.host.post({ type: 'export', id: row.id })}
        />
        <IconButton
          icon={row.pinned ? 'pinned' : 'pin'}
          label={row.pinned ? `Unpin ${row.title}` : `Pin ${row.title}`}
          onClick={pin}
        />
        <IconButton icon="trash" label={`Delete ${row.title}`} onClick={() => setDoing('delete')} />
      </span>
    </li>
  );
}

function focusNeighbour(from: Element | null): void {
  const row = from?.closest('li');
  const rows = [...document.querySelectorAll('.history li.row')];
  const at = row ? rows.indexOf(row) : -1;
  const next = rows[at + 1] ?? rows[at - 1];
  const to = next?.querySelector<HTMLElement>('.go') ?? document.querySelector<HTMLElement>('.history input');
  to?.focus();
}

function listKeys(event: KeyboardEvent & { currentTarget: HTMLElement }, search: HTMLInputElement | null): void {
  const target = event.target as HTMLElement;
  if (target.closest('.confirm') || target.matches('.rename')) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.go')];
  const row = target.closest('li');
  const at = rows.findIndex((r) => r.closest('li') === row);
  if (event.key === 'ArrowDown') rows[row ? Math.min(at + 1, rows.length - 1) : 0]?.focus();
  else if (event.key === 'ArrowUp') (at > 0 ? rows[at - 1] : search)?.focus();
  else if (row && event.key === 'Home') rows[0]?.focus();
  else if (row && event.key === 'End') rows.at(-1)?.focus();
  else if (row && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
    const buttons = [...row.querySelectorAll<HTMLElement>('button')];
    const to = buttons.indexOf(target) + (event.key === 'ArrowRight' ? 1 : -1);
    buttons[Math.max(0, Math.min(to, buttons.length - 1))]?.focus();
  } else if (target === search && event.key === 'Enter') rows[0]?.click();
  else return;
  event.preventDefault();
}
