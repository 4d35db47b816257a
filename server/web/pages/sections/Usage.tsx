import { useEffect, useState } from 'preact/hooks';
import { MICRO_PER_CREDIT } from '../../../../shared/constants.ts';
import type { UsageAnswer, UsageBy, UsageRow } from '../../../../shared/credits.ts';
import { creditsSpent, inCredits, withUnit } from '../../../../shared/money/amounts.ts';
import { Columns } from '../../kit/charts.tsx';
import { count, counted, dayLabel } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { Choice, Failure, Loading } from '../../kit/parts.tsx';
import { addressOf, GROUPS, isMonth, monthsUntil, monthTitle, queryOf, type View, viewOf } from './usageView.ts';

/** The first column's title, and what it says of runs that name nothing. */
const NAMES: Record<UsageBy, readonly [title: string, none: string]> = {
  day: ['Day', ''],
  model: ['Model', 'Not named'],
  tool: ['Tool', 'Not named'],
  key: ['API key', 'Without a key: the editor'],
};

/** The cost of runs: charges less refunds. Refunds may belong to earlier days, so it can be negative. */
const cost = (micro: number) => (micro < 0 ? '−' : '') + creditsSpent(micro);

const nameOf = (by: UsageBy, { key, name }: UsageRow) => (by === 'day' ? dayLabel(key) : (name ?? key) || NAMES[by][1]);

export function Usage() {
  const now = new Date();
  const [view, showView] = useState<View>(() => viewOf(location.hash, now));
  useEffect(() => {
    const moved = () => showView(viewOf(location.hash, new Date()));
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  const setView = (part: Partial<View>) => {
    const next = { ...view, ...part };
    // Replace the history entry: the back button should not step through views.
    history.replaceState(null, '', addressOf(next));
    showView(next);
  };
  const months = monthsUntil(now);
  const ofMonth = isMonth(view.time);
  const {
    value: answer,
    failure,
    reload,
  } = useResource<UsageAnswer>(`/api/credits/usage?${queryOf(view, now)}`, ['balance']);
  const isEmpty = answer?.total.runs === 0 && answer.total.chargedMicro === 0;
  return (
    <>
      <div class="row">
        <Choice
          label="Time"
          name="range"
          value={ofMonth ? 'month' : view.time}
          options={[
            ['7', '7 days'],
            ['30', '30 days'],
            ['90', '90 days'],
            ['month', 'Month'],
          ]}
          onChoose={(time) => setView({ time: time === 'month' ? months[0]! : time })}
        />
        {ofMonth && (
          <select
            class="beside-choice"
            aria-label="Month"
            value={view.time}
            onChange={(event) => setView({ time: event.currentTarget.value })}
          >
            {[...new Set([...months, view.time])].map((month) => (
              <option key={month} value={month}>
                {monthTitle(month)}
              </option>
            ))}
          </select>
        )}
      </div>
      <Choice label="Group by" name="by" value={view.by} options={GROUPS} onChoose={(by) => setView({ by })} />
      {failure && <Failure failure={failure} again={reload} />}
      {!answer && !failure && <Loading />}
      {answer && !failure && isEmpty && (
        <p class="soft">Nothing was used on these days. An answer counts here when it has ended.</p>
      )}
      {answer && !failure && !isEmpty && (
        <>
          <Totals total={answer.total} />
          {answer.by === 'day' ? <Days answer={answer} /> : <Table answer={answer} />}
          <div class="row">
            <a class="button quiet" href={fileOf(answer)} download>
              Download these rows (CSV)
            </a>
          </div>
        </>
      )}
    </>
  );
}

/** The file with the rows of this answer, also if another view is being fetched. */
const fileOf = ({ by, from, to, zone }: UsageAnswer) =>
  `/api/credits/usage.csv?${new URLSearchParams({ by, from, to, zone })}`;

function Totals({ total }: { total: UsageAnswer['total'] }) {
  const { chargedMicro, runs, inputTokens, cachedInputTokens, outputTokens } = total;
  const cached = inputTokens > 0 ? Math.round((cachedInputTokens / inputTokens) * 100) : 0;
  const tile = (label: string, value: string, note?: string, exact?: string) => (
    <div>
      <dt>{label}</dt>
      <dd class="number" title={exact}>
        {value}
      </dd>
      {note && <dd class="soft">{note}</dd>}
    </div>
  );
  return (
    <dl class="tiles">
      {tile('Credits', cost(chargedMicro), undefined, inCredits(chargedMicro))}
      {tile('Runs', count(runs))}
      {tile('Tokens in', count(inputTokens), `${cached} % cached`)}
      {tile('Tokens out', count(outputTokens))}
    </dl>
  );
}

function Days({ answer }: { answer: UsageAnswer }) {
  const { rows, zone } = answer;
  const most = rows.reduce((best, row) => (row.chargedMicro > best.chargedMicro ? row : best), rows[0]!);
  const label =
    `Credits of each day from ${dayLabel(rows[0]!.key)} to ${dayLabel(rows.at(-1)!.key)}; ` +
    `most on ${dayLabel(most.key)}, ${cost(most.chargedMicro)}. The table below has them all.`;
  const columns = rows.map((row) => ({
    key: row.key,
    label: dayLabel(row.key),
    value: Math.max(0, row.chargedMicro) / MICRO_PER_CREDIT,
    text: `${withUnit(cost(row.chargedMicro))} · ${counted(row.runs, 'run')}`,
  }));
  return (
    <>
      <Columns columns={columns} label={label} unit={`Credits · days of ${zone.replaceAll('_', ' ')}`} />
      <details>
        <summary>As a table</summary>
        {/* Focusable, because it scrolls. */}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
        <section class="scroll" tabIndex={0} aria-label="Usage by day">
          <Table answer={{ ...answer, rows: rows.toReversed() }} />
        </section>
      </details>
    </>
  );
}

/** Rows of other groups than days are dearest first, the server's order. */
function Table({ answer: { by, rows } }: { answer: UsageAnswer }) {
  const most = Math.max(0, ...rows.map((row) => row.chargedMicro));
  return (
    <table class="usage">
      <thead>
        <tr>
          <th scope="col">{NAMES[by][0]}</th>
          <th scope="col">Runs</th>
          <th scope="col">Tokens in</th>
          <th scope="col">Cached</th>
          <th scope="col">Tokens out</th>
          <th scope="col">Credits</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key}>
            <th scope="row">
              {nameOf(by, row)}
              <div class="bar-track" aria-hidden="true">
                <div
                  class="bar-fill"
                  style={{ width: `${most > 0 ? (Math.max(0, row.chargedMicro) / most) * 100 : 0}%` }}
                />
              </div>
            </th>
            <td class="runs">{count(row.runs)}</td>
            <td class="in">{count(row.inputTokens)}</td>
            <td class="cached">{count(row.cachedInputTokens)}</td>
            <td class="out">{count(row.outputTokens)}</td>
            <td class="credits" title={inCredits(row.chargedMicro)}>
              {cost(row.chargedMicro)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
