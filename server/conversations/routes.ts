import { createRoute, z } from '@hono/zod-openapi';
import { ConversationPatchSchema, ConversationSchema, ConversationsAnswerSchema } from '../../shared/conversations.ts';
import { RunKindSchema, textSchema } from '../../shared/runs.ts';
import type { Clock } from '../platform/clock.ts';
import { changed } from '../platform/db/changes.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { answers, emptyAnswer, rawAnswer } from '../platform/http/api.ts';
import { jsonBody, KB } from '../platform/http/bodies.ts';
import type { Api, AppContext } from '../platform/http/env.ts';
import { rawStream, writePiece } from '../platform/http/streams.ts';
import type { Log } from '../platform/log.ts';
import { conversationMarkdown } from './markdown.ts';
import { findOwnImage } from './pictures.ts';
import { findConversation, listConversations, readConversation } from './reading.ts';
import type { Cursor } from './search.ts';
import { Searches } from './searches.ts';
import { changeConversation, deleteConversation, findConversations } from './store.ts';
import { isSummary } from './summaries.ts';

/** How many conversations are deleted per transaction. */
const DELETED_AT_ONCE = 20;

const params = z.object({ id: z.uuid() });
const limit = (fallback: number) => z.coerce.number().int().min(1).max(200).default(fallback);

const list = createRoute({
  method: 'get',
  path: '/api/conversations',
  summary: 'The conversations, newest first, pinned ones before the others',
  request: {
    query: z.object({
      search: textSchema(500).optional(),
      kind: RunKindSchema.optional().describe('only those that began as this'),
      before: z.string().max(100).optional(),
      limit: limit(30),
    }),
  },
  responses: answers(ConversationsAnswerSchema),
});

const get = createRoute({
  method: 'get',
  path: '/api/conversations/{id}',
  summary: 'The newest messages of a conversation, earlier ones by page',
  request: { params, query: z.object({ before: z.uuid().optional(), limit: limit(50) }) },
  responses: answers(ConversationSchema),
});

const patch = createRoute({
  method: 'patch',
  path: '/api/conversations/{id}',
  summary: 'Rename a conversation, pin it, or choose whether a summary stands for its earlier messages',
  request: {
    params,
    body: jsonBody(ConversationPatchSchema, 4 * KB),
  },
  responses: emptyAnswer,
});

const remove = createRoute({
  method: 'delete',
  path: '/api/conversations/{id}',
  summary: 'Delete a conversation; its running answer is stopped',
  request: { params },
  responses: emptyAnswer,
});

const removeAll = createRoute({
  method: 'delete',
  path: '/api/conversations',
  summary: 'Delete all conversations; what they are answering is stopped',
  responses: emptyAnswer,
});

const exported = createRoute({
  method: 'get',
  path: '/api/conversations/{id}/export',
  summary: 'A conversation as Markdown',
  request: { params },
  responses: rawAnswer('text/markdown', 'the whole conversation, in reading order'),
});

const picture = createRoute({
  method: 'get',
  path: '/api/attachments/{message}/{place}',
  summary: 'The bytes of an attached picture',
  request: { params: z.object({ message: z.uuid(), place: z.coerce.number().int().min(0).max(999) }) },
  responses: rawAnswer('image/*', 'the picture as it was sent to the model: a PNG, JPEG, WebP or GIF'),
});

/**
 * `endRunsOf` stops a deleted conversation's running answer and deletes its events. It is passed in, because runs
 * belong to a higher floor.
 */
