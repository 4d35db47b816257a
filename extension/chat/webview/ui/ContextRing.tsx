import { useRef, useState } from 'preact/hooks';
import { count, estimateTokens } from '../format.ts';
import { useChatState } from '../model/context.ts';
import { attachedTokens } from '../model/forecast.ts';
import { useOutside } from '../parts/Menu.tsx';

const none: never[] = [];

/** How much of the model's context is used: by the conversation, the attachments and the typed text. */
export function ContextRing() {
  const models = useChatState((s) => s.surroundings?.models ?? none);
  const modelId = useChatState((s) => s.surroundings?.modelId ?? null);
  const soFar = useChatState((s) => s.surroundings?.contextTokens ?? 0);
  const chips = useChatState((s) => s.surroundings?.chips ?? none);
  const guidance = useChatState((s) => s.surroundings?.instructions);
  const draft = useChatState((s) => s.draft);
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useOutside(open, [place], () => setOpen(false));
  const model = models.find((m) => m.id === modelId) ?? models.find((m) => m.isDefault) ?? models[0];
  if (!model) return null;
  const attached = attachedTokens(chips, guidance);
  const typed = estimateTokens(draft);
  const used = soFar + attached + typed;
  const percent = Math.round((used / model.contextTokens) * 100);
  const level = percent > 100 ? 'over' : percent > 80 ? 'high' : 'fine';
  const advice =
    level === 'over'
      ? 'More than the model can read: remove attachments or begin a new chat.'
      : level === 'high'
        ? 'Nearly full: a new chat or fewer attachments leave more room for the answer.'
        : 'Room for the conversation. Not your credits.';
  const words = `Context ${percent} % full: about ${count(used)} of ${count(model.contextTokens)} tokens`;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape is heard from the button inside
    <div
      class={`menu-place over context ${level === 'fine' ? '' : `context-${level}`}`}
      ref={place}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.preventDefault();
        event.stopPropagation();
        setOpen(false);
        button.current?.focus();
      }}
    >
      <button
        type="button"
        class="plain ring"
        ref={button}
        title={`${words}. ${advice}`}
        aria-label={words}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="8" cy="8" r="6" />
          <circle
            cx="8"
            cy="8"
            r="6"
            class="used"
            pathLength={100}
            stroke-dasharray={`${Math.min(100, percent)} 100`}
          />
        </svg>
        <span class="percent">{percent} %</span>
      </button>
      {open && (
        <section class="popup details" aria-label="Context">
          <strong>Context of {model.name}</strong>
          <dl>
            <dt>Conversation</dt>
            <dd>{count(soFar)}</dd>
            <dt>Attached</dt>
            <dd>{count(attached)}</dd>
            <dt>Typed</dt>
            <dd>{count(typed)}</dd>
            <dt class="sum">Of {count(model.contextTokens)} tokens</dt>
            <dd class="sum">{count(used)}</dd>
          </dl>
          <p>{advice}</p>
        </section>
      )}
    </div>
  );
}
