import { useState } from 'preact/hooks';
import { counted } from '../../kit/format.ts';
import { DAYS, hourOf, quietOf, weekInWords } from './week.ts';

const HEIGHT = 72;
/** Of one hour. */
const WIDTH = 5;

/** A person's turns in each hour of the week: one person sleeps, several rarely do at once. */
export function Week({ week }: { week: readonly number[] }) {
  const [at, setAt] = useState<number>();
  const top = Math.max(1, ...week);
  const find = (event: PointerEvent) => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    setAt(Math.min(167, Math.max(0, Math.floor(((event.clientX - left) / width) * 168))));
  };
  return (
    <section aria-labelledby="week">
      <h2 id="week">Hours of the week</h2>
      <p class="soft">{weekInWords(week)}</p>
      <div class="week">
        <p class="soft readout" aria-hidden="true">
          {at !== undefined && `${hourOf(at)}: ${counted(week[at]!, 'turn')}`}
        </p>
        <svg
          viewBox={`0 0 ${168 * WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`Turns by hour of the week. ${weekInWords(week)}`}
          onPointerMove={find}
          onPointerDown={find}
          onPointerLeave={() => setAt(undefined)}
        >
          {DAYS.map((day, n) => (
            <rect
              key={day}
              class={n % 2 === 0 ? 'day' : 'day other'}
              x={n * 24 * WIDTH}
              width={24 * WIDTH}
              height={HEIGHT}
            />
          ))}
          {at !== undefined && <rect class="here" x={at * WIDTH} width={WIDTH} height={HEIGHT} />}
          {week.map((n, hour) => {
            // A small number is seen as well.
            const height = n > 0 ? Math.max(2, (n / top) * (HEIGHT - 2)) : 0;
            return (
              <rect
                key={hour}
                class="bar-of"
                x={hour * WIDTH + 0.5}
                y={HEIGHT - height}
                width={WIDTH - 1}
                height={height}
              />
            );
          })}
        </svg>
        <div class="hours" aria-hidden="true">
          {DAYS.map((day) => (
            <span key={day}>
              <b>{day.slice(0, 3)}</b>
              <i>12</i>
              <i>18</i>
            </span>
          ))}
        </div>
      </div>
      <details>
        <summary>As a table</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <section class="scroll" aria-label="Turns by day" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Day, UTC</th>
                <th scope="col">Turns</th>
                <th scope="col">Most at</th>
                <th scope="col">Longest quiet</th>
              </tr>
            </thead>
            <tbody>
              {DAYS.map((day, n) => {
                const hours = week.slice(n * 24, n * 24 + 24);
                const most = Math.max(...hours);
                return (
                  <tr key={day}>
                    <th scope="row">{day}</th>
                    <td>{hours.reduce((sum, one) => sum + one, 0)}</td>
                    <td>{most === 0 ? '–' : `${hours.indexOf(most)}:00, ${most}`}</td>
                    <td>{counted(quietWithin(hours), 'hour')}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </section>
      </details>
    </section>
  );
}

/** The longest stretch without a turn within a day. */
function quietWithin(hours: readonly number[]): number {
  // With something after each end, no stretch goes around.
  return quietOf([...hours, 1])?.hours ?? 0;
}
