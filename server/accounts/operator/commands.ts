import { parseArgs } from 'node:util';
import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';
import { cleanName } from '../../../shared/texts.ts';
import { auditLive, tellViolation } from '../../credits/audit/audit.ts';
import { auditGrace } from '../../credits/audit/auditJob.ts';
import { readBalance } from '../../credits/holds/balance.ts';
import type { Clock, Ids } from '../../platform/clock.ts';
import type { Policy } from '../../platform/config/config.ts';
import type { Database } from '../../platform/db/database.ts';
import { setTier } from '../cases/sanctions.ts';
import { applyRetention, type RetentionDeps } from '../data/retention.ts';
import { MAX_NOTICE_CHARS } from '../notices/operatorNotices.ts';
import { type FoundAccount, findAccounts, findByReference } from '../people/accountSearch.ts';
import { mailboxOf } from '../people/emails.ts';
import { findAccountOf, LOCAL_OWNER, signIn } from '../people/identities.ts';
import { allReferrals } from '../referrals/referralList.ts';
import {
  appealLines,
  appealTable,
  decideAppeal,
  reinstateAccount,
  suspendAccount,
  writePictures,
} from './appealCommands.ts';
import {
  accountLines,
  accountTable,
  type CommandResult,
  columns,
  misused,
  named,
  Refused,
  readText,
  tellCommand,
} from './commandText.ts';
import { endPlanOf, givePlanTo, grantCredits, readCredits, readGrantId, resetCredits } from './creditCommands.ts';
import { type KeyCommandDeps, keyTable, makeKeyFor, revokeKeyById } from './keyCommands.ts';
import { endOneNotice, noticeTable, tellEveryone } from './noticeCommands.ts';
import { beginPromotion, promotionTable, stopPromotion } from './promotionCommands.ts';
import { requestLines, requestTable } from './requestCommands.ts';
import { makeReviewer, reviewerTable, setupReviewer, stopReviewer } from './reviewerCommands.ts';
import { caseNumbers, dossierLines, flagTable, markTeam, switchFlags } from './riskCommands.ts';
import { drainOrUse, type UpstreamCommandDeps, upstreamTable } from './upstreamCommands.ts';

export type { CommandResult };

/** The single user of a local server, in place of an account. */
const LOCAL = 'local';
/** A reason is shown in one line of the token log. */
const MAX_WHY_CHARS = 200;
const MAX_NAME_CHARS = 100;
/** Only the newest referrals are listed: nobody reads more. */
const MAX_REFERRALS = 1000;

export interface CommandDeps
  extends RetentionDeps,
    Omit<KeyCommandDeps, 'db' | 'clock' | 'ids'>,
    Pick<UpstreamCommandDeps, 'services' | 'metrics'> {
  db: Database;
  clock: Clock;
  ids: Ids;
  policy: Policy;
  secret: string;
  /** How long the runs of a silent node stay its own, in milliseconds. */
  leaseMs: number;
  /** Whether the server sends mail. */
  sendsMail: boolean;
  /** Whether the server has a single user, the one of its machine. */
  isLocal: boolean;
}

/** The operator's commands. Never throws an error that the operator can fix. */
export const runCommand = (deps: CommandDeps, args: readonly string[]): Promise<CommandResult> =>
  tellCommand(args, () => run(deps, args));

