import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Balance } from '../../../../shared/account.ts';
import { creditsSpent } from '../../../../shared/money/amounts.ts';
import type { Connection } from '../../protocol.ts';
import { fullTime } from '../format.ts';
import { useChat, useChatState } from '../model/context.ts';
import { runningAnswer } from '../model/conversation.ts';
import { useNow } from '../model/now.ts';
import { isToldByConnection } from '../model/outdated.ts';
import type { NoticeAction } from '../model/state.ts';
import { Icon, IconButton } from '../parts/Icon.tsx';
import type { IconName } from '../parts/icons.ts';
import { signInFor } from '../parts/words.ts';

const none: never[] = [];

/** Whatever affects the next answer: the connection, an answer on another device, the credits, notices. */
export function Standing() {
  return (
    <>
      <LastNotice />
      <Told />
      <Elsewhere />
      <Connected />
      <AccountStanding />
      <OutOfCredits />
    </>
  );
}

function Banner(props: {
  icon: IconName;
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
          <strong>Offline.</strong> {connection.detail} <Kept />
        </Banner>
      );
    case 'wrongServer':
      return (
        <Banner icon="warning" ways={[settings, retry]}>
          <strong>Not a Perigee server.</strong> {connection.detail} <Kept />
        </Banner>
      );
    case 'signedOut':
      return <SignedOut {...connection} />;
    default:
      return connection satisfies never;
  }
}

/** What is kept without a connection. It is unknown whether the server still runs. */
function Kept() {
  const isRunning = useChatState((s) => runningAnswer(s.conversation) !== undefined);
  const isNotSent = useIsNotSent();
  return (
    <>
      {isNotSent ? NOT_SENT : 'What you type is kept.'}
      {isRunning && ' If the answer goes on at the server, it is shown when the connection is back.'}
    </>
  );
}

const NOT_SENT = 'Your message was not sent. Your text is kept.';

/** Whether this banner explains why a message was not sent. Then the message needs no box of its own. */
function useIsNotSent(): boolean {
  return useChatState((s) => s.refusal !== null && isToldByConnection(s.refusal, s.surroundings?.connection));
}

function SignedOut({ detail, isMember, isNew }: Extract<Connection, { state: 'signedOut' }>) {
  const chat = useChat();
  const signInCredits = useChatState((s) => s.surroundings?.signInCredits);
  const guests = useChatState((s) => s.surroundings?.guests);
  const isNotSent = useIsNotSent();
  // Until the server's ways to sign in are known, "Sign in" is offered and fetches them.
  const canSignIn = isMember || signInCredits !== undefined || guests === undefined;
  const isMembersOnly = isNew && guests === false && signInCredits !== undefined;
  const signIn = isMember ? 'Sign in again' : signInFor(isNew ? (signInCredits ?? 0) : 0);
  return (
    <Banner
      icon="account"
      ways={[
        canSignIn && <Way key="in" label={signIn} run={() => chat.command('signIn')} />,
        guests && <Way key="guest" label="Continue as guest" run={() => chat.command('continueAsGuest')} />,
        isNew && <Way key="retry" label="Retry" run={() => chat.command('reconnect')} />,
      ]}
    >
      <strong>Signed out.</strong> {isMembersOnly ? 'This server admits no guests. Sign in first.' : detail}
      {isNotSent && ` ${NOT_SENT}`}
    </Banner>
  );
}

/** States of the account that prevent answers. The account owner must see them before the next question. */
function AccountStanding() {
  const chat = useChat();
  const account = useChatState((s) => s.surroundings?.account ?? null);
  const code = useChatState((s) => s.refusal?.problem.code);
  const now = useNow();
  if (!account) return null;
  const { suspended, closing, termsDue } = account;
  if (suspended && code !== 'suspended') {
    const end = suspended.until === null ? 'until further notice' : `until ${fullTime(suspended.until, now)}`;
    return (
      <Banner icon="circle-slash" ways={<Way label="How to appeal" run={() => chat.command('openDecisions')} />}>
        <strong>This account is suspended</strong> {end}. {sentence(suspended.why)} You can read what is here, export it
        on the account page, and appeal there.
      </Banner>
    );
  }
  if (closing && code !== 'account_closing') {
    return (
      <Banner icon="trash" ways={<Way label="Keep the account" run={() => chat.command('openAccount')} />}>
        <strong>This account is closing.</strong> It is gone for good at {fullTime(closing.goneAt, now)}. Until then it
        can be kept on its page.
      </Banner>
    );
  }
  if (termsDue !== undefined && code !== 'terms_changed') {
    return (
      <Banner icon="law" ways={<Way label="Read and accept" run={() => chat.command('acceptTerms')} />}>
        <strong>The terms have changed.</strong> Nothing is answered before they are accepted. What you type is kept.
      </Banner>
    );
  }
  return null;
}