export function conversationRoutes(
  api: Api,
  {
    db,
    clock,
    log,
    endRunsOf,
  }: { db: Database; clock: Clock; log: Log; endRunsOf: (tx: Tx, conversationId: string) => Promise<void> },
): void {
  const searches = new Searches(() => clock.now());

  api.openapi(list, async (c) => {
    const { search, kind, before, limit } = c.req.valid('query');
    const page = { search: search?.trim(), kind, before: parseCursor(before), limit };
    const list = () => listConversations(db, c.get('accountId'), page);
    return c.json(await (page.search ? searches.run(c.get('accountId'), list) : list()), 200);
  });

  api.openapi(get, async (c) => {
    const { id } = c.req.valid('param');
    const conversation = await readConversation(db.read, c.get('accountId'), id, c.req.valid('query'));
    if (!conversation) throw notFound('conversation');
    return c.json(conversation, 200);
  });

  api.openapi(patch, async (c) => {
    const { id } = c.req.valid('param');
    const { title, pinned, summary } = c.req.valid('json');
    const { accountId } = c.var;
    await db.write(async (tx) => {
      const change = {
        ...(title === undefined ? {} : { title, titled: 'user' as const }),
        ...(pinned === undefined ? {} : { pinned_at: pinned ? clock.now() : null }),
        ...(summary === undefined ? {} : { summary_id: summary }),
      };
      if (!(await changeConversation(tx, accountId, id, change))) throw notFound('conversation');
      if (summary && !(await isSummary(tx, id, summary))) throw notFound('message');
      changed(tx, accountId, 'conversation', id);
    });
    return c.body(null, 204);
  });

  api.openapi(remove, async (c) => {
    const { id } = c.req.valid('param');
    const { accountId } = c.var;
    await db.write(async (tx) => {
      if (!(await deleteConversation(tx, accountId, id))) throw notFound('conversation');
      await endRunsOf(tx, id);
      changed(tx, accountId, 'conversation', id);
    });
    return c.body(null, 204);
  });

  api.openapi(removeAll, async (c) => {
    const { accountId } = c.var;
    const page = { at: clock.now(), limit: DELETED_AT_ONCE };
    // Delete in small transactions, so that others do not wait long. Conversations started meanwhile stay.
    for (;;) {
      const ids = await findConversations(db.read, accountId, page);
      if (ids.length === 0) break;
      await db.write(async (tx) => {
        for (const id of ids) {
          await deleteConversation(tx, accountId, id);
          await endRunsOf(tx, id);
        }
      });
    }
    await db.write(async (tx) => changed(tx, accountId, 'conversation', ''));
    return c.body(null, 204);
  });

  api.openapi(picture, async (c) => {
    const { message, place } = c.req.valid('param');
    const image = await findOwnImage(db.read, c.get('accountId'), { messageId: message, place });
    if (!image) throw notFound('picture');
    return imageResponse(c, image) as never;
  });

  api.openapi(exported, async (c) => {
    const { id } = c.req.valid('param');
    const conversation = await findConversation(db.read, c.get('accountId'), id);
    if (!conversation) throw notFound('conversation');
    const headers = { 'content-type': 'text/markdown; charset=utf-8', 'cache-control': 'no-store' };
    return rawStream(
      c,
      headers,
      async (out, gone) => {
        for await (const piece of conversationMarkdown(db.read, conversation))
          if (!(await writePiece(out, piece, gone))) return;
        out.end();
      },
      log,
    ) as never;
  });
}

/** Answers with a picture as nothing but a picture: no browser runs or stores it as anything else. */
function imageResponse(c: AppContext, { mediaType, data }: { mediaType: string; data: Uint8Array }): Response {
  return c.body(Uint8Array.from(data).buffer, 200, {
    'content-type': mediaType,
    'content-disposition': 'inline',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-store',
  });
}

/** Parses `before` as the list returned it: `<updated at in ms>.<id>`, with a `p` before it among the pinned. */
function parseCursor(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const match = /^(p?)(\d{1,15})\.([0-9a-f-]{36})$/i.exec(text);
  if (!match) throw new AppError('invalid_request', 'before must be what the page before this one gave as before.');
  return { isPinned: match[1] !== '', updatedAt: Number(match[2]), id: match[3]! };
}
