import type { ComponentChildren } from 'preact';
import type { Balance } from '../../../../shared/account.ts';
import { useChat, useChatState } from '../context.ts';
import { credits, fullTime } from '../format.ts';
import type { NoticeAction } from '../state.ts';
import { Icon, IconButton } from './Icon.tsx';

const none: never[] = [];

/** What stands between the user and the next answer: the connection, an answer elsewhere, the credits, notices. */
export function Standing() {
  return (
    <>
      <LastNotice />
      <Elsewhere />
      <Connected />
      <OutOfCredits />
    </>
  );
}

function Banner(props: {
  icon: string;
  spin?: boolean;
  level?: 'error';
  children: ComponentChildren;
  ways: ComponentChildren;
}) {
  return (
    <div class={`box ${props.level ?? 'calm'} banner`}>
      <Icon name={props.icon} spin={props.spin} />
      <div>
        {props.children} <span class="ways">{props.ways}</span>
      </div>
    </div>
  );
}

function Way({ label, run }: { label: string; run: () => void }) {
  return (
    <button type="button" class="link" onClick={run}>
      {label}
    </button>
  );
}

function Connected() {
  const chat = useChat();
  const connection = useChatState((s) => s.surroundings?.connection ?? null);
  if (!connection || connection.state === 'ok' || connection.state === 'connecting') return null;
  const retry = <Way label="Retry" run={() => chat.command('reconnect')} />;
  const settings = <Way label="Settings" run={() => chat.command('openSettings')} />;
  switch (connection.state) {
    case 'offline':
      return (
        <Banner
          icon="debug-disconnect"
          ways={[retry, settings, <Way key="start" label="Start a server" run={() => chat.command('startServer')} />]}
        >
          <strong>Offline.</strong> {connection.detail} What you type is kept.
        </Banner>
      );
    case 'wrongServer':
      return (
        <Banner icon="warning" ways={[settings, retry]}>
          <strong>Not a Perigee server.</strong> {connection.detail}
        </Banner>
      );
    case 'signedOut':
      return (
        <Banner icon="account" ways={[<Way key="in" label="Sign in" run={() => chat.command('signIn')} />, retry]}>
          <strong>Signed out.</strong> {connection.detail}
        </Banner>
      );
    default:
      return connection satisfies never;
  }
}

function Elsewhere() {
  const chat = useChat();
  const elsewhere = useChatState((s) => s.conversation?.elsewhere ?? none);
  const messages = useChatState((s) => s.conversation?.messages ?? none);
  if (!elsewhere.length) return null;
  const answer = messages.findLast(
    (m) => m.runId !== undefined && elsewhere.includes(m.runId) && m.state === 'running',
  );
  if (!answer?.runId) return null;
  const { runId } = answer;
  return (
    <Banner
      icon="loading"
      spin
      ways={[
        <Way key="follow" label="Follow" run={() => chat.toLatest()} />,
        <Way key="stop" label="Stop" run={() => chat.host.post({ type: 'stop', runId })} />,
      ]}
    >
      Answering on <strong>{answer.device || 'another device'}</strong>.
    </Banner>
  );
}

function OutOfCredits() {
  const chat = useChat();
  const balance = useChatState((s) => s.surroundings?.balance ?? null);
  const isGuest = useChatState((s) => s.surroundings?.account?.kind === 'guest');
  const signInCredits = useChatState((s) => s.surroundings?.signInCredits);
  const isRefused = useChatState((s) => s.refusal?.problem.code === 'insufficient_credits');
  // While an answer runs, a part is only set aside and may come back.
  if (!balance || isRefused || balance.pendingMicro > 0) return null;
  const isOut = isGuest ? (balance.guestMessagesLeft ?? 1) <= 0 : balance.availableMicro <= 0;
  if (!isOut) return null;
  return (
    <Banner
      icon="credit-card"
      ways={[
        isGuest && signInCredits !== undefined && (
          <Way key="in" label={`Sign in for ${signInCredits} credits`} run={() => chat.command('signIn')} />
        ),
        <Way key="quota" label="Details" run={() => chat.command('showQuota')} />,
      ]}
    >
      <strong>{isGuest ? 'All free messages are used.' : 'No credits left.'}</strong> {freesUp(balance)}
      What you type is kept.
    </Banner>
  );
}

function freesUp(balance: Balance): string {
  const next = balance.windows
    .filter((w) => w.nextFreeAt !== null && w.usedMicro >= w.limitMicro)
    .sort((a, b) => b.nextFreeAt!.localeCompare(a.nextFreeAt!))[0];
  if (!next) return '';
  return `${credits(next.nextFreeMicro)} free up at ${fullTime(next.nextFreeAt!, new Date())}. `;
}

function LastNotice() {
  const chat = useChat();
  const notice = useChatState((s) => s.notice);
  if (!notice) return null;
  const { level, text, action } = notice;
  const act = ({ command }: NoticeAction) => {
    chat.command(command);
    chat.dismissNotice();
  };
  return (
    <div class={`box ${level === 'error' ? 'error' : 'calm'} notice`}>
      <Icon name={level} />
      <div>
        {text}{' '}
        {action && (
          <span class="ways">
            <Way label={action.label} run={() => act(action)} />
          </span>
        )}
      </div>
      <IconButton icon="close" label="Dismiss" onClick={() => chat.dismissNotice()} />
    </div>
  );
}
