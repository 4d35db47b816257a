import { useState } from 'preact/hooks';
import type { Session, SessionsAnswer } from '../../../../shared/auth.ts';
import { call } from '../../kit/api.ts';
import { instant } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { When } from '../../kit/now.tsx';
import { Confirm, Failure, Loading, useAct } from '../../kit/parts.tsx';

const KINDS: Record<Session['kind'], string> = {
  guest: 'Guest',
  device: 'Editor or tool',
  page: 'Browser',
  local: 'On the server’s own machine',
};

export function Devices() {
  const sessions = useResource<SessionsAnswer>('/api/sessions', ['sessions']);
  const { isBusy, failure, act } = useAct();
  const [gone, setGone] = useState<readonly string[]>([]);
  const [asks, setAsks] = useState(false);
  const list = (sessions.value?.sessions ?? []).filter(({ id }) => !gone.includes(id));
  const others = list.filter(({ current }) => !current);
  const end = async (id: string) => {
    await call('DELETE', `/api/sessions/${id}`).catch((error) => {
      // The session has ended already, for example in another tab.
      if ((error as { code?: string }).code !== 'not_found') throw error;
    });
    setGone((ids) => [...ids, id]);
  };
  return (
    <>
      <p class="soft">
        Any number of devices can be signed in at once. A device that you end is signed out within a second.
      </p>
      {(failure ?? sessions.failure) && <Failure failure={(failure ?? sessions.failure)!} again={sessions.reload} />}
      {!sessions.value && !sessions.failure && <Loading />}
      <ul class="list">
        {list.map((session) => (
          <li key={session.id}>
            <div class="grow">
              <div>
                <strong>{session.name}</strong>
                {session.current && <span class="tag">this browser</span>}
              </div>
              <div class="soft">
                {session.tool || KINDS[session.kind]} · last used <When at={session.lastUsedAt} />, since{' '}
                {instant(session.createdAt)}
              </div>
            </div>
            {!session.current && (
              <button
                type="button"
                class="quiet"
                disabled={isBusy}
                aria-label={`End ${session.name}`}
                onClick={() => void act(() => end(session.id))}
              >
                End
              </button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 1 && (
        <button type="button" class="quiet" onClick={() => setAsks(true)}>
          End all others
        </button>
      )}
      {asks && (
        <Confirm
          title={`End ${others.length} sessions?`}
          yes="End all others"
          onYes={async () => {
            for (const { id } of others) await end(id);
          }}
          onClose={() => setAsks(false)}
        >
          <p>Each of them has to sign in again. Nothing else is lost.</p>
        </Confirm>
      )}
    </>
  );
}
