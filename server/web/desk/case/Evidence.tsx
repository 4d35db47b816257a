import type { Dossier, DossierLine } from '../../../../shared/risk.ts';
import { dayOf } from '../../kit/format.ts';

/** Evidence beside counter-evidence, and what it adds up to. */
export function Evidence({ dossier }: { dossier: Dossier }) {
  const { lines } = dossier;
  if (lines.length === 0)
    return (
      <p class="empty">There is no evidence here: {dossier.rule.charAt(0).toLowerCase() + dossier.rule.slice(1)}</p>
    );
  const by = (speaks: DossierLine['speaks']) =>
    lines.filter((line) => line.speaks === speaks).sort((a, b) => Math.abs(b.nats) - Math.abs(a.nats));
  const neither = by('neither');
  // Made of sign-ups, and not of signals: there are no weights then.
  const isWeighed = dossier.nats.all !== 0 || lines.some(({ nats }) => nats !== 0);
  return (
    <>
      <div class="sides">
        <Side title="What speaks for it" lines={by('for')} none="Nothing does." isWeighed={isWeighed} />
        <Side
          title="What speaks against it"
          lines={by('against')}
          none="Nothing that was seen."
          isWeighed={isWeighed}
        />
      </div>
      {neither.length > 0 && (
        <details class="neither">
          <summary>Says nothing either way ({neither.length})</summary>
          <ul class="lines">
            {neither.map((line) => (
              <Line key={line.signal} line={line} isWeighed={false} />
            ))}
          </ul>
        </details>
      )}
      <Rule dossier={dossier} isWeighed={isWeighed} />
    </>
  );
}

function Side(props: { title: string; lines: readonly DossierLine[]; none: string; isWeighed: boolean }) {
  return (
    <section aria-label={props.title}>
      <h2>{props.title}</h2>
      {props.lines.length === 0 ? (
        <p class="soft">{props.none}</p>
      ) : (
        <ul class="lines">
          {props.lines.map((line) => (
            <Line key={line.signal} line={line} isWeighed={props.isWeighed} />
          ))}
        </ul>
      )}
    </section>
  );
}

const signed = (nats: number) => `${nats > 0 ? '+' : nats < 0 ? '−' : ''}${Math.abs(nats).toFixed(1)}`;

function Line({ line, isWeighed }: { line: DossierLine; isWeighed: boolean }) {
  const { sentence, heavyUsers, nats, firstSeen, lastSeen, wouldClear } = line;
  return (
    <li class={line.speaks}>
      <p class="said">
        <span class="grow">{sentence}</span>
        {isWeighed && (
          <span class="nats" title="nats: the logarithm of how much likelier this is for several people">
            {signed(nats)}
            <span class="hidden"> nats</span>
          </span>
        )}
      </p>
      <p class="soft small">Heavy single users: {heavyUsers}</p>
      <details>
        <summary>
          <span class="hidden">{line.name}: </span>What would clear it
        </summary>
        <p>{wouldClear}</p>
        {firstSeen && lastSeen && (
          <p class="soft">
            {line.name} · seen{' '}
            {dayOf(firstSeen) === dayOf(lastSeen)
              ? `on ${dayOf(firstSeen)}`
              : `from ${dayOf(firstSeen)} to ${dayOf(lastSeen)}`}
          </p>
        )}
      </details>
    </li>
  );
}

const FAMILIES = [
  ['persons', 'Several people'],
  ['transport', 'The way here'],
  ['identity', 'Contradictions'],
  ['against', 'Against it'],
] as const;

/** What the rule asks for, and how the families of evidence add up. */
function Rule({ dossier, isWeighed }: { dossier: Dossier; isWeighed: boolean }) {
  const { nats, rule, rulesVersion, thresholdVersion, probability } = dossier;
  const most = Math.max(8, ...FAMILIES.map(([id]) => Math.abs(nats[id])));
  return (
    <section aria-labelledby="rule">
      <h2 id="rule">The rule</h2>
      <p>{rule}</p>
      {isWeighed && (
        <ul class="weights" aria-label="How the evidence adds up, in nats">
          {FAMILIES.map(([id, name]) => (
            <li key={id}>
              <span>{name}</span>
              <span class="weight-track" aria-hidden="true">
                <span
                  class={id === 'against' ? 'weight against' : 'weight'}
                  style={{ width: `${(100 * Math.abs(nats[id])) / most}%` }}
                />
              </span>
              <span class="number">{signed(nats[id])}</span>
            </li>
          ))}
          <li class="total">
            <span>All together</span>
            <span class="soft">
              {probability > 0 &&
                `in the simulation ${Math.round(probability * 1000) / 10} %, if 1 account in 100 is shared`}
            </span>
            <span class="number">{signed(nats.all)}</span>
          </li>
        </ul>
      )}
      <p class="soft">
        Rules {rulesVersion}, thresholds {thresholdVersion}
      </p>
    </section>
  );
}
