import { useState } from 'preact/hooks';
import type { ApiKey, KeysAnswer, NewKeyAnswer } from '../../../../../shared/keys.ts';
import type { ModelsAnswer } from '../../../../../shared/models.ts';
import { creditsSpent, exactCredits, withUnit } from '../../../../../shared/money/amounts.ts';
import { call } from '../../../kit/api.ts';
import { dayOf, instant } from '../../../kit/format.ts';
import { useResource } from '../../../kit/live.ts';
import { When } from '../../../kit/now.tsx';
import { Bar, Confirm, Copyable, Failure, Loading } from '../../../kit/parts.tsx';
import { KeyForm } from './KeyForm.tsx';

export function Keys() {
  const keys = useResource<KeysAnswer>('/api/keys', ['keys', 'balance']);
  const models = useResource<ModelsAnswer>('/api/models', []).value?.models ?? [];
  const [made, setMade] = useState<NewKeyAnswer>();
  const [shown, setShown] = useState<'form' | ApiKey>();
  const [leaving, setLeaving] = useState<ApiKey>();
  const [gone, setGone] = useState<readonly string[]>([]);
  const list = (keys.value?.keys ?? []).filter(({ id }) => !gone.includes(id));
  const close = () => setShown(undefined);
  const revoke = async ({ id }: ApiKey) => {
    await call('DELETE', `/api/keys/${id}`).catch((error) => {
      // It was revoked already, for example in another tab.
      if ((error as { code?: string }).code !== 'not_found') throw error;
    });
    setGone((ids) => [...ids, id]);
  };
  return (
    <>
      <p class="soft">
        With a key your other tools use this account: the same models, the same credits, the same limits. Whoever has a
        key can spend your credits, and do nothing else.
      </p>
      {keys.failure && <Failure failure={keys.failure} again={keys.reload} />}
      {!keys.value && !keys.failure && <Loading />}
      {made && <Made made={made} model={modelFor(made.key, models)} onDone={() => setMade(undefined)} />}
      {shown === 'form' ? (
        <KeyForm
          models={models}
          onCancel={close}
          onSave={async (request) => {
            setMade(await call<NewKeyAnswer>('POST', '/api/keys', request));
            close();
            keys.reload();
          }}
        />
      ) : (
        keys.value && (
          <p>
            <button type="button" class={made ? 'quiet' : ''} onClick={() => setShown('form')}>
              Make a key
            </button>
          </p>
        )
      )}
      {keys.value && list.length === 0 && shown !== 'form' && <p class="soft">There is no key yet.</p>}
      <ul class="list">
        {list.map((key) =>
          shown !== 'form' && shown?.id === key.id ? (
            <li key={key.id}>
              <div class="grow">
                <KeyForm
                  of={key}
                  models={models}
                  onCancel={close}
                  onSave={async (request) => {
                    await call('PATCH', `/api/keys/${key.id}`, request);
                    close();
                    keys.reload();
                  }}
                />
              </div>
            </li>
          ) : (
            <Line key={key.id} of={key} change={() => setShown(key)} revoke={() => setLeaving(key)} />
          ),
        )}
      </ul>
      {leaving && (
        <Confirm
          title={`Revoke ${leaving.name}?`}
          yes="Revoke"
          isDanger
          onYes={() => revoke(leaving)}
          onClose={() => setLeaving(undefined)}
        >
          <p>Every tool that uses this key is refused from its next call on. A revoked key can’t be brought back.</p>
        </Confirm>
      )}
    </>
  );
}

/** What a tool is given: the model that the key may use, the default one if it may use all. */
function modelFor({ models: only }: ApiKey, models: ModelsAnswer['models']): string {
  return only?.[0] ?? (models.find(({ isDefault }) => isDefault) ?? models[0])?.id ?? '';
}

function Made({ made, model, onDone }: { made: NewKeyAnswer; model: string; onDone: () => void }) {
  return (
    <section class="box notice" aria-labelledby="made">
      <p role="status">
        <strong id="made">{made.key.name} is ready.</strong> Copy the key now: it is not shown again.
      </p>
      <Copyable label="API key" value={made.secret} />
      <Copyable label="Base URL" value={made.baseUrl} />
      {model && <Copyable label="Model" value={model} />}
      <p class="soft">
        Paste these into any tool that takes an OpenAI-compatible service. Keep the key out of files that others see.
      </p>
      <button type="button" class="quiet" onClick={onDone}>
        I have copied it
      </button>
    </section>
  );
}

function Line({ of: key, change, revoke }: { of: ApiKey; change: () => void; revoke: () => void }) {
  const hasEnded = key.expiresAt !== null && Date.parse(key.expiresAt) <= Date.now();
  const { monthlyMicro, spentMicro } = key;
  return (
    <li class="wide">
      <div class="grow">
        <div>
          <strong>{key.name}</strong>
          <span class="tag code">…{key.hint}</span>
          {hasEnded && <span class="tag">expired</span>}
        </div>
        <div class="soft">
          {key.lastUsedAt ? (
            <>
              Last used <When at={key.lastUsedAt} />
            </>
          ) : (
            'Never used'
          )}
          , made {dayOf(key.createdAt)}
          {key.expiresAt && (hasEnded ? `, ended ${instant(key.expiresAt)}` : `, good until ${instant(key.expiresAt)}`)}
        </div>
        {key.models && <div class="soft">Only {key.models.join(', ')}</div>}
        {monthlyMicro === null ? (
          <div class="soft">
            {spentMicro === 0 ? 'Nothing spent this month' : `${withUnit(creditsSpent(spentMicro))} spent this month`}
          </div>
        ) : (
          <Bar
            label="Spent this month"
            text={`${creditsSpent(spentMicro)} of ${withUnit(exactCredits(monthlyMicro))}`}
            share={spentMicro / monthlyMicro}
          />
        )}
      </div>
      <div class="row">
        <button type="button" class="quiet" aria-label={`Change ${key.name}`} onClick={change}>
          Change
        </button>
        <button type="button" class="quiet" aria-label={`Revoke ${key.name}`} onClick={revoke}>
          Revoke
        </button>
      </div>
    </li>
  );
}
