import { useRef, useState } from 'preact/hooks';
import { setups } from '../../../../../shared/connect.ts';
import type { LogAnswer, LogEntry } from '../../../../../shared/credits.ts';
import type { KeysAnswer, NewKeyAnswer } from '../../../../../shared/keys.ts';
import type { ModelsAnswer } from '../../../../../shared/models.ts';
import { creditsSpent, withUnit } from '../../../../../shared/money/amounts.ts';
import { call } from '../../../kit/api.ts';
import { useResource } from '../../../kit/live.ts';
import { When } from '../../../kit/now.tsx';
import { Failure, Loading, useAct, useCopy } from '../../../kit/parts.tsx';

/** What stands in the lines until there is a key. */
const NO_KEY = 'pgk_…';

/** The lines that a tool needs, with a key made here, and whether its first request has come. */
export function Connect() {
  const keys = useResource<KeysAnswer>('/api/keys', ['keys']);
  const { models = [] } = useResource<ModelsAnswer>('/api/models', []).value ?? {};
  const [at, setAt] = useState(0);
  const [wanted, setWanted] = useState('');
  const [made, setMade] = useState<NewKeyAnswer>();
  const { isBusy, failure, act } = useAct();
  if (keys.failure && !keys.value) return <Failure failure={keys.failure} again={keys.reload} />;
  const model = models.find(({ id }) => id === wanted) ?? models.find(({ isDefault }) => isDefault) ?? models[0];
  if (!keys.value || !model) return <Loading />;
  const address = keys.value.baseUrl.replace(/\/v1$/, '');
  const tools = setups({
    address,
    key: made?.secret ?? NO_KEY,
    model: model.id,
    contextTokens: model.contextTokens,
  });
  const tool = tools[at]!;
  const make = () =>
    act(async () => {
      setMade(await call<NewKeyAnswer>('POST', '/api/keys', { name: tool.name }));
    });
  return (
    <>
      <Tabs names={tools.map(({ name }) => name)} at={at} onChoose={setAt} />
      {failure && <Failure failure={failure} />}
      <div role="tabpanel" id="connect-panel" aria-labelledby={`connect-${at}`}>
        {models.length > 1 && (
          <label class="field">
            Model
            <select value={model.id} onChange={(event) => setWanted(event.currentTarget.value)}>
              {models.map(({ id }) => (
                <option key={id}>{id}</option>
              ))}
            </select>
          </label>
        )}
        <p class="soft">{tool.where}</p>
        <Lines text={tool.lines.join('\n')} />
        {made ? (
          <>
            <p>
              <strong>The key is shown only now: copy the lines.</strong>
            </p>
            <Seen of={made} usedAt={keys.value.keys.find(({ id }) => id === made.key.id)?.lastUsedAt ?? null} />
          </>
        ) : (
          <>
            <p>
              <button type="button" disabled={isBusy} onClick={() => void make()}>
                Make a key for {tool.name}
              </button>
            </p>
            <p class="soft">
              It goes into the lines above. Or write a key of yours in place of <code>{NO_KEY}</code>.
            </p>
          </>
        )}
      </div>
    </>
  );
}

/** Tabs as the keyboard expects them: arrows move, and only the chosen one is in the tab order. */
function Tabs({ names, at, onChoose }: { names: string[]; at: number; onChoose: (at: number) => void }) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const last = names.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[
      event.key
    ];
    if (to === undefined) return;
    event.preventDefault();
    onChoose(to);
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[to]?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Tools" ref={list} onKeyDown={move}>
      {names.map((name, i) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`connect-${i}`}
          aria-selected={i === at}
          aria-controls="connect-panel"
          tabIndex={i === at ? 0 : -1}
          onClick={() => onChoose(i)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

function Lines({ text }: { text: string }) {
  const { input, said, copy } = useCopy<HTMLPreElement>('text');
  return (
    <div class="lines">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll, and the keyboard must reach them */}
      <pre ref={input} tabIndex={0}>
        {text}
      </pre>
      <button type="button" class="quiet" aria-label="Copy the lines" onClick={() => void copy()}>
        Copy
      </button>
      <span role="status" class="soft">
        {said}
      </span>
    </div>
  );
}

/**
 * Tells when the first call by this key has come. The token log has a line for each that was admitted, free ones included;
 * a refused one shows only as a use of the key.
 */
function Seen({ of: { key }, usedAt }: { of: NewKeyAnswer; usedAt: string | null }) {
  const log = useResource<LogAnswer>(`/api/credits/log?key=${key.id}`, ['balance']);
  const first = log.value?.entries.at(-1);
  return (
    <p role="status" class={first ? 'seen' : 'soft'}>
      {first ? (
        <>
          First request seen <When at={first.at} />: {told(first)}
        </>
      ) : usedAt ? (
        <>
          The key was used <When at={usedAt} />, and nothing was answered yet. If the tool shows an error, it says what
          to do.
        </>
      ) : (
        'Waiting for the first request …'
      )}
    </p>
  );
}

function told({ kind, tool, model, amountMicro, reason }: LogEntry): string {
  const cost = kind === 'charge' ? withUnit(creditsSpent(-amountMicro)) : reason;
  return [tool, model, cost].filter(Boolean).join(', ');
}
