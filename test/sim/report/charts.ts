// Line charts as SVG, with a light card behind them: readable on light and on dark pages.

export interface Axis {
  label: string;
  from: number;
  to: number;
  ticks: readonly number[];
  isLog?: boolean;
  /** What stands at a tick. */
  say?: (value: number) => string;
}

export interface Series {
  name: string;
  points: readonly (readonly [number, number])[];
  isDashed?: boolean;
}

export interface Chart {
  title: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
}

/** Okabe and Ito's colours, which people with colour blindness tell apart; without yellow, which is too light. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#333333', '#7b5ea7'];
const DASHES = ' stroke-dasharray="5 4"';
const SIZE = { width: 460, height: 300, left: 56, right: 24, top: 34, bottom: 44, legend: 16 };

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const round = (value: number) => Number(value.toFixed(1));

function positions(axis: Axis, from: number, to: number): (value: number) => number {
  const of = (value: number) => (axis.isLog ? Math.log10(Math.max(value, axis.from)) : value);
  const [low, high] = [of(axis.from), of(axis.to)];
  return (value) =>
    round(from + ((of(Math.min(Math.max(value, axis.from), axis.to)) - low) / (high - low)) * (to - from));
}

function drawn({ title, x, y, series }: Chart, left: number, top: number, height: number): string {
  const box = { left: left + SIZE.left, right: left + SIZE.width - SIZE.right, top: top + SIZE.top };
  const bottom = top + SIZE.height - SIZE.bottom;
  const [atX, atY] = [positions(x, box.left, box.right), positions(y, bottom, box.top)];
  const say = (axis: Axis, value: number) => escaped(axis.say?.(value) ?? String(value));
  const text = (at: readonly [number, number], what: string, rest = '') =>
    `<text x="${round(at[0])}" y="${round(at[1])}" ${rest}>${what}</text>`;
  const middle = (box.left + box.right) / 2;
  return [
    text([middle, top + 20], escaped(title), 'class="title" text-anchor="middle"'),
    ...y.ticks.map((tick) => `<path class="grid" d="M${box.left} ${atY(tick)}H${box.right}"/>`),
    ...y.ticks.map((tick) => text([box.left - 6, atY(tick) + 4], say(y, tick), 'text-anchor="end"')),
    ...x.ticks.map((tick) => `<path class="grid" d="M${atX(tick)} ${box.top}V${bottom}"/>`),
    ...x.ticks.map((tick) => text([atX(tick), bottom + 15], say(x, tick), 'text-anchor="middle"')),
    text([middle, bottom + 32], escaped(x.label), 'text-anchor="middle"'),
    `<text transform="translate(${left + 14} ${(box.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`,
    ...series.flatMap(({ points, isDashed }, i) => {
      const color = COLORS[i % COLORS.length]!;
      const line = points.map(([a, b], k) => `${k === 0 ? 'M' : 'L'}${atX(a)} ${atY(b)}`).join('');
      const dots =
        points.length > 40
          ? []
          : points.map(([a, b]) => `<circle cx="${atX(a)}" cy="${atY(b)}" r="2.5" fill="${color}"/>`);
      return [`<path d="${line}" stroke="${color}" class="line"${isDashed ? DASHES : ''}/>`, ...dots];
    }),
    ...series.flatMap(({ name, isDashed }, i) => {
      const [column, line] = [i % 2, Math.floor(i / 2)];
      const [a, b] = [left + SIZE.left + column * 205, top + height - 8 - SIZE.legend * (rowsOf(series) - 1 - line)];
      return [
        `<path d="M${a} ${b - 4}h16" stroke="${COLORS[i % COLORS.length]}" class="line"${isDashed ? DASHES : ''}/>`,
        text([a + 21, b], escaped(name)),
      ];
    }),
  ].join('\n');
}

const rowsOf = (series: readonly Series[]) => Math.ceil(series.length / 2);

/** The charts beside each other, two in a row. */
export function svg(charts: readonly Chart[]): string {
  const height = SIZE.height + SIZE.legend * Math.max(...charts.map(({ series }) => rowsOf(series)));
  const [columns, rows] = [Math.min(2, charts.length), Math.ceil(charts.length / 2)];
  const [width, full] = [columns * SIZE.width + 16, rows * height + 12];
  const style =
    'text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:13px}' +
    '.grid{stroke:#d0d7de;fill:none}.line{fill:none;stroke-width:2;stroke-linejoin:round}';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${full}" width="${width}" height="${full}" role="img">`,
    `<style>${style}</style><rect width="${width}" height="${full}" rx="8" fill="#fff"/>`,
    ...charts.map((chart, i) => drawn(chart, (i % 2) * SIZE.width, Math.floor(i / 2) * height, height)),
    '</svg>\n',
  ].join('\n');
}
