import { useState } from 'preact/hooks';
import type { FairUse, Numbers } from '../../../shared/desk.ts';
import { count } from '../kit/format.ts';
import { useResource } from '../kit/live.ts';
import { Bar, Choice, Failure, Loading } from '../kit/parts.tsx';
import { DECISION_WORDS, KIND_NAMES } from './words.ts';

const DAYS = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'A year'],
] as const;

export const share = (part: number, of: number) => (of === 0 ? '–' : `${Math.round((100 * part) / of)} %`);
const hours = (h: number | null) =>
  h === null ? '–' : h < 48 ? `${count(Math.round(h * 10) / 10)} h` : `${Math.round(h / 24)} days`;

/** How the flags and decisions turned out. */
export function NumbersView() {
  const [days, setDays] = useState<(typeof DAYS)[number][0]>('90');
  const { value, failure, reload } = useResource<Numbers>(`/api/desk/numbers?days=${days}`, []);
  return (
    <>
      <Choice label="Time" name="days" value={days} options={DAYS} onChoose={setDays} />
      {failure && <Failure failure={failure} again={reload} />}
      {!value && !failure && <Loading />}
      {value && (
        <>
          <Outcomes numbers={value} />
          <Rules rules={value.rules} />
        </>
      )}
    </>
  );
}

/** What the desk and everybody may see. */
export function Outcomes({ numbers }: { numbers: FairUse }) {
  const { cases, appeals, agreement } = numbers;
  const sum = (of: 'opened' | 'decided') => cases.reduce((all, one) => all + one[of], 0);
  const nothing = cases.reduce(
    (all, { decisions }) => all + (decisions.find(({ kind }) => kind === 'nothing')?.count ?? 0),
    0,
  );
  return (
    <>
      <dl class="tiles">
        <Tile name="Cases opened" value={count(sum('opened'))} />
        <Tile name="Decided" value={count(sum('decided'))} />
        <Tile name="Came to nothing" value={share(nothing, sum('decided'))} note="of those decided" />
        <Tile
          name="Appeals won"
          value={`${count(appeals.reversed)} of ${count(appeals.decided)}`}
          note={`${count(appeals.made)} made, answered in ${hours(appeals.hoursToDecision)}`}
        />
        <Tile
          name="Reviewers agree"
          value={share(agreement.agreed, agreement.looked)}
          note={`in ${count(agreement.looked)} second looks`}
        />
      </dl>
      <h2>What was decided</h2>
      {sum('opened') === 0 && <p class="empty">No case was opened in this time.</p>}
      <div class="kinds">
        {cases
          .filter(({ opened, decided }) => opened + decided > 0)
          .map(({ kind, opened, decided, decisions, hoursToDecision }) => (
            <section key={kind} class="kind" aria-label={KIND_NAMES[kind]}>
              <h3>{KIND_NAMES[kind]}</h3>
              <p class="soft">
                {count(opened)} opened, {count(decided)} decided, half of them within {hours(hoursToDecision)}
              </p>
              {decisions
                .filter((one) => one.count > 0)
                .map((one) => (
                  <Bar
                    key={one.kind}
                    label={DECISION_WORDS[one.kind].name.replace(' until …', '')}
                    text={`${count(one.count)} · ${share(one.count, decided)}`}
                    share={one.count / Math.max(1, decided)}
                  />
                ))}
            </section>
          ))}
      </div>
    </>
  );
}

function Tile({ name, value, note }: { name: string; value: string; note?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="number">{value}</dd>
      {note && <dd class="soft">{note}</dd>}
    </div>
  );
}

/** How often the flags of each version of the rules came to nothing: where that is often, the rules are wrong. */
function Rules({ rules }: { rules: Numbers['rules'] }) {
  if (rules.length === 0) return null;
  return (
    <>
      <h2>Came to nothing, by rule</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section class="scroll" aria-label="Came to nothing, by rule" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col">Rules</th>
              <th scope="col">Thresholds</th>
              <th scope="col">Decided</th>
              <th scope="col">Came to nothing</th>
            </tr>
          </thead>
          <tbody>
            {rules.map((rule) => (
              <tr key={`${rule.kind} ${rule.rulesVersion} ${rule.thresholdVersion}`}>
                <th scope="row">{KIND_NAMES[rule.kind]}</th>
                <td>{rule.rulesVersion}</td>
                <td>{rule.thresholdVersion}</td>
                <td>{count(rule.decided)}</td>
                <td>
                  {count(rule.cameToNothing)} · {share(rule.cameToNothing, rule.decided)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
