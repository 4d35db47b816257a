import { createRoute, z } from '@hono/zod-openapi';
import {
  AnswerRequestSchema,
  AppealRequestSchema,
  MAX_PICTURE_BYTES,
  type OwnDecision,
  OwnDecisionSchema,
  OwnDecisionsSchema,
  PictureSchema,
} from '../../../shared/decisions.ts';
import type { Clock, Ids } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { notFound } from '../../platform/errors.ts';
import { answers, emptyAnswer, rawAnswer } from '../../platform/http/api.ts';
import { bytesBody, jsonBody, KB, readBytes } from '../../platform/http/bodies.ts';
import type { Api } from '../../platform/http/env.ts';
import type { Attempts } from '../sessions/attempts.ts';
import { answerQuestion, appeal } from './appeals.ts';
import { encodePicture } from './encoding.ts';
import { ownDecisions } from './ownDecisions.ts';
import { addPicture, deletePicture, findOwnPicture, pictureResponse, requirePlace } from './pictures.ts';

const BASE = '/api/account/decisions';
const params = z.object({ id: z.uuid() });
const ofPicture = z.object({ id: z.uuid(), picture: z.uuid() });

const list = createRoute({
  method: 'get',
  path: BASE,
  summary: 'What people have decided about the account, newest first',
  responses: answers(OwnDecisionsSchema),
});

const answer = createRoute({
  method: 'post',
  path: `${BASE}/{id}/answer`,
  summary: 'Answers a question of the desk, once',
  request: { params, body: jsonBody(AnswerRequestSchema, 32 * KB) },
  responses: answers(OwnDecisionSchema),
});

const send = createRoute({
  method: 'post',
  path: `${BASE}/{id}/pictures`,
  summary: 'Sends a picture ahead of an appeal: a PNG, JPEG or WebP, which is encoded anew',
  request: { params, body: bytesBody('a picture', MAX_PICTURE_BYTES) },
  responses: answers(PictureSchema, 201),
});

const look = createRoute({
  method: 'get',
  path: `${BASE}/{id}/pictures/{picture}`,
  summary: 'A picture that was sent',
  request: { params: ofPicture },
  responses: rawAnswer('image/webp', 'the picture as it is kept'),
});

const drop = createRoute({
  method: 'delete',
  path: `${BASE}/{id}/pictures/{picture}`,
  summary: 'Deletes a picture that was not sent with an appeal yet',
  request: { params: ofPicture },
  responses: emptyAnswer,
});

const makeAppeal = createRoute({
  method: 'post',
  path: `${BASE}/{id}/appeal`,
  summary: 'Appeals against a decision, once',
  request: { params, body: jsonBody(AppealRequestSchema, 32 * KB) },
  responses: answers(OwnDecisionSchema),
});

/** What an account's owner does about decisions. All of it works while the account is suspended or closed. */
export function ownDecisionRoutes(
  api: Api,
  { db, clock, ids, attempts }: { db: Database; clock: Clock; ids: Ids; attempts: Attempts },
): void {
  async function one(accountId: string, id: string): Promise<OwnDecision> {
    const found = (await ownDecisions(db.read, accountId, clock.now())).find((decision) => decision.id === id);
    if (!found) throw notFound('decision');
    return found;
  }

  api.openapi(list, async (c) => {
    c.header('cache-control', 'no-store');
    return c.json({ decisions: await ownDecisions(db.read, c.get('accountId'), clock.now()) }, 200);
  });

  api.openapi(answer, async (c) => {
    const { accountId } = c.var;
    const { id } = c.req.valid('param');
    const { text } = c.req.valid('json');
    await db.write((tx) => answerQuestion(tx, { decisionId: id, accountId, text, at: clock.now() }));
    return c.json(await one(accountId, id), 200);
  });

  api.openapi(send, async (c) => {
    const { accountId } = c.var;
    const of = { decisionId: c.req.valid('param').id, accountId };
    await requirePlace(db.read, of, clock.now());
    await attempts.count('picture', accountId);
    const encoded = await encodePicture(await readBytes(c));
    return c.json(await db.write((tx) => addPicture(tx, of, ids.next(), encoded, clock.now())), 201);
  });

  api.openapi(look, async (c) => {
    const { id, picture } = c.req.valid('param');
    const bytes = await findOwnPicture(db.read, { decisionId: id, accountId: c.get('accountId') }, picture);
    return pictureResponse(c, bytes, 'picture') as never;
  });

  api.openapi(drop, async (c) => {
    const { id, picture } = c.req.valid('param');
    await db.write((tx) => deletePicture(tx, { decisionId: id, accountId: c.get('accountId') }, picture));
    return c.body(null, 204);
  });

  api.openapi(makeAppeal, async (c) => {
    const { accountId } = c.var;
    const { id } = c.req.valid('param');
    const request = c.req.valid('json');
    await db.write((tx) => appeal(tx, { ...request, decisionId: id, accountId, at: clock.now() }));
    return c.json(await one(accountId, id), 200);
  });
}
