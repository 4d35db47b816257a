import { useState } from 'preact/hooks';
import { Amount } from './parts.tsx';

export interface SplitPart {
  id: 'plan' | 'promotional' | 'purchased' | 'pending';
  label: string;
  /** The part's size in micro-credits, and in words. */
  size: number;
  text: string;
}

/**
 * One bar made of parts, the rest empty. Each part is also listed below in words, so that colour is not the only sign.
 */
export function Split(props: { label: string; text: string; of: number; parts: readonly SplitPart[] }) {
  const filled = props.parts.reduce((sum, { size }) => sum + size, 0);
  const rest = Math.max(0, props.of - filled);
  return (
    <div class="bar">
      <div class="bar-words">
        <span>{props.label}</span>
        <span class="number">{props.text}</span>
      </div>
      <div class="bar-track split" aria-hidden="true">
        {props.parts
          .filter(({ size }) => size > 0)
          .map(({ id, size }) => (
            <div key={id} class={`part ${id}`} style={{ flexGrow: size }} />
          ))}
        <div style={{ flexGrow: rest || (filled > 0 ? 0 : 1) }} />
      </div>
      <ul class="legend">
        {props.parts.map(({ id, label, size, text }) => (
          <li key={id}>
            <span class={`swatch part ${id}`} aria-hidden="true" />
            <span class="grow">{label}</span>
            <Amount micro={size} text={text} />
          </li>
        ))}
      </ul>
    </div>
  );
}

export interface Column {
  key: string;
  label: string;
  value: number;
  /** The column's value in words. */
  text: string;
}

/** The smallest of 1, 2, 5, 10, 20 … that is at least `most`; 1 for zero. */
export function niceTop(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= most * (1 - 1e-9))!;
}

/** A column for each day. It is hidden from screen readers, so the caller must add a table beside it. */
export function Columns({ columns, label, unit }: { columns: readonly Column[]; label: string; unit: string }) {
  const [at, setAt] = useState<number>();
  const top = niceTop(Math.max(0, ...columns.map(({ value }) => value)));
  const read = at === undefined ? undefined : columns[at];
  const find = (event: PointerEvent) => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    setAt(Math.min(columns.length - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * columns.length))));
  };
  const middle = columns[Math.floor((columns.length - 1) / 2)];
  return (
    <div class="chart">
      <p class="soft readout" aria-hidden="true">
        {read ? `${read.label}: ${read.text}` : unit}
      </p>
      <div class="scale" aria-hidden="true">
        {[top, top / 2, 0].map((value) => (
          <span key={value}>{value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 3 })}</span>
        ))}
      </div>
      <svg
        viewBox={`0 0 ${columns.length * 10} 100`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
        onPointerMove={find}
        onPointerDown={find}
        onPointerLeave={() => setAt(undefined)}
      >
        {at !== undefined && <rect class="here" x={at * 10} y={0} width={10} height={100} />}
        {[0, 50, 100].map((y) => (
          <line key={y} x1={0} x2={columns.length * 10} y1={y} y2={y} />
        ))}
        {columns.map(({ key, value }, i) => {
          // Give a small value a visible height.
          const height = value > 0 ? Math.max(1.5, (value / top) * 100) : 0;
          return <rect key={key} x={i * 10 + 1} y={100 - height} width={8} height={height} />;
        })}
      </svg>
      <div class="days" aria-hidden="true">
        <span>{columns[0]?.label}</span>
        {columns.length > 2 && <span>{middle?.label}</span>}
        <span>{columns.at(-1)?.label}</span>
      </div>
    </div>
  );
}
