import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { PageCodeAnswer } from '../../shared/auth.ts';
import type { DecisionKind } from '../../shared/decisions.ts';
import type { CaseKind, DeskState, Factor } from '../../shared/desk.ts';
import type { Dossier, DossierLine } from '../../shared/risk.ts';
import { runAdmin } from './admin.ts';
import { Browser } from './browser.ts';
import { Client } from './client.ts';
import type { Member } from './member.ts';
import type { TestServer } from './server.ts';
import { type SignInWorld, somebody } from './signInWorld.ts';

/** A browser in which a member's page is signed in. */
export class PageClient extends Client {
  /** `isFar`: its requests come through a proxy, so from another machine than the server's. */
  constructor(
    url: string,
    private readonly cookie: string,
    accountId: string,
    private readonly isFar: boolean,
  ) {
    super(url, '', accountId);
  }

  override async credentials(): Promise<Record<string, string>> {
    const headers: Record<string, string> = { cookie: this.cookie, 'sec-fetch-site': 'same-origin' };
    return this.isFar ? { ...headers, 'x-forwarded-for': '203.0.113.9' } : headers;
  }

  /** The same browser, at the server's own machine. */
  near(): PageClient {
    return new PageClient(this.url, this.cookie, this.accountId, false);
  }
}

/** Signs a browser in to a member's page. */
export async function pageOf({ url }: TestServer, member: Member): Promise<PageClient> {
  const { code } = (await member.request<PageCodeAnswer>('POST', '/api/auth/page-code')).body;
  const browser = new Browser();
  const opened = await browser.request(new URL('/api/auth/page', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify({ code, confirm: true }),
  });
  assert.equal(opened.status, 200, opened.html);
  return new PageClient(url, browser.cookieHeader(new URL(url).host), member.accountId, true);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function fromBase32(text: string): Buffer {
  const bits = [...text].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
}

/** The code that an authenticator app shows at `ms` (RFC 6238: SHA-1, 30 seconds, six digits). */
export function totp(key: Buffer | string, ms: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(ms / 30_000)));
  const mac = createHmac('sha1', typeof key === 'string' ? fromBase32(key) : key)
    .update(counter)
    .digest();
  const number = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

export interface AtDesk {
  email: string;
  /** The editor's client of the same account. */
  member: Member;
  page: PageClient;
  /** Base32. */
  secret: string;
}

/** What `admin reviewer EMAIL` prints. */
export async function setupCodeOf(server: TestServer, email: string, ...options: string[]): Promise<string> {
  const { code, lines } = await runAdmin(server, 'reviewer', email, ...options);
  assert.equal(code, 0, lines.join('\n'));
  return /: ([A-Z2-7-]{20,})$/m.exec(lines.join('\n'))![1]!;
}

/** A new member with the reviewer's role, in a browser, without a second factor yet. */
export async function newReviewer(world: SignInWorld): Promise<Omit<AtDesk, 'secret'> & { setupCode: string }> {
  const server = world.server();
  const person = somebody();
  const { member } = await world.signIn(person);
  const setupCode = await setupCodeOf(server, person.email!);
  return { email: person.email!, member, page: await pageOf(server, member), setupCode };
}

/** The same with a second factor, and the desk open. */
export async function atDesk(world: SignInWorld): Promise<AtDesk> {
  const { setupCode, ...who } = await newReviewer(world);
  const begun = await who.page.request<Factor>('POST', '/api/desk/factor', { setupCode });
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  const at = { ...who, secret: begun.body.secret };
  await openDesk(world, at);
  return at;
}

/** Opens the desk with the code of now, or the next one if that was used. */
export async function openDesk(world: SignInWorld, { page, secret }: AtDesk): Promise<void> {
  const { clock } = world.server();
  clock.advance(31_000);
  const opened = await page.request<DeskState>('POST', '/api/desk/session', { code: totp(secret, clock.now()) });
  assert.equal(opened.status, 200, JSON.stringify(opened.body));
}

/** A sign in a dossier. */
export const sign = (speaks: DossierLine['speaks'], nats: number, sentence = `It speaks ${speaks}.`): DossierLine => ({
  ...{ signal: 1, speaks, name: 'a sign', sentence, heavyUsers: 'less', nats },
  ...{ firstSeen: null, lastSeen: null, wouldClear: 'Nothing needed.' },
});

export const dossierOf = (kind: CaseKind, at: number, more: Partial<Dossier> = {}): Dossier => ({
  ...{ kind, madeAt: new Date(at).toISOString(), observedSince: new Date(at - 86_400_000).toISOString() },
  ...{ nats: { all: 14, persons: 8, transport: 6, identity: 0, against: 0 }, probability: 0.97 },
  ...{ rule: 'A rule.', rulesVersion: 1, thresholdVersion: 1 },
  lines: [sign('for', 2, 'The weaker sign.'), sign('for', 4, 'The stronger sign.'), sign('against', -1)],
  ...more,
});

/** Writes an open case about an account as a row; returns its number. */
export async function openCase(
  { db, clock }: TestServer,
  accountId: string,
  { kind = 'sharing', at = clock.now(), ...more }: { kind?: CaseKind; at?: number } & Partial<Dossier> = {},
): Promise<number> {
  const { number } = await db.write((tx) =>
    tx
      .insertInto('risk_flag')
      .values({
        ...{ number: sql<number>`(select coalesce(max(number), 0) + 1 from risk_flag)`, account_id: accountId, kind },
        ...{ dossier: JSON.stringify(dossierOf(kind, at, more)), opened_at: at, ended_at: null },
      })
      .returning('number')
      .executeTakeFirstOrThrow(),
  );
  return Number(number);
}

/** Writes a decision as a row, without its effects: `by` null is the operator. All but a question end the case. */
export async function writeDecision(
  { db, clock }: TestServer,
  number: number,
  kind: DecisionKind,
  by: string | null,
  at = clock.now(),
): Promise<string> {
  const id = randomUUID();
  await db.write(async (tx) => {
    const { account_id } = await tx
      .selectFrom('risk_flag')
      .select('account_id')
      .where('number', '=', number)
      .executeTakeFirstOrThrow();
    const earlier = await tx.selectFrom('decision').select('id').where('flag_number', '=', number).execute();
    await tx
      .insertInto('decision')
      .values({
        ...{ id, flag_number: number, step: earlier.length, account_id, kind, why: 'Told why.', rule: 'A rule.' },
        ...{ until_at: null, delete_at: null, taken_micro: null, reviewer_id: by, is_operators: by === null ? 1 : 0 },
        ...{ at, answer: null, answered_at: null },
      })
      .execute();
    if (kind !== 'ask') await tx.updateTable('risk_flag').set({ ended_at: at }).where('number', '=', number).execute();
  });
  return id;
}

/** Writes an appeal as a row. */
export async function writeAppeal(
  { db, clock }: TestServer,
  decisionId: string,
  {
    accountId,
    at = clock.now(),
    decided,
  }: { accountId: string; at?: number; decided?: { outcome: 'upheld' | 'reversed'; at: number; by: string } },
): Promise<void> {
  await db.write((tx) =>
    tx
      .insertInto('appeal')
      .values({
        ...{ decision_id: decisionId, account_id: accountId, at, time: 'In May', use_case: 'My own work.' },
        ...{ numbers_may_be_used: 0, is_operators: 0, outcome: decided?.outcome ?? null },
        ...{ decided_at: decided?.at ?? null, reviewer_id: decided?.by ?? null, why: decided ? 'Told why.' : null },
      })
      .execute(),
  );
}
