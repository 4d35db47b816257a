import { useState } from 'preact/hooks';
import type { KeysAnswer } from '../../../../shared/keys.ts';
import type { Use as Declared, UseAnswer } from '../../../../shared/risk.ts';
import { call } from '../../kit/api.ts';
import { useResource } from '../../kit/live.ts';
import { Failure, Loading } from '../../kit/parts.tsx';

const PATH = '/api/account/use';

/** What a member declares about the use of the account. */
export function Use() {
  const use = useResource<UseAnswer>(PATH, []);
  const keys = useResource<KeysAnswer>('/api/keys', ['keys']).value?.keys ?? [];
  const [changed, setChanged] = useState<UseAnswer>();
  const [isSaving, setSaving] = useState(false);
  const [problem, setProblem] = useState<string>();
  const now = changed ?? use.value;
  const save = async (change: Partial<Declared>) => {
    const { isTeam, ...before } = now!;
    setProblem(undefined);
    setSaving(true);
    setChanged({ isTeam, ...before, ...change });
    try {
      setChanged(await call<UseAnswer>('PUT', PATH, { ...before, ...change }));
    } catch (error) {
      setChanged({ isTeam, ...before });
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setSaving(false);
    }
  };
  const automation = (id: string, isOn: boolean) => {
    const known = now!.automationKeys.filter((other) => other !== id && keys.some((key) => key.id === other));
    return save({ automationKeys: isOn ? [...known, id] : known });
  };
  return (
    <>
      <h2>How you use the account</h2>
      <p>
        An account is for one person. Any number of devices and tools, a VPN, a proxy and heavy use are fine. If you
        like, say here what could look like several people; nobody has to.
      </p>
      {use.failure && <Failure failure={use.failure} again={use.reload} />}
      {!now && !use.failure && <Loading />}
      {now?.isTeam && <p>This account was sold to a team: several people may use it.</p>}
      {now && (
        <fieldset class="field" disabled={isSaving}>
          <legend class="hidden">What you use</legend>
          <Check isOn={now.ownGateway} set={(ownGateway) => save({ ownGateway })}>
            I have a gateway or proxy of my own in front of my tools
          </Check>
          <Check isOn={now.severalMachines} set={(severalMachines) => save({ severalMachines })}>
            I work on several machines, in containers or in the cloud
          </Check>
          {keys.map(({ id, name }) => (
            <Check key={id} isOn={now.automationKeys.includes(id)} set={(isOn) => automation(id, isOn)}>
              Programs use the key “{name}” by themselves, such as CI
            </Check>
          ))}
        </fieldset>
      )}
      {problem && <p role="alert">{problem}</p>}
    </>
  );
}

function Check({
  isOn,
  set,
  children,
}: {
  isOn: boolean;
  set: (isOn: boolean) => void;
  children: preact.ComponentChildren;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={isOn} onChange={({ currentTarget }) => set(currentTarget.checked)} />
      <span>{children}</span>
    </label>
  );
}