async function run(deps: CommandDeps, args: readonly string[]): Promise<string[]> {
  // parseArgs would take a negative number for an option.
  const negative = args.find((arg) => /^-[\d.]/.test(arg));
  if (negative !== undefined) throw misused(`"${negative}" is less than nothing.`);
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      tier: { type: 'string' },
      why: { type: 'string' },
      until: { type: 'string' },
      id: { type: 'string' },
      end: { type: 'boolean' },
      refused: { type: 'boolean' },
      failed: { type: 'boolean' },
      since: { type: 'string' },
      mail: { type: 'boolean' },
      credits: { type: 'string' },
      budget: { type: 'string' },
      from: { type: 'string' },
      for: { type: 'string' },
      models: { type: 'string' },
      monthly: { type: 'string' },
      expires: { type: 'string' },
      setup: { type: 'boolean' },
      uphold: { type: 'boolean' },
      reverse: { type: 'boolean' },
      pictures: { type: 'string' },
      'dry-run': { type: 'boolean' },
    },
  });
  const [command, ...rest] = positionals;
  const taken = (n: number, what: string) => {
    if (rest.length !== n) throw misused(`${command} needs ${what}, and nothing else.`);
  };
  const only = (...allowed: string[]) => {
    const other = Object.keys(values).find((name) => !allowed.includes(name));
    if (other) throw misused(`${command} takes no --${other}.`);
  };
  const reason = (most = MAX_WHY_CHARS) => {
    if (!cleanName(values.why ?? '')) throw misused(`${command} needs --why: its owner reads it.`);
    return readText(values.why!, '--why', most);
  };
  const keyOwner = async (): Promise<FoundAccount> => {
    if (rest.length > 0 || !deps.isLocal) taken(1, 'an account');
    return one(deps, rest[0] ?? LOCAL);
  };
  switch (command) {
    case 'find': {
      only();
      taken(1, 'a text');
      return accountTable(await findAccounts(deps.db.read, rest[0]!), deps.clock.now());
    }
    case 'show': {
      only();
      taken(1, 'an account');
      const account = await one(deps, rest[0]!);
      const now = deps.clock.now();
      return accountLines(account, await readBalance(deps.db.read, account.id, null, now), now);
    }
    case 'create': {
      only('name', 'tier');
      taken(1, 'an email address');
      const name = values.name?.trim() ? readText(values.name, '--name', MAX_NAME_CHARS) : undefined;
      return create(deps, rest[0]!, name, readTier(values.tier ?? '0'));
    }
    case 'suspend': {
      only('why', 'until');
      taken(1, 'an account');
      // The account owner reads the reason as a notice.
      const why = reason(MAX_NOTICE_CHARS);
      const until = values.until === undefined ? null : readInstant(values.until, deps.clock.now());
      return [await suspendAccount(deps, await one(deps, rest[0]!), { why, until })];
    }
    // The command's old name, from before backups could be restored.
    case 'restore':
    case 'reinstate': {
      only();
      taken(1, 'an account');
      return reinstateAccount(deps, await one(deps, rest[0]!));
    }
    case 'appeals': {
      only();
      taken(0, 'no number');
      return appealTable(deps);
    }
    case 'appeal': {
      only('uphold', 'reverse', 'why', 'pictures');
      taken(1, 'the number of a case');
      const { uphold, reverse, pictures } = values;
      if (pictures !== undefined) {
        only('pictures');
        return writePictures(deps, rest[0]!, pictures);
      }
      if (!uphold && !reverse) {
        only();
        return appealLines(deps, rest[0]!);
      }
      if (uphold && reverse) throw misused('appeal takes --uphold or --reverse, not both.');
      const why = reason(MAX_NOTICE_CHARS);
      return [await decideAppeal(deps, rest[0]!, { outcome: reverse ? 'reversed' : 'upheld', why })];
    }
    case 'tier': {
      only();
      taken(2, 'an account and a tier');
      const tier = readTier(rest[1]!);
      const account = await one(deps, rest[0]!);
      if (account.kind === 'guest') throw new Refused(1, 'A guest has no tier.');
      await deps.db.write((tx) => setTier(tx, account.id, tier));
      return [`${named(account)} has tier ${tier}.`];
    }
    case 'grant': {
      only('why', 'id');
      taken(2, 'an account and a number of credits');
      const amountMicro = readCredits(rest[1]!);
      const id = values.id === undefined ? undefined : readGrantId(values.id);
      const why = reason();
      return [await grantCredits(deps, await one(deps, rest[0]!), { amountMicro, why, id })];
    }
    case 'reset': {
      only('why');
      if (rest.length !== 2) taken(1, 'an account, perhaps a number of credits');
      const mostMicro = rest[1] === undefined ? null : readCredits(rest[1]);
      const why = reason();
      return [await resetCredits(deps, await one(deps, rest[0]!), { mostMicro, why })];
    }
    case 'plan': {
      if (values.end) {
        only('end', 'why');
        taken(1, 'an account, where it ends one');
        const why = reason();
        return [await endPlanOf(deps, await one(deps, rest[0]!), why)];
      }
      only('why', 'until');
      taken(2, 'an account and a plan');
      const why = reason();
      if (values.until === undefined) throw misused('plan needs --until: a plan that is given ends some day.');
      const until = readInstant(values.until, deps.clock.now());
      return [await givePlanTo(deps, await one(deps, rest[0]!), { plan: rest[1]!, until, why })];
    }
    case 'key': {
      only('name', 'models', 'monthly', 'expires');
      if (values.name === undefined) throw misused('key needs --name: its owner tells keys apart by it.');
      const { name, models, monthly, expires } = values;
      const wanted = {
        name,
        models,
        monthlyMicro: monthly === undefined ? null : readCredits(monthly),
        expiresAt: expires === undefined ? null : readInstant(expires, deps.clock.now()),
      };
      return makeKeyFor(deps, await keyOwner(), wanted);
    }
    case 'keys': {
      only();
      return keyTable(deps, await keyOwner());
    }
    case 'revoke-key': {
      only();
      taken(1, 'the id of a key');
      return [await revokeKeyById(deps, rest[0]!)];
    }
    case 'referrals': {
      only('refused');
      taken(0, 'no account');
      return referrals(deps, values.refused === true);
    }
    case 'requests': {
      if (values.id !== undefined) {
        only('id');
        taken(0, 'no account where it has --id');
        return requestLines(deps, values.id);
      }
      only('failed', 'since');
      if (rest.length > 1) taken(1, 'an account or nothing');
      const accountId = rest.length === 0 ? null : (await one(deps, rest[0]!)).id;
      return requestTable(deps, { accountId, failed: values.failed === true, since: values.since });
    }
    case 'notice': {
      if (values.end) {
        only('end');
        taken(1, 'the id of a notice, where it ends one');
        return [await endOneNotice(deps, rest[0]!)];
      }
      only('until', 'mail');
      taken(1, 'one text in quotation marks');
      if (values.until === undefined) throw misused('notice needs --until: a notice is over some day.');
      const until = readInstant(values.until, deps.clock.now());
      return tellEveryone(deps, rest[0]!, { until, byMail: values.mail === true });
    }
    case 'notices': {
      only();
      taken(0, 'no text');
      return noticeTable(deps);
    }
    case 'promotion': {
      taken(1, 'a name');
      if (values.end) {
        only('end');
        return [await stopPromotion(deps, rest[0]!)];
      }
      only('credits', 'budget', 'from', 'until', 'for', 'why');
      const lacks = (['credits', 'budget', 'until', 'why'] as const).filter((name) => !cleanName(values[name] ?? ''));
      if (lacks.length > 0) throw misused(`promotion needs ${lacks.map((name) => `--${name}`).join(', ')}.`);
      const why = reason();
      const now = deps.clock.now();
      const wanted = {
        ...{
          audience: values.for ?? 'signups',
          amountMicro: readCredits(values.credits!),
          budgetMicro: readCredits(values.budget!),
        },
        startsAt: values.from === undefined ? now : readInstant(values.from, now),
        endsAt: readInstant(values.until!, now),
        why,
      };
      return [await beginPromotion(deps, rest[0]!, wanted)];
    }
    case 'promotions': {
      only();
      taken(0, 'no name');
      return promotionTable(deps);
    }
    case 'upstreams': {
      only();
      if (rest.length !== 0) taken(2, 'nothing, or drain or use and the id of a service');
      return rest.length === 0 ? upstreamTable(deps) : drainOrUse(deps, rest[0]!, rest[1]!);
    }
    case 'flags': {
      only(...(rest[0] === 'off' ? ['why'] : []));
      if (rest.length > 1) taken(1, 'nothing, or off or on');
      if (rest.length === 0) return flagTable(deps);
      return switchFlags(deps, rest[0]!, values.why === undefined ? '' : readText(values.why, '--why', MAX_WHY_CHARS));
    }
    case 'dossier': {
      only();
      taken(1, 'the number of a flag');
      return dossierLines(deps, rest[0]!);
    }
    case 'case': {
      only();
      taken(1, 'the number of a case');
      return caseNumbers(deps, rest[0]!);
    }
    case 'team': {
      only('end');
      taken(1, 'an account');
      return [await markTeam(deps, await one(deps, rest[0]!), values.end !== true)];
    }
    case 'reviewer': {
      if (values.end && values.setup) throw misused('reviewer takes --end or --setup, not both.');
      only('end', 'setup');
      taken(1, 'an email address');
      const account = await one(deps, rest[0]!);
      if (values.end) return [await stopReviewer(deps, account)];
      return values.setup ? setupReviewer(deps, account) : makeReviewer(deps, account);
    }
    case 'reviewers': {
      only();
      taken(0, 'no account');
      return reviewerTable(deps);
    }
    case 'audit': {
      only();
      taken(0, 'no account');
      const began = performance.now();
      const violations = await auditLive(deps.db, deps.clock.now(), auditGrace(deps.leaseMs));
      if (violations.length > 0)
        throw new Refused(1, ['The books break invariants:', ...violations.map(tellViolation)].join('\n'));
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      return [`The books hold: invariants (a) to (j) of ${await countTransfers(deps)} transfers, in ${seconds} s.`];
    }
    case 'retention': {
      only('dry-run');
      taken(0, 'no account');
      const report = await applyRetention(deps, { dryRun: values['dry-run'] === true });
      const rows = report.map(({ what, days, due, deleted }) => [
        what,
        `${days} days`,
        String(due),
        deleted === null ? '' : String(deleted),
      ]);
      return columns([['kept', 'for', 'due', values['dry-run'] ? '' : 'deleted'], ...rows]);
    }
    default:
      throw misused(command === undefined ? 'There is no command.' : `There is no command "${command}".`);
  }
}

