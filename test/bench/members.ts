// Whoever the measures of accounts need, put into a database before the server under measure opens it: a real sign-in needs
// a provider and a browser, and isn't what is measured.
import { randomBytes } from 'node:crypto';
import { signIn } from '../../server/accounts/people/identities.ts';
import { startSession } from '../../server/accounts/sessions/sessions.ts';
import { indexDue } from '../../server/conversations/search.ts';
import { type Config, parseConfig } from '../../server/platform/config/config.ts';
import type { Tx } from '../../server/platform/db/database.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import type { MessageRow } from '../../server/platform/db/schema.ts';
import { createLog } from '../../server/platform/log.ts';
import { systemIds } from '../../server/platform/system.ts';
import { InstallKey, Member } from '../support/member.ts';

/** A member with two installed editors, which prove their keys, and a page of the server, which has a cookie. */
export interface SeededMember {
  accountId: string;
  keys: [InstallKey, InstallKey];
  tokens: [string, string];
  pageToken: string;
}

/** With one conversation of so many messages. `databaseUrl` as in DATABASE_URL. */
export async function seedMember(databaseUrl: string, messages = 0): Promise<SeededMember> {
  const config = parseConfig({ DATABASE_URL: databaseUrl, SECRET: 'a secret of the bench, 32 characters' }, () => '{}');
  const db = await openDatabase(config.database, createLog('silent'));
  try {
    const at = Date.now();
    const expiresAt = at + 24 * 3_600_000;
    const keys: SeededMember['keys'] = [new InstallKey(), new InstallKey()];
    const tokens: SeededMember['tokens'] = [newToken(), newToken()];
    const pageToken = newToken();
    const thumbprints = await Promise.all(keys.map((key) => key.thumbprint()));
    const accountId = await db.write(async (tx) => {
      const { accountId } = await signIn(tx, deps(config), somebody(), {
        terms: config.policy.accounts.terms.version,
        at,
      });
      if (accountId === null) throw new Error('no account was made');
      const made = { account_id: accountId, name: 'the bench', tool: 'Perigee', at, expiresAt };
      for (const [i, jkt] of thumbprints.entries())
        await startSession(tx, { ...made, id: systemIds.next(), kind: 'device', jkt, token: tokens[i]! });
      await startSession(tx, { ...made, id: systemIds.next(), kind: 'page', jkt: null, token: pageToken });
      return accountId;
    });
    if (messages > 0) {
      await db.write((tx) => writeConversation(tx, accountId, messages, at));
      await indexDue(db, new AbortController().signal);
    }
    return { accountId, keys, tokens, pageToken };
  } finally {
    await db.close();
  }
}

/** The member at its `n`th editor, on that server. */
export function memberAt(url: string, seeded: SeededMember, n: 0 | 1): Member {
  return new Member(url, seeded.tokens[n], seeded.accountId, seeded.keys[n], `editor ${n + 1}`);
}

const newToken = () => randomBytes(32).toString('base64url');

const deps = (config: Config) => ({ ids: systemIds, policy: config.policy, secret: 'a secret of the bench' });

function somebody() {
  const subject = systemIds.next();
  return { provider: 'google', subject, name: 'A member', email: `${subject}@example.org`, emailVerified: true };
}

/** One conversation, questions and answers by turns; an answer has some 1,500 characters. */
async function writeConversation(tx: Tx, accountId: string, messages: number, at: number): Promise<void> {
  const id = systemIds.next();
  const conversation = { id, account_id: accountId, title: 'All about parsers', kind: 'chat' as const };
  await tx
    .insertInto('conversation')
    .values({ ...conversation, created_at: at, updated_at: at })
    .execute();
  for (let from = 0; from < messages; from += ROWS_AT_ONCE) {
    const seqs = Array.from({ length: Math.min(ROWS_AT_ONCE, messages - from) }, (_, i) => from + i + 1);
    await tx
      .insertInto('message')
      .values(seqs.map((seq) => messageRow(id, seq, at)))
      .execute();
  }
}

/** SQLite takes 32,766 parameters a statement. */
const ROWS_AT_ONCE = 500;
const ANSWER = 'A parser takes text apart, `token` by token, and says what it means. '.repeat(22);

function messageRow(conversationId: string, seq: number, at: number): MessageRow {
  const isAnswer = seq % 2 === 0;
  return {
    id: systemIds.next(),
    conversation_id: conversationId,
    seq,
    role: isAnswer ? 'assistant' : 'user',
    kind: 'chat',
    text: isAnswer ? `${seq}. ${ANSWER}` : `And what does rule ${seq} of the grammar say?`,
    run_id: null,
    state: isAnswer ? 'complete' : null,
    model: isAnswer ? 'double' : null,
    usage: null,
    charged: isAnswer ? 1000 : null,
    reason: null,
    problem: null,
    cut_short: null,
    clamped_to: null,
    continues: null,
    device: null,
    effort: null,
    summary: null,
    created_at: at + seq,
    superseded_at: null,
    superseded_by: null,
    tokens: null,
    thinking: null,
    thinking_ms: null,
    bytes: null,
  };
}
