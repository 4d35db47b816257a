import type { ComponentChildren } from 'preact';
import { isOfAll, type ShownCode } from '../blocks/applicable.ts';
import { ApplyButton, ApplyTold, useApplyCode } from '../parts/Apply.tsx';

interface CodeFrameProps {
  code: ShownCode;
  closed: boolean;
  label: string;
  title?: string;
  counts?: ComponentChildren;
  actions: ComponentChildren;
  children: ComponentChildren;
}

/** The frame of a code block, with its label and actions above the code. */
export function CodeFrame({ code, closed, label, title, counts, actions, children }: CodeFrameProps) {
  const apply = useApplyCode(code, closed);
  return (
    <figure class="code" dir="ltr">
      <figcaption>
        <span class="what" title={title}>
          {label}
        </span>
        {counts}
        <span class="ends">
          <span class="actions">{actions}</span>
          {apply && <ApplyButton apply={apply} label="Apply" what={label} isMain={isOfAll(code)} />}
        </span>
      </figcaption>
      {apply && <ApplyTold apply={apply} what={label} code={code} />}
      {children}
    </figure>
  );
}
