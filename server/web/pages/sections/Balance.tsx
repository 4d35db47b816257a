import type { AccountAnswer } from '../../../../shared/account.ts';
import type { LogAnswer } from '../../../../shared/credits.ts';
import { credits, instant, signedCredits, when } from '../format.ts';
import { useResource } from '../live.ts';
import { Bar, Failure, Loading } from '../parts.tsx';

export function Balance({ answer }: { answer: AccountAnswer }) {
  const { balance, account } = answer;
  const log = useResource<LogAnswer>('/api/credits/log?limit=15', ['balance']);
  const leftMicro = balance.availableMicro + balance.pendingMicro;
  const isGuest = account.kind === 'guest' && balance.guestMessagesLeft !== undefined;
  return (
    <>
      {balance.unlimited ? (
        <p class="big">Unlimited</p>
      ) : isGuest ? (
        <p class="big">
          <span class="number">{balance.guestMessagesLeft}</span> free messages left
        </p>
      ) : (
        <Bar
          label="Left"
          text={`${credits(leftMicro)} of ${credits(Math.max(balance.ofMicro, leftMicro))} credits`}
          share={balance.ofMicro > 0 ? leftMicro / balance.ofMicro : leftMicro > 0 ? 1 : 0}
        />
      )}
      {balance.unlimited && <p class="soft">This server is your own: it counts what is used, and limits nothing.</p>}
      {balance.windows.map((window) => (
        <div key={window.name}>
          <Bar
            label={`In any ${window.name}`}
            text={`${credits(window.usedMicro)} of ${credits(window.limitMicro)} used`}
            share={window.limitMicro > 0 ? window.usedMicro / window.limitMicro : 1}
          />
          {window.nextFreeAt && (
            <p class="soft">
              {credits(window.nextFreeMicro)} free up at {instant(window.nextFreeAt)}
              {window.allFreeAt &&
                window.allFreeAt !== window.nextFreeAt &&
                `, all of it at ${instant(window.allFreeAt)}`}
              .
            </p>
          )}
        </div>
      ))}
      {!isGuest && !balance.unlimited && (
        <dl class="facts">
          <dt>Promotional, spent first</dt>
          <dd class="number">{credits(balance.promotionalMicro)}</dd>
          <dt>Purchased, never expire</dt>
          <dd class="number">{credits(balance.purchasedMicro)}</dd>
          {balance.pendingMicro > 0 && (
            <>
              <dt>Set aside for running answers</dt>
              <dd class="number">{credits(balance.pendingMicro)}</dd>
            </>
          )}
        </dl>
      )}
      <h2>Latest</h2>
      {log.failure && <Failure failure={log.failure} again={log.reload} />}
      {!log.value && !log.failure && <Loading />}
      {log.value?.entries.length === 0 && <p class="soft">Nothing was given or spent yet.</p>}
      {log.value && log.value.entries.length > 0 && (
        <ul class="list">
          {log.value.entries.map((entry) => (
            <li key={entry.id}>
              <div class="grow">
                <div>{entry.reason}</div>
                <div class="soft">
                  {when(entry.at)}
                  {entry.usage &&
                    ` · ${entry.usage.inputTokens.toLocaleString('en')} in, ${entry.usage.outputTokens.toLocaleString('en')} out`}
                </div>
              </div>
              <span class="number">{signedCredits(entry.amountMicro)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
