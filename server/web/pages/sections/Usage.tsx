import { useState } from 'preact/hooks';
import { MICRO_PER_CREDIT } from '../../../../shared/constants.ts';
import type { UsageAnswer, UsageRow } from '../../../../shared/credits.ts';
import { creditsSpent, inCredits, withUnit } from '../../../../shared/money/amounts.ts';
import { Columns } from '../charts.tsx';
import { count, counted, dayLabel } from '../format.ts';
import { useResource } from '../live.ts';
import { Bar, Choice, Failure, Loading } from '../parts.tsx';

type Range = '7' | '30' | '90';

/** The reader's time zone, which decides when a day begins. */
const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** Midnight at the start of the period of `days` days that ends today. */
function firstDay(days: number): string {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days + 1).toISOString();
}

/** The cost of runs: charges less refunds. Refunds may belong to earlier days, so it can be negative. */
const cost = (micro: number) => (micro < 0 ? '−' : '') + creditsSpent(micro);

export function Usage() {
  const [range, setRange] = useState<Range>('30');
  const query = (by: string) =>
    `/api/credits/usage?${new URLSearchParams({ by, from: firstDay(Number(range)), zone: ownZone() })}`;
  const days = useResource<UsageAnswer>(query('day'), ['balance']);
  const models = useResource<UsageAnswer>(query('model'), ['balance']);
  const tools = useResource<UsageAnswer>(query('tool'), ['balance']);
  const all = [days, models, tools];
  const failure = all.find((one) => one.failure)?.failure;
  const reload = () => {
    for (const one of all) one.reload();
  };
  const total = days.value?.total;
  const isEmpty = total?.runs === 0 && total.chargedMicro === 0;
  return (
    <>
      <Choice
        label="Time"
        name="range"
        value={range}
        options={[
          ['7', '7 days'],
          ['30', '30 days'],
          ['90', '90 days'],
        ]}
        onChoose={setRange}
      />
      {failure && <Failure failure={failure} again={reload} />}
      {all.some((one) => !one.value) && !failure && <Loading />}
      {isEmpty && <p class="soft">Nothing was used on these days. An answer counts here when it has ended.</p>}
      {total && !isEmpty && (
        <>
          <Totals total={total} />
          <h2>By day</h2>
          <Days answer={days.value!} />
          {models.value && <Ranking title="By model" rows={models.value.rows} />}
          {tools.value && <Ranking title="By tool" rows={tools.value.rows} />}
        </>
      )}
    </>
  );
}

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
          <table>
            <thead>
              <tr>
                <th scope="col">Day</th>
                <th scope="col">Credits</th>
                <th scope="col">Runs</th>
                <th scope="col">Tokens in</th>
                <th scope="col">Cached</th>
                <th scope="col">Tokens out</th>
              </tr>
            </thead>
            <tbody>
              {rows.toReversed().map((row) => (
                <tr key={row.key}>
                  <th scope="row">{dayLabel(row.key)}</th>
                  <td title={inCredits(row.chargedMicro)}>{cost(row.chargedMicro)}</td>
                  <td>{count(row.runs)}</td>
                  <td>{count(row.inputTokens)}</td>
                  <td>{count(row.cachedInputTokens)}</td>
                  <td>{count(row.outputTokens)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </>
  );
}

/** Dearest first, the server's order. */
function Ranking({ title, rows }: { title: string; rows: readonly UsageRow[] }) {
  const most = Math.max(0, ...rows.map((row) => row.chargedMicro));
  if (rows.length === 0) return null;
  return (
    <>
      <h2>{title}</h2>
      <ul class="plain-list">
        {rows.map((row) => (
          <li key={row.key}>
            <Bar
              label={row.key || 'Not named'}
              text={`${withUnit(cost(row.chargedMicro))} · ${counted(row.runs, 'run')}`}
              share={most > 0 ? row.chargedMicro / most : 0}
            />
          </li>
        ))}
      </ul>
    </>
  );
}
