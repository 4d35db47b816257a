import type { ComponentChildren } from 'preact';
import { creditsLeft } from '../../../../shared/money/amounts.ts';
import type { Chip } from '../../protocol.ts';
import { count } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { isToldByConnection } from '../model/outdated.ts';
import type { Refusal } from '../model/state.ts';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { RequestId } from '../parts/RequestId.tsx';
import { TryAgainAt } from '../parts/TryAgainAt.tsx';
import { problemSentence, signInFor } from '../parts/words.ts';

const none: never[] = [];

/** Opens the list of models below the message. */
const chooseModel = () => document.querySelector<HTMLElement>('.composer .model')?.click();

/** Why a message was not sent, and what to do about it. The typed text stays in the composer. */
export function Refused({ refusal }: { refusal: Refusal }) {
  const chat = useChat();
  const { problem } = refusal;
  const chips = useChatState((s) => s.surroundings?.chips ?? none);
  const edited = useChatState((s) => s.surroundings?.edited?.chips ?? none);
  const account = useChatState((s) => s.surroundings?.account ?? null);
  const signInCredits = useChatState((s) => s.surroundings?.signInCredits);
  const isTold = useChatState((s) => isToldByConnection(refusal, s.surroundings?.connection));
  if (isTold) return null;
  const isGuest = account?.kind === 'guest';
  const ways: ComponentChildren[] = [];
  const way = (label: string, run: () => void) =>
    ways.push(
      <button type="button" class="link" onClick={run}>
        {label}
      </button>,
    );
  switch (problem.code) {
    case 'insufficient_credits':
      if (isGuest && signInCredits !== undefined) way(signInFor(signInCredits), () => chat.command('signIn'));
      way('What is left', () => chat.command('showQuota'));
      way('Try again', () => chat.retry());
      break;
    case 'terms_changed':
      way('Read and accept', () => chat.command('acceptTerms'));
      way('Try again', () => chat.retry());
      break;
    case 'suspended':
      way('How to appeal', () => chat.command('openDecisions'));
      break;
    case 'account_closing':
      way('Keep the account', () => chat.command('openAccount'));
      way('Try again', () => chat.retry());
      break;
    case 'unauthorized':
    case 'members_only':
    case 'guests_disabled':
    case 'too_many_guests':
      way('Sign in', () => chat.command('signIn'));
      way('Try again', () => chat.retry());
      break;
    case 'conversation_busy':
      if (problem.runId) way('Stop that answer', () => chat.host.post({ type: 'stop', runId: problem.runId! }));
      way('Try again', () => chat.retry());
      break;
    case 'context_too_long':
      if (problem.compactable) way('Compact the conversation', () => chat.compact());
      way('New chat', () => chat.newChat());
      way('Try again', () => chat.retry());
      break;
    case 'payload_too_large':
      way('New chat', () => chat.newChat());
      way('Try again', () => chat.retry());
      break;
    case 'no_vision': {
      const pictures = (refusal.replaces ? edited : chips).filter(({ kind }) => kind === 'image');
      way('Choose another model', chooseModel);
      if (pictures.length > 0)
        way(pictures.length > 1 ? 'Send without the pictures' : 'Send without the picture', () => {
          for (const { id } of pictures)
            chat.host.post({ type: 'detach', id, ...(refusal.replaces && { to: refusal.replaces }) });
          chat.retry();
        });
      break;
    }
    case 'wrong_host':
      way('Settings', () => chat.command('openSettings'));
      way('Try again', () => chat.retry());
      break;
    default:
      way('Try again', () => chat.retry());
  }
  const failed = (refusal.replaces ? edited : chips).find(({ id }) => id === refusal.chipId);
  if (failed)
    way(`Send without ${failed.label}`, () => {
      chat.host.post({ type: 'detach', id: failed.id, ...(refusal.replaces && { to: refusal.replaces }) });
      chat.retry();
    });
  const isTooLong = problem.code === 'context_too_long' || problem.code === 'payload_too_large';
  return (
    <div class="box error refused">
      <Icon name={problem.code === 'insufficient_credits' ? 'credit-card' : 'error'} />
      <div>
        <span>{problemSentence(problem)}</span>{' '}
        {problem.code === 'insufficient_credits' && problem.availableMicro !== undefined && !isGuest && (
          <span>{creditsLeft(problem.availableMicro)} credits are left. </span>
        )}
        {problem.retryAt && <TryAgainAt at={problem.retryAt} />}
        {isTooLong && problem.limitTokens && <span>The model reads {count(problem.limitTokens)} tokens. </span>}
        <span>Your text is kept.</span> {isTooLong && <ToDrop drop={problem.drop ?? none} chips={chips} />}
        <span class="ways">{ways}</span>
        {problem.status >= 500 && problem.requestId && <RequestId id={problem.requestId} />}
      </div>
      <IconButton icon="close" label="Dismiss" onClick={() => chat.dismissRefusal()} />
    </div>
  );
}

/** What to remove from the request, largest first. Chips can be removed right here. */
function ToDrop({ drop, chips }: { drop: { what: string; tokens: number }[]; chips: Chip[] }) {
  const chat = useChat();
  const chipOf = (what: string) => chips.find((c) => c.label === what || c.path === what);
  const named = new Set(drop.map((d) => chipOf(d.what)?.id));
  const rest = chips.filter((c) => !named.has(c.id)).map((c) => ({ what: c.label, tokens: c.tokens, chip: c }));
  const rows = [...drop.map((d) => ({ ...d, chip: chipOf(d.what) })), ...rest].sort((a, b) => b.tokens - a.tokens);
  if (!rows.length) return null;
  return (
    <ul class="drop" aria-label="What can be dropped">
      {rows.map((row) => (
        <li key={row.chip?.id ?? row.what}>
          <span class="what" title={row.what}>
            {row.what}
          </span>
          <span class="tokens">{count(row.tokens)} tokens</span>
          {row.chip && (
            <button
              type="button"
              class="link"
              aria-label={`Remove ${row.what}`}
              onClick={() => chat.host.post({ type: 'detach', id: row.chip!.id })}
            >
              Remove
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