const sentence = (text: string) => (/[.!?]$/.test(text) || text === '' ? text : `${text}.`);

/** The operator's message to everyone, such as an incident. Shown until it is over, or dismissed in this window. */
function Told() {
  const told = useChatState((s) => s.surroundings?.told ?? none) as { id: string; text: string }[];
  const [dismissed, setDismissed] = useState<string[]>([]);
  return (
    <>
      {told
        .filter(({ id }) => !dismissed.includes(id))
        .map(({ id, text }) => (
          <div key={id} class="box calm notice">
            <Icon name="info" />
            <div>{text}</div>
            <IconButton icon="close" label="Dismiss" onClick={() => setDismissed([...dismissed, id])} />
          </div>
        ))}
    </>
  );
}

function Elsewhere() {
  const chat = useChat();
  const elsewhere = useChatState((s) => s.conversation?.elsewhere ?? none);
  const messages = useChatState((s) => s.conversation?.messages ?? none);
  const here = useChatState((s) => s.surroundings?.device);
  const isAtEnd = useChatState((s) => s.isAtEnd);
  const isOffline = useChatState((s) => s.isOffline);
  // This information is from before the connection was lost.
  if (!elsewhere.length || isOffline) return null;
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
        // At the end, the answer is already in view.
        !isAtEnd && <Way key="follow" label="Follow" run={() => chat.toLatest()} />,
        <Way key="stop" label="Stop" run={() => chat.host.post({ type: 'stop', runId })} />,
      ]}
    >
      {answer.device === here ? (
        'Answering in another window.'
      ) : (
        <>
          Answering on <strong>{answer.device || 'another device'}</strong>.
        </>
      )}
    </Banner>
  );
}

function OutOfCredits() {
  const chat = useChat();
  const balance = useChatState((s) => s.surroundings?.balance ?? null);
  const isGuest = useChatState((s) => s.surroundings?.account?.kind === 'guest');
  const signInCredits = useChatState((s) => s.surroundings?.signInCredits);
  const isRefused = useChatState((s) => s.refusal?.problem.code === 'insufficient_credits');
  const now = useNow();
  // While an answer runs, its hold may come back.
  if (!balance || balance.unlimited || isRefused || balance.pendingMicro > 0) return null;
  const isOut = isGuest ? (balance.guestMessagesLeft ?? 1) <= 0 : balance.availableMicro <= 0;
  if (!isOut) return null;
  return (
    <Banner
      icon="credit-card"
      ways={[
        isGuest && signInCredits !== undefined && (
          <Way key="in" label={signInFor(signInCredits)} run={() => chat.command('signIn')} />
        ),
        <Way key="quota" label="Details" run={() => chat.command('showQuota')} />,
      ]}
    >
      <strong>{isGuest ? 'All free messages are used.' : 'No credits left.'}</strong> {freesUp(balance, now)}
      What you type is kept.
    </Banner>
  );
}

function freesUp(balance: Balance, now: Date): string {
  const next = balance.windows
    .filter((w) => w.nextFreeAt !== null && w.usedMicro >= w.limitMicro)
    .sort((a, b) => b.nextFreeAt!.localeCompare(a.nextFreeAt!))[0];
  if (!next) return '';
  const isPast = Date.parse(next.nextFreeAt!) <= now.getTime();
  return `${creditsSpent(next.nextFreeMicro)} free up ${isPast ? 'now' : `at ${fullTime(next.nextFreeAt!, now)}`}. `;
}

function LastNotice() {
  const chat = useChat();
  const notice = useChatState((s) => s.notice);
  if (!notice) return null;
  const { level, text, action, chatId } = notice;
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
        {chatId !== undefined && (
          <span class="ways">
            <Way label="Show that chat" run={() => chat.openConversation(chatId)} />
          </span>
        )}
      </div>
      <IconButton icon="close" label="Dismiss" onClick={() => chat.dismissNotice()} />
    </div>
  );
}
