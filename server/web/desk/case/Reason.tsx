import { MAX_WHY } from '../../../../shared/decisions.ts';
import { count } from '../../kit/format.ts';
import type { Template } from '../templates.ts';

/** The written reason, which the owner reads, begun by a template or free. */
export function Reason(props: {
  id: string;
  label: string;
  text: string;
  write: (text: string) => void;
  templates: readonly Template[];
}) {
  const { id, label, text, write, templates } = props;
  // A template never overwrites what somebody has written.
  const add = (template: string) =>
    write(text.trim() === '' || isReady(text, templates) ? template : `${text.trimEnd()}\n\n${template}`);
  return (
    <>
      {templates.length > 0 && (
        <div class="row templates">
          <span class="soft" id={`${id}-templates`}>
            Begin with
          </span>
          {templates.map(({ name, text: ready }) => (
            <button key={name} type="button" class="quiet small" onClick={() => add(ready)}>
              {name}
            </button>
          ))}
        </div>
      )}
      <label class="field wide-field">
        {label}
        <textarea
          id={id}
          value={text}
          rows={5}
          maxLength={MAX_WHY}
          required
          onInput={(event) => write(event.currentTarget.value)}
        />
      </label>
      {text.length > MAX_WHY * 0.8 && (
        <p class="soft">
          {count(MAX_WHY - text.length)} of {count(MAX_WHY)} letters are left.
        </p>
      )}
    </>
  );
}

const isReady = (text: string, templates: readonly Template[]) => templates.some((one) => one.text === text.trim());
