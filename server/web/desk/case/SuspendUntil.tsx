const DAY_MS = 86_400_000;

/** A day in the reviewer's own zone, as a date field has it. */
function dayIn(days: number): string {
  const day = new Date(Date.now() + days * DAY_MS);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((n) => String(n).padStart(2, '0')).join('-');
}

/** The last minute of that day, in the reviewer's own zone. */
export const endOfDay = (day: string) => new Date(`${day}T23:59:00`).toISOString();

/** The last day without answers. */
export function SuspendUntil({ day, onDay }: { day: string; onDay: (day: string) => void }) {
  return (
    <div class="row until">
      <label class="field">
        Last day without answers
        <input
          type="date"
          value={day}
          min={dayIn(0)}
          max={dayIn(364)}
          required
          onInput={(event) => onDay(event.currentTarget.value)}
        />
      </label>
      {[7, 30, 90].map((days) => (
        <button key={days} type="button" class="quiet small" onClick={() => onDay(dayIn(days))}>
          {days} days
        </button>
      ))}
    </div>
  );
}
