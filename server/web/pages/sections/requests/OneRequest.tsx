import type { ComponentChildren } from 'preact';
import type { RequestRecord } from '../../../../../shared/requests.ts';
import { count, instant, spent } from '../../../kit/format.ts';
import { useResource } from '../../../kit/live.ts';
import { Copyable, Failure, Loading } from '../../../kit/parts.tsx';
import { adviceOf, OUTCOMES, storyOf, took } from './words.ts';

/** One request: what happened, and what to do about it. */
export function OneRequest({ id }: { id: string }) {
  const { value, failure, reload } = useResource<RequestRecord>(`/api/requests/${encodeURIComponent(id)}`, ['balance']);
  const isUnknown = failure?.code === 'not_found' || failure?.code === 'invalid_request';
  return (
    <>
      <p>
        <a href="#requests">All requests</a>
      </p>
      {isUnknown && <Unknown id={id} />}
      {failure && !isUnknown && <Failure failure={failure} again={reload} />}
      {!value && !failure && <Loading />}
      {value && !failure && <Story record={value} />}
    </>
  );
}

function Unknown({ id }: { id: string }) {
  return (
    <div class="box" role="alert">
      <p>
        <strong>This account has no request “{id.slice(0, 60)}”.</strong> Requests are kept for 90 days. There is no
        record of a call whose key was wrong, of what another account sent, and of an answer that is still running.
      </p>
    </div>
  );
}

function Story({ record }: { record: RequestRecord }) {
  const { outcome, usage, key, firstMs, wholeMs, times } = record;
  const advice = adviceOf(record);
  return (
    <>
      <div class={`box ${advice ? 'problem' : ''}`}>
        <p>
          <strong>{storyOf(record)}</strong> {record.chargedMicro === 0 && 'It was not charged.'}
        </p>
        {advice && <p>{advice}</p>}
      </div>
      <Copyable label="Request id" value={record.id} />
      <dl class="facts">
        <Fact name="Outcome">
          {OUTCOMES[outcome]}
          {record.code && <> ({record.code})</>}
          {record.status !== undefined && record.status >= 400 && <>, HTTP status {record.status}</>}
        </Fact>
        <Fact name="When">{instant(record.at)}</Fact>
        <Fact name="Tool">{record.tool}</Fact>
        {key && <Fact name="API key">{key.name ?? 'deleted'}</Fact>}
        <Fact name="Call">
          <code>{record.route}</code>
        </Fact>
        {record.asked && record.asked !== record.model && <Fact name="Asked for">{record.asked}</Fact>}
        {record.model && <Fact name="Model">{record.model}</Fact>}
        {record.attempts !== undefined && record.attempts > 1 && <Fact name="Attempts">{record.attempts}</Fact>}
        {firstMs !== undefined && <Fact name="First word after">{took(firstMs)}</Fact>}
        <Fact name="Whole after">{took(wholeMs)}</Fact>
        {usage && (
          <Fact name="Tokens">
            {count(usage.inputTokens)} in
            {usage.cachedInputTokens > 0 && ` (${count(usage.cachedInputTokens)} cached)`}, {count(usage.outputTokens)}{' '}
            out
            {usage.thinkingTokens > 0 && ` (about ${count(usage.thinkingTokens)} thinking)`}
            {usage.estimated && ', estimated'}
          </Fact>
        )}
        <Fact name="Charged">{spent(record.chargedMicro)}</Fact>
        {times > 1 && (
          <Fact name="Alike">{count(times)} within this minute. Of so many, only the first is kept with its id.</Fact>
        )}
      </dl>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