/** The size of the books, so that the operator notices when the database is empty or not the intended one. */
async function countTransfers({ db }: CommandDeps): Promise<string> {
  const { count } = await db.read
    .selectFrom('transfer')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count).toLocaleString('en-US');
}

async function one(deps: CommandDeps, typed: string): Promise<FoundAccount> {
  const reference = typed.trim().toLowerCase() === LOCAL && deps.isLocal ? await localAccount(deps) : typed;
  const found = await findByReference(deps.db.read, reference);
  if (!found)
    throw new Refused(1, `There is no account "${reference}". The command "find TEXT" looks for parts of it.`);
  return found;
}

/** The account of a local server's single user, made if nobody has used the server yet. */
async function localAccount(deps: CommandDeps): Promise<string> {
  const { accountId } = await deps.db.write((tx) =>
    signIn(tx, deps, LOCAL_OWNER, { terms: 'local', at: deps.clock.now() }),
  );
  if (accountId === null) throw new Error('an account was not made');
  return accountId;
}

async function create(deps: CommandDeps, email: string, name: string | undefined, tier: number): Promise<string[]> {
  const address = email.trim().toLowerCase();
  const mailbox = mailboxOf(address);
  if (mailbox === null) throw misused(`"${email}" is no email address.`);
  const at = deps.clock.now();
  const who = { provider: 'email', subject: mailbox, email: address, emailVerified: true, name: name || null };
  const made = await deps.db.write(async (tx) => {
    if (await findAccountOf(tx, who)) throw new Refused(1, `There is an account for ${address} already.`);
    // No accepted terms: only the account's owner can accept them.
    const { accountId } = await signIn(tx, deps, who, { terms: '', at });
    if (accountId === null) throw new Error('an account was not made');
    await setTier(tx, accountId, tier);
    return accountId;
  });
  const how = deps.sendsMail
    ? 'Its owner signs in by a code sent there.'
    : 'Its owner signs in by a code sent there, for which this server needs MAIL_URL and MAIL_FROM.';
  return [`Made ${made} for ${address}.`, how];
}

