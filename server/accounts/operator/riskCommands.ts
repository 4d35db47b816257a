import type { Dossier, DossierLine } from '../../../shared/risk.ts';
import { type Clock, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { type Flag, findFlag, findPause, openFlags, pause, resume, setTeam } from '../../risk/flags/store.ts';
import { exportCase, type NotExported } from '../cases/caseExport.ts';
import type { FoundAccount } from '../people/accountSearch.ts';
import { recordAct } from '../reviewers/acts.ts';
import { columns, misused, named, Refused } from './commandText.ts';

// The operator's commands for flags. They show; what follows from a flag is a person's decision.

/** Only the newest are listed: nobody reads more. */
const MOST_FLAGS = 200;

export interface RiskCommandDeps {
  db: Database;
  clock: Clock;
}

const KINDS = {
  sharing: 'sharing',
  not_enough: 'not enough to act on',
  referrals: 'repeated sign-ups',
  operator: 'by a command',
} as const satisfies Record<Dossier['kind'], string>;

/** `flags`: the open flags, those to look at first. */
export async function flagTable({ db }: RiskCommandDeps): Promise<string[]> {
  const paused = await findPause(db.read);
  const flags = await openFlags(db.read, MOST_FLAGS);
  const lines =
    flags.length === 0
      ? ['No account is flagged.']
      : columns([
          ['number', 'since', 'what', 'probability', 'account'],
          ...flags.map(({ number, openedAt, kind, dossier, accountId }) => [
            String(number),
            iso(openedAt).slice(0, 10),
            KINDS[kind],
            kind === 'sharing' ? inPercent(dossier.probability) : '',
            accountId ?? 'deleted',
          ]),
        ]);
  if (paused)
    lines.push(
      `Since ${iso(paused.since)} no account is flagged: ${paused.why.replace(/[.!?…]?$/, '.')} "flags on" goes on.`,
    );
  return lines;
}

/** `flags off` and `flags on`, on every node. */
export async function switchFlags({ db, clock }: RiskCommandDeps, to: string, why: string): Promise<string[]> {
  if (to !== 'off' && to !== 'on') throw misused(`flags takes off or on, not "${to}".`);
  if (to === 'on') {
    await db.write(async (tx) => {
      if ((await findPause(tx)) !== null) await recordAct(tx, { at: clock.now(), by: 'operator', act: 'resumed' });
      await resume(tx);
    });
    return ['Accounts are flagged again.'];
  }
  if (why === '') throw misused('flags off needs --why: the next operator reads it.');
  const at = clock.now();
  await db.write(async (tx) => {
    if ((await findPause(tx)) === null) await recordAct(tx, { at, by: 'operator', act: 'paused', detail: why });
    await pause(tx, why, at);
  });
  return ['No account is flagged from now on, on any node. Flags that are open stay open.'];
}

/** `dossier N`: evidence and counter-evidence side by side, as they were when the account was flagged. */
export async function dossierLines({ db }: RiskCommandDeps, typed: string): Promise<string[]> {
  const flag = await findFlag(db.read, readNumber(typed));
  if (!flag) throw new Refused(1, `There is no flag "${typed}". The command "flags" lists them.`);
  return [...head(flag), '', ...body(flag.dossier)];
}

/** `case N`: the numbers of a case whose owner has allowed that they are used, as JSON. */
export async function caseNumbers({ db }: RiskCommandDeps, typed: string): Promise<string[]> {
  const exported = await exportCase(db.read, readNumber(typed));
  if (typeof exported === 'string') throw new Refused(1, NOT_EXPORTED[exported](typed));
  return JSON.stringify(exported, null, 2).split('\n');
}

const NOT_EXPORTED: Record<NotExported, (number: string) => string> = {
  no_case: (number) => `There is no case "${number}". The command "flags" lists the open ones.`,
  no_numbers: (number) =>
    `Case ${number} has no numbers: it was opened for another reason than signs of several people, or by an older version.`,
  no_appeal: (number) =>
    `Case ${number} has no appeal, and only there its owner can allow that its numbers are used. Export another case.`,
  no_consent: (number) =>
    `The owner of case ${number} has not allowed that its numbers are used: they stay here. Export another case.`,
  not_heard: (number) =>
    `The appeal of case ${number} is open, and numbers are of use only with its outcome. Export it once the appeal is decided.`,
};

/** No case has the number 0. */
const readNumber = (typed: string) => (/^[1-9]\d{0,14}$/.test(typed) ? Number(typed) : 0);

function head({ number, kind, accountId, openedAt, endedAt, dossier }: Flag): string[] {
  return columns([
    ['flag', String(number)],
    ['what', KINDS[kind]],
    ['account', accountId ?? 'deleted; this is kept 6 months without a name'],
    ['flagged', iso(openedAt)],
    ...(endedAt === null ? [] : [['ended', iso(endedAt)]]),
    ...(kind === 'operator' ? [] : [['observed since', dossier.observedSince]]),
    ...(dossier.probability > 0
      ? [['probability', `${inPercent(dossier.probability)} in the simulation, if one account in 100 is shared`]]
      : []),
    ['rule', `${dossier.rule} (rules ${dossier.rulesVersion}, thresholds ${dossier.thresholdVersion})`],
    [
      'nats',
      `${dossier.nats.all} in all: several people ${dossier.nats.persons}, way here ${dossier.nats.transport}, contradictions ${dossier.nats.identity}, against ${dossier.nats.against}`,
    ],
  ]);
}

function body({ lines }: Dossier): string[] {
  const part = (title: string, speaks: DossierLine['speaks']) => {
    const found = lines.filter((line) => line.speaks === speaks).sort((a, b) => Math.abs(b.nats) - Math.abs(a.nats));
    return found.length === 0 ? [] : [title, ...found.flatMap(told), ''];
  };
  return [
    ...part('Evidence that several people use the account through a relay', 'for'),
    ...part('Evidence against it', 'against'),
    ...part('Looked at, and says nothing either way', 'neither'),
    'This is a reason to look, not a decision. Many devices, a VPN, a proxy or heavy use are allowed.',
  ];
}

function told({ signal, name, sentence, heavyUsers, nats, firstSeen, lastSeen, wouldClear }: DossierLine): string[] {
  const when = firstSeen && lastSeen ? `, ${firstSeen.slice(0, 10)} to ${lastSeen.slice(0, 10)}` : '';
  return [
    `  ${signal}. ${name}: ${nats > 0 ? '+' : ''}${nats} nats${when}`,
    `     ${sentence}`,
    ...(nats === 0 ? [] : [`     Heavy users who are alone: ${heavyUsers}.`, `     Would clear it: ${wouldClear}`]),
  ];
}

/** `team ACCOUNT`: a plan that was sold to several people is never flagged. */
export async function markTeam({ db }: RiskCommandDeps, account: FoundAccount, isTeam: boolean): Promise<string> {
  if (account.kind === 'guest') throw new Refused(1, 'A guest is never flagged.');
  await db.write((tx) => setTeam(tx, account.id, isTeam));
  return isTeam ? `${named(account)} is a team: it is not flagged.` : `${named(account)} is no team any more.`;
}

const inPercent = (share: number) => `${(100 * share).toFixed(share > 0.99 ? 1 : 0)} %`;
