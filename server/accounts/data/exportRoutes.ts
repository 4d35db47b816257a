import { pipeline, Readable } from 'node:stream';
import { createRoute } from '@hono/zod-openapi';
import yazl from 'yazl';
import { conversationMarkdown } from '../../conversations/markdown.ts';
import { findOwnImage, imageFile, listImages } from '../../conversations/pictures.ts';
import { pageConversations } from '../../conversations/reading.ts';
import { logCsv } from '../../credits/log/log.ts';
import { paymentsOf } from '../../credits/payments/payments.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Policy } from '../../platform/config/config.ts';
import type { Database } from '../../platform/db/database.ts';
import type { ExportFile } from '../../platform/db/tables.ts';
import { rawAnswer } from '../../platform/http/api.ts';
import type { Api } from '../../platform/http/env.ts';
import { rawStream } from '../../platform/http/streams.ts';
import type { Log } from '../../platform/log.ts';
import { findDeclared } from '../../risk/flags/store.ts';
import { whatIsSeen } from '../../risk/seen.ts';
import { ownDecisions } from '../cases/ownDecisions.ts';
import { findOwnPicture, listOwnPictures } from '../cases/pictures.ts';
import { listKeys } from '../keys/store.ts';
import { balanceOf, describeAccount } from '../people/store.ts';
import { findCode } from '../referrals/links.ts';
import { referralsOf } from '../referrals/referralList.ts';
import { exportRole } from '../reviewers/store.ts';
import { listSessions } from '../sessions/sessions.ts';
import { conversationJson, EXPORT_README, fileNameOf, logJson, requestsJson } from './exportFiles.ts';

const CONVERSATIONS_AT_ONCE = 50;
const NOTHING = new Uint8Array();
/** A few lines each. No account has this many. */
const MAX_REFERRALS = 10_000;

const exported = createRoute({
  method: 'get',
  path: '/api/account/export',
  summary: 'All that is kept of an account, as JSON and Markdown in a ZIP file',
  responses: rawAnswer('application/zip', 'profile, sessions, token log and conversations'),
});

/** Streams the export as it is read, so a large account takes no more memory than a small one. */
export function exportRoutes(
  api: Api,
  { db, clock, policy, log }: { db: Database; clock: Clock; policy: Policy; log: Log },
): void {
  api.openapi(exported, async (c) => {
    const { accountId, sessionId } = c.var;
    const now = clock.now();
    const account = await describeAccount(db.read, accountId, now);
    const balance = await balanceOf(db.read, policy, accountId, now);
    const sessions = await listSessions(db.read, accountId, sessionId);
    const { referrals } = await referralsOf(db.read, accountId, undefined, MAX_REFERRALS);
    const payments = await paymentsOf(db.read, accountId);
    const keys = await listKeys(db.read, accountId, now);
    const declared = await findDeclared(db.read, accountId);
    const seen = await whatIsSeen(db.read, accountId, now);
    const reviewer = await exportRole(db.read, accountId);
    const decisions = await ownDecisions(db.read, accountId, now);
    const pictures = await listOwnPictures(db.read, accountId);
    const inviteCode = await findCode(db.read, accountId);
    const day = new Date(now).toISOString().slice(0, 10);
    const headers = {
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="perigee-${day}.zip"`,
      'cache-control': 'no-store',
    };
    return rawStream(
      c,
      headers,
      async (out, gone) => {
        const zip = new yazl.ZipFile();
        const done = new Promise<void>((resolve, reject) => {
          zip.on('error', reject);
          pipeline(zip.outputStream, out, (error) => (error && !gone.aborted ? reject(error) : resolve()));
        });
        // Stops the reading when the client disconnects.
        gone.addEventListener('abort', () => (zip.outputStream as Readable).destroy());
        const whole = (name: ExportFile, value: unknown) =>
          zip.addBuffer(Buffer.from(`${JSON.stringify(value, null, 2)}\n`), name);
        /** Opens a file only when its turn comes, so that only one file is being read. */
        const pieces = (name: string, read: () => AsyncGenerator<string>) =>
          zip.addReadStreamLazy(name, (opened) => opened(null, Readable.from(read(), { objectMode: false })));
        zip.addBuffer(Buffer.from(EXPORT_README), 'README.md');
        whole('profile.json', { account, balance, inviteCode, declared, ...(reviewer ? { reviewer } : {}) });
        whole('sessions.json', sessions);
        if (keys.length > 0) whole('keys.json', keys);
        if (referrals.length > 0) whole('referrals.json', referrals);
        if (payments.length > 0) whole('payments.json', payments);
        if (seen) whole('risk.json', seen);
        if (decisions.length > 0) whole('decisions.json', decisions);
        const picture = (name: string, read: () => Promise<Uint8Array>) =>
          zip.addReadStreamLazy(name, (opened) =>
            read().then(
              (bytes) => opened(null, Readable.from([bytes])),
              (error) => opened(error, null as never),
            ),
          );
        for (const { id, decisionId } of pictures)
          picture(`appeals/${id}.webp`, () => findOwnPicture(db.read, { decisionId, accountId }, id));
        pieces('token-log.json', () => logJson(db.read, accountId));
        pieces('token-log.csv', () => logCsv(db.read, accountId));
        pieces('requests.json', () => requestsJson(db.read, accountId));
        for (let after = ''; !gone.aborted; ) {
          const page = await pageConversations(db.read, accountId, { after, limit: CONVERSATIONS_AT_ONCE });
          for (const row of page) {
            const name = fileNameOf(row);
            pieces(`${name}.json`, () => conversationJson(db.read, row));
            pieces(`${name}.md`, () => conversationMarkdown(db.read, row));
            // Empty if it was deleted while the export ran.
            for (const image of await listImages(db.read, row.id))
              picture(imageFile(image), async () => (await findOwnImage(db.read, accountId, image))?.data ?? NOTHING);
          }
          if (page.length < CONVERSATIONS_AT_ONCE) break;
          after = page.at(-1)!.id;
        }
        zip.end();
        await done;
      },
      log,
    ) as never;
  });
}