async function referrals({ db }: CommandDeps, refusedOnly: boolean): Promise<string[]> {
  const found = await allReferrals(db.read, { refusedOnly, limit: MAX_REFERRALS });
  if (found.length === 0) return ['There is none.'];
  const rows = found.map(({ joinedAt, referrer, joined, paidMicro, note }) => [
    joinedAt.slice(0, 10),
    referrer,
    joined,
    String(paidMicro / MICRO_PER_CREDIT),
    note,
  ]);
  return columns([['joined', 'by the link of', 'who', 'credits', 'note'], ...rows]);
}

function readTier(text: string): number {
  if (!/^[0-4]$/.test(text)) throw misused(`A tier is a number from 0 to 4, not "${text}".`);
  return Number(text);
}

/** Parses a day, an instant, or a number of hours or days after `now`. It must be in the future. */
function readInstant(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,4})([hd])$/.exec(text) ?? [];
  const at = count ? now + Number(count) * (unit === 'h' ? 3_600_000 : 86_400_000) : Date.parse(text);
  if ((!count && !/^\d{4}-\d{2}-\d{2}(T|$)/.test(text)) || !Number.isFinite(at))
    throw misused(`"${text}" is no time: write a day (2027-01-31), a time (2027-01-31T12:00:00Z), 12h or 7d.`);
  if (at <= now) throw misused(`"${text}" is over already.`);
  return at;
}
