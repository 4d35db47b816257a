import type { Model, Price } from '../../../../shared/models.ts';
import { exactCredits } from '../../../../shared/money/amounts.ts';
import type { AttachNow } from '../../protocol.ts';
import { count, fullDay } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { effortWords, usualCost } from '../parts/efforts.ts';
import { Icon } from '../parts/Icon.tsx';
import { Menu, type MenuItem } from '../parts/Menu.tsx';

const none: never[] = [];

/** What can be attached now, to the composer or to an earlier message that is being edited (`to`). */
export function AttachMenu({ to }: { to?: string }) {
  const chat = useChat();
  const attachable = useChatState((s) => s.surroundings?.attachable ?? none) as readonly string[];
  const attach = (kind: AttachNow) => () => {
    chat.host.post({ type: 'attach', kind, ...(to && { to }) });
    if (to === undefined) chat.focusComposer();
  };
  const all: MenuItem[] = [
    { id: 'file', label: 'File in the editor', icon: 'file', run: attach('file') },
    { id: 'selection', label: 'Selection', icon: 'list-selection', run: attach('selection') },
    { id: 'problems', label: 'Problems', icon: 'warning', run: attach('problems') },
    { id: 'diff', label: 'Uncommitted changes', icon: 'git-commit', run: attach('diff') },
    { id: 'editors', label: 'Open editors', icon: 'files', run: attach('editors') },
    { id: 'found', label: 'The workspace', icon: 'search', run: attach('found') },
  ];
  const asking: MenuItem[] = [
    { id: 'pick', label: 'Choose a file', icon: 'folder-opened', run: attach('pick') },
    { id: 'folder', label: 'Folder…', icon: 'folder', run: attach('folder') },
    { id: 'symbol', label: 'Symbol…', icon: 'symbol-method', run: attach('symbol') },
    { id: 'commit', label: 'Commit…', icon: 'git-commit', run: attach('commit') },
    { id: 'terminal', label: 'Terminal output…', icon: 'terminal', run: attach('terminal') },
    { id: 'page', label: 'Web page…', icon: 'globe', run: attach('page') },
  ];
  const isOffered = ({ id }: MenuItem) => id === 'pick' || attachable.includes(id);
  const offered = all.filter(isOffered);
  const begins = offered.length > 0;
  const items = [...offered, ...asking.filter(isOffered).map((item, at) => (at === 0 ? { ...item, begins } : item))];
  return (
    <Menu label="Attach" side="over" class="icon-button" items={items}>
      <Icon name="add" />
    </Menu>
  );
}

export function ModelMenu() {
  const chat = useChat();
  const models = useChatState((s) => s.surroundings?.models ?? none);
  const modelId = useChatState((s) => s.surroundings?.modelId ?? null);
  const effort = useChatState((s) => s.surroundings?.effort);
  const messages = useChatState((s) => s.conversation?.messages ?? none);
  const isGuest = useChatState((s) => s.surroundings?.account?.kind === 'guest');
  if (!models.length) return null;
  const chosen = models.find((m) => m.id === modelId) ?? models.find((m) => m.isDefault) ?? models[0]!;
  const { efforts = [] } = chosen;
  const select = (id: string, wanted?: string | null) => () => {
    chat.host.post({ type: 'selectModel', id, ...(wanted !== undefined && { effort: wanted }) });
    chat.focusComposer();
  };
  const items: MenuItem[] = models.map((m) => ({
    id: m.id,
    label: m.name,
    detail: m.isDemo ? 'demo, no real model' : priceOf(m.price, isGuest),
    notes: notesOf(m, isGuest),
    hint: m.price.mode === 'tokens' ? 'Credits for 1 million tokens' : undefined,
    checked: m.id === chosen.id,
    run: select(m.id),
  }));
  const steps = efforts.length > 0 ? [undefined, ...efforts] : [];
  const thinking = steps.map((step, i): MenuItem => {
    const notes = [effortWords(chosen, step), usualCost(messages, chosen.id, step)].filter((words) => words !== null);
    return {
      id: `effort:${step ?? ''}`,
      label: `Thinking: ${step ?? 'as usual'}`,
      notes: notes.length > 0 ? notes : undefined,
      checked: step === effort,
      begins: i === 0,
      run: select(chosen.id, step ?? null),
    };
  });
  const label = `Model: ${chosen.name}${effort === undefined ? '' : `, thinking: ${effort}`}`;
  return (
    <Menu label={label} side="over" class="plain model" items={[...items, ...thinking]}>
      <span class="name">{chosen.name}</span>
      {effort !== undefined && <span class="effort">· {effort}</span>}
      <Icon name="chevron-down" />
    </Menu>
  );
}

/** Further price details: the price of long requests, and coming changes with their dates. */
function notesOf({ price, nextPrice, isDemo }: Model, isGuest: boolean): string[] {
  if (isDemo) return [];
  const next = nextPrice && `From ${fullDay(nextPrice.from, new Date())}: ${priceOf(nextPrice.price, isGuest)}`;
  return [...tiersOf(price), ...(next ? [next, ...tiersOf(nextPrice.price)] : [])];
}

const tiersOf = (price: Price) =>
  price.mode === 'flat'
    ? []
    : (price.tiers ?? []).map(
        (tier) => `Above ${count(tier.aboveInputTokens)} tokens in: ${priceOf({ mode: 'tokens', ...tier }, false)}`,
      );

/** The prices of token models are for 1 million tokens, in and out. */
function priceOf(price: Price, isGuest: boolean): string {
  if (price.mode === 'tokens')
    return `${exactCredits(price.inputMicro)} in · ${exactCredits(price.outputMicro)} out / M`;
  if (price.runMicro === 0) return 'free';
  if (isGuest) return '1 message each';
  const n = exactCredits(price.runMicro);
  return `${n} ${n === '1' ? 'credit' : 'credits'} a message`;
}
