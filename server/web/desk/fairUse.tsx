import { render } from 'preact';
import type { FairUse } from '../../../shared/desk.ts';
import { useResource } from '../kit/live.ts';
import { Failure, Loading } from '../kit/parts.tsx';
import { Outcomes } from './Numbers.tsx';
import '../kit/style.css';
import '../kit/charts.css';
import '../kit/parts.css';
import './desk.css';

/** The numbers that the operator shows to everybody. */
function Public() {
  const { value, failure, reload } = useResource<FairUse>('/api/fair-use', []);
  return (
    <div class="public">
      <main>
        <p class="brand">Perigee</p>
        <h1>Fair use, in numbers</h1>
        <p>
          An account is for one person. Any number of devices and tools, a VPN, a proxy and heavy use are fine. Accounts
          that look shared among several people are looked at by a person, who decides and gives a reason; whoever is
          concerned can appeal, and somebody else decides that.
        </p>
        {failure && <Failure failure={failure} again={failure.code === 'not_offered' ? undefined : reload} />}
        {!value && !failure && <Loading />}
        {value && (
          <>
            <p class="soft">The last {value.days} days. These numbers name nobody.</p>
            <Outcomes numbers={value} />
          </>
        )}
      </main>
    </div>
  );
}

document.title = 'Fair use · Perigee';
render(<Public />, document.getElementById('root')!);
