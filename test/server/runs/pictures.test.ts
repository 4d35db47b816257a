import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { MAX_KEPT_BYTES } from '../../../server/gateway/runs/pictures.ts';
import {
  IMAGE_TOKENS_BOUND,
  imageTokensBound,
  MAX_CONVERSATION_IMAGES,
  MAX_IMAGE_BYTES,
  MAX_IMAGE_SIDE,
  MAX_PROMPT_IMAGE_BYTES,
} from '../../../shared/media/images.ts';
import type { ModelsAnswer } from '../../../shared/models.ts';
import type { RunRequest } from '../../../shared/runs.ts';
import { type Client, endOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import { gif, png, pngHead } from '../../support/pngs.ts';
import type { TestServer } from '../../support/server.ts';
import { KIMI, member } from '../../support/tokenPrices.ts';
import { unzip } from '../../support/zip.ts';

const SMALL = png(3, 2);
const image = (bytes: Buffer = SMALL, path = 'screen.png', mediaType = 'image/png') =>
  ({ kind: 'image', path, mediaType, data: bytes.toString('base64') }) as const;
const part = (bytes: Buffer = SMALL) => ({
  type: 'image_url',
  image_url: { url: `data:image/png;base64,${bytes.toString('base64')}` },
});
const text = (said: string) => ({ type: 'text', text: said });

const lastPrompt = (server: TestServer) =>
  server.double.bill.at(-1)!.body.messages!.map(({ content }) => content) as unknown[];
const asking = (client: Client, said: string, attachments: object[], more: Partial<RunRequest> = {}) =>
  client.chat('', { model: 'eyes', input: { text: said, attachments }, ...more } as Partial<RunRequest>);

onBothEngines(
  'pictures in a chat',
  (server) => {
    const ask = async (client: Client, ...given: [string, object[], Partial<RunRequest>?]) => {
      endOf(await client.run(asking(client, ...given)));
      return lastPrompt(server());
    };
    const refused = async (client: Client, attachments: object[], more: Partial<RunRequest> = {}) => {
      const before = server().double.bill.length;
      const { status, body } = await client.start(asking(client, 'What is it?', attachments, more));
      assert.equal(server().double.bill.length, before, 'nothing is sent');
      return { status, code: body.code, detail: body.detail };
    };

    /** What a run held, in micro-credits. */
    const heldFor = async (client: Client, request: RunRequest) => {
      endOf(await client.run(request));
      const hold = server().db.read.selectFrom('hold').select('amount').where('run_id', '=', request.id);
      return Number((await hold.executeTakeFirstOrThrow()).amount);
    };

    /** Resolves with the run's first text. */
    const textOf = async (client: Client, id: string) => {
      const path = `/api/runs/${id}/events`;
      const { body } = await fetch(client.url + path, { headers: await client.credentials('GET', path) });
      let read = '';
      for await (const piece of body!) {
        read += Buffer.from(piece).toString();
        if (read.includes('event: text')) break;
      }
    };

    it('go to the model word for word, and again with each later question, so that the prefix stays', async () => {
      const client = await member(server());
      const conversationId = randomUUID();
      const other = png(2, 2, [0, 0, 255]);
      const first = await ask(client, 'Compare them.', [image(), image(other, 'b.png')], { conversationId });
      const sent = [
        text('Compare them.\n\nAttached picture: screen.png\n\nAttached picture: b.png'),
        part(),
        part(other),
      ];
      assert.deepEqual(first[1], sent);
      const second = await ask(client, 'And now?', [], { conversationId });
      assert.deepEqual(second.slice(0, 2), first, 'the cached prefix');
      assert.equal(second.at(-1), 'And now?');
    });

    it('are told to clients by the models that read them', async () => {
      const client = await member(server());
      const { models } = (await client.request<ModelsAnswer>('GET', '/api/models')).body;
      assert.deepEqual(
        models.map(({ id, vision }) => [id, vision]),
        [
          ['blind', undefined],
          ['eyes', true],
          ['cheap', true],
        ],
      );
    });

    it('are counted in the hold before they are sent', async () => {
      const client = await member(server());
      const held = (attachments: object[]) => heldFor(client, asking(client, 'What is it?', attachments));
      const more = (await held([image(png(1_500, 1_000))])) - (await held([]));
      const tokens = more / (KIMI.inputMicro / 1_000_000);
      const bound = imageTokensBound({ width: 1_500, height: 1_000 });
      assert.ok(tokens >= bound && tokens < bound + 200, `${tokens} tokens`);
    });

    it('that no model reads are refused by name, and nothing is started', async () => {
      const client = await member(server());
      const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
      const cases: [object, RegExp][] = [
        [
          image(svg, 'a.svg', 'image/svg+xml'),
          /“a\.svg” is of a type that models do not read\. Send a PNG, JPEG, WebP or GIF\./,
        ],
        [image(svg), /is damaged, or no PNG/],
        [image(gif(16, 16)), /is sent as image\/png, and is image\/gif/],
        [image(pngHead(40_000, 40_000)), /has 40000 × 40000 pixels, and each side may have 2000/],
        [image(pngHead(MAX_IMAGE_SIDE + 1, 1)), /pixels/],
        [image(pngHead(0, 5)), /is damaged/],
        [image(gif(2_001, 2_000, { screen: 1 }), 'a.gif', 'image/gif'), /has 2001 × 2000 pixels/],
        [image(Buffer.alloc(0)), /is damaged/],
        [
          image(Buffer.concat([SMALL, Buffer.alloc(MAX_IMAGE_BYTES + 1 - SMALL.length)])),
          /has 1000001 bytes, and may have 1000000/,
        ],
        [{ ...image(), data: `${SMALL.toString('base64')}\n!` }, /is not sent as base64/],
      ];
      for (const [given, why] of cases) {
        const { status, code, detail } = await refused(client, [given]);
        assert.deepEqual([status, code], [422, 'picture_unreadable'], String(why));
        assert.match(detail, why);
        assert.match(detail, /Nothing was started/);
      }
      const tooLong = { ...image(), data: 'A'.repeat(2_000_000) };
      assert.equal((await refused(client, [tooLong])).status, 400);
      assert.equal((await refused(client, [{ kind: 'image', path: 'a.png', text: 'no bytes' }])).status, 400);
    });

    it('are at most four in a message and twenty in a chat', async () => {
      const client = await member(server());
      const five = await refused(
        client,
        Array.from({ length: 5 }, () => image()),
      );
      assert.deepEqual([five.status, five.code], [409, 'too_many_pictures']);
      const conversationId = randomUUID();
      const more = { conversationId, model: 'cheap' };
      const four = Array.from({ length: 4 }, () => image());
      for (let n = 0; n < MAX_CONVERSATION_IMAGES; n += 4) await ask(client, `${n}`, four, more);
      const one = await refused(client, [image()], more);
      assert.match(one.detail, /A chat can have 20 pictures.*send \/compact.*or go on in a new chat/);
      await ask(client, 'Without', [], more);
    });

    /** Makes a chat whose pictures count as so many bytes. */
    const chatOf = async (client: Client, size: number) => {
      const more = { conversationId: randomUUID(), model: 'cheap' };
      await ask(client, 'Look', [image()], more);
      const { conversationId } = more;
      await server().db.write((tx) =>
        tx.updateTable('picture').set({ size }).where('conversation_id', '=', conversationId).execute(),
      );
      return more;
    };

    it('have eight megabytes at most together in one prompt', async () => {
      const client = await member(server());
      const more = await chatOf(client, MAX_PROMPT_IMAGE_BYTES - SMALL.length);
      await ask(client, 'And this?', [image()], more);
      const one = await refused(client, [image()], more);
      assert.deepEqual([one.status, one.code], [409, 'too_many_pictures']);
      assert.match(one.detail, /can have 8 MB together.*Nothing was started: send \/compact/);
    });

    it('that wait for a service take a bounded part of its memory, and give it back at the first byte', async () => {
      const client = await member(server());
      const runs: string[] = [];
      const chats: { conversationId: string; model: string }[] = [];
      for (let n = 0; n < 4; n++) chats.push(await chatOf(client, MAX_PROMPT_IMAGE_BYTES));
      const begin = async (more?: object) => {
        if (more) server().double.script({ when: 'Large', ...more });
        const request = asking(client, 'Large', [], chats[runs.length]);
        const { status, body } = await client.start(request);
        if (status === 202) runs.push(request.id);
        return [status, body.code];
      };
      assert.deepEqual(await begin({ text: 'One word and more', gateAt: 2 }), [202, undefined]);
      await textOf(client, runs[0]!);
      for (let n = 0; n < 2; n++) assert.deepEqual(await begin({ instead: 'hang' }), [202, undefined]);
      assert.deepEqual(await begin(), [503, 'unavailable']);
      for (const id of runs) {
        await client.stop(id);
        endOf(await client.events(id));
      }
      await ask(client, 'Again', [], chats[3]);
    });

    it('are at most four in a prompt of a guest', async () => {
      const client = await server().guest();
      const more = { conversationId: randomUUID() };
      await ask(
        client,
        'Look',
        Array.from({ length: 4 }, () => image()),
        more,
      );
      const one = await refused(client, [image()], more);
      assert.equal(one.code, 'too_many_pictures');
      assert.match(one.detail, /A chat of a guest can have 4 pictures/);
    });

    it('are kept up to a bound for each account, those sent again by their id and replaced included', async () => {
      for (const [client, most] of [
        [await member(server()), MAX_KEPT_BYTES.member],
        [await server().guest(), MAX_KEPT_BYTES.guest],
      ] as const) {
        const conversationId = randomUUID();
        await ask(client, 'Look', [image()], { conversationId });
        const of = { conversationId, replaces: (await client.conversation(conversationId)).body.messages[0]!.id };
        const kept = [{ id: `${of.replaces}/0` }];
        const grow = (size: number) =>
          server().db.write((tx) =>
            tx.updateTable('picture').set({ size }).where('conversation_id', '=', conversationId).execute(),
          );
        await grow(most - SMALL.length);
        await ask(client, 'Another chat', [image()]);
        const full = await refused(client, [image()]);
        assert.deepEqual([full.status, full.code], [409, 'too_many_pictures']);
        assert.match(full.detail, new RegExp(`can have ${most / 1_000_000} MB together.*delete chats with pictures`));
        await ask(client, 'Words alone', []);
        await grow(2_000_000);
        await ask(client, 'Look again', kept, of);
        await grow(most / 2);
        assert.equal((await refused(client, [image()])).code, 'too_many_pictures', 'the replaced one counts');
      }
    });

    it('are refused by name where the model reads none', async () => {
      const client = await member(server());
      const one = await refused(client, [image()], { model: 'blind' });
      assert.deepEqual([one.status, one.code], [422, 'no_vision']);
      assert.equal(
        one.detail,
        'Blind reads no pictures. Nothing was started: choose another model, or remove the picture.',
      );
      const conversationId = randomUUID();
      await ask(client, 'Look', [image()], { conversationId });
      const [question] = (await client.conversation(conversationId)).body.messages;
      const again = asking(client, '', [], { conversationId, model: 'blind', replaces: question!.id });
      const kept = { ...again, input: { text: 'Look again', attachments: [{ id: question!.attachments![0]!.id }] } };
      assert.equal((await client.start(kept as RunRequest)).body.code, 'no_vision');
    });

    it('are left out with a note, and not counted, when a model without vision goes on', async () => {
      const client = await member(server());
      const conversationId = randomUUID();
      await ask(client, 'Look', [image(png(1_500, 1_000))], { conversationId });
      const blindly = asking(client, 'And?', [], { conversationId, model: 'blind' });
      assert.ok((await heldFor(client, blindly)) < (IMAGE_TOKENS_BOUND * KIMI.inputMicro) / 1_000_000);
      const later = lastPrompt(server());
      const note = 'Look\n\nAttached picture: screen.png (left out, because it can not be read here)';
      assert.equal(later[1], note);
      const back = await ask(client, 'And now?', [], { conversationId });
      assert.deepEqual(back[1], [text('Look\n\nAttached picture: screen.png'), part(png(1_500, 1_000))]);
    });

    it('are measured again where another version of the server has stored smaller sizes', async () => {
      const client = await member(server());
      const conversationId = randomUUID();
      await ask(client, 'Look', [image(png(1_500, 1_000))], { conversationId });
      for (const size of [1, 1_000]) {
        await server().db.write(async (tx) => {
          const row = { tokens: size, bytes: size };
          await tx.updateTable('message').set(row).where('conversation_id', '=', conversationId).execute();
        });
        await ask(client, 'And?', [], { conversationId, model: 'blind' });
      }
    });

    it('that the service refuses are named, and stay out of later questions, so that the chat goes on', async () => {
      const client = await member(server());
      const conversationId = randomUUID();
      const refusal = { status: 400, body: { error: { message: 'Could not decode', type: 'invalid_request_error' } } };
      server().double.script(refusal);
      const end = endOf(await client.run(asking(client, 'Look', [image()], { conversationId })));
      const { code, detail } = end.data as { code: string; detail: string };
      assert.equal(code, 'upstream_refused');
      assert.match(detail, /because of a picture: “screen\.png”\. Edit that message, or remove the picture from it\./);
      const later = await ask(client, 'Never mind', [], { conversationId });
      assert.match(
        String(later[1]),
        /^Look\n\nAttached picture: screen\.png \(left out, because it can not be read here\)/,
      );
      const [question] = (await client.conversation(conversationId)).body.messages;
      const kept = [{ id: question!.attachments![0]!.id }];
      const again = await ask(client, 'Look again', kept, { conversationId, replaces: question!.id });
      assert.deepEqual(again[1], [text('Look again\n\nAttached picture: screen.png'), part()], 'the question’s own go');
    });

    it('keep their bytes for the account alone, with the message, and go with it', async () => {
      const client = await member(server());
      const conversationId = randomUUID();
      await ask(client, '', [image()], { conversationId });
      const { body } = await client.conversation(conversationId);
      assert.equal(body.title, 'About screen.png');
      const [shown] = body.messages[0]!.attachments!;
      const facts = { mediaType: 'image/png', width: 3, height: 2, bytes: SMALL.length };
      assert.deepEqual(shown, {
        id: `${body.messages[0]!.id}/0`,
        kind: 'image',
        path: 'screen.png',
        characters: 0,
        image: facts,
      });
      const read = async (who: Client) => {
        const path = `/api/attachments/${shown!.id}`;
        const answer = await fetch(who.url + path, { headers: await who.credentials('GET', path) });
        return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
      };
      const { status, headers, bytes } = await read(client);
      assert.deepEqual(
        [status, headers.get('content-type'), headers.get('x-content-type-options')],
        [200, 'image/png', 'nosniff'],
      );
      assert.match(headers.get('content-security-policy')!, /default-src 'none'; sandbox/);
      assert.deepEqual(bytes, SMALL);
      assert.equal((await read(await member(server()))).status, 404, 'of another account');
      const markdown = await client.request<string>('GET', `/api/conversations/${conversationId}/export`);
      assert.match(markdown.body, /- Attached picture `screen\.png`\n/);
      const archive = await fetch(`${client.url}/api/account/export`, {
        headers: await client.credentials('GET', '/api/account/export'),
      });
      const files = await unzip(Buffer.from(await archive.arrayBuffer()));
      const name = `pictures/${body.messages[0]!.id}-0.png`;
      assert.equal(files.get(name), SMALL.toString('utf8'));
      const json = [...files].find(([path]) => /conversations\/.*\.json$/.test(path))![1];
      assert.deepEqual(JSON.parse(json).messages[0].attachments[0].image, { ...facts, file: name });
      await client.request('DELETE', `/api/conversations/${conversationId}`);
      assert.equal((await read(client)).status, 404);
      const left = await server()
        .db.read.selectFrom('picture')
        .select('place')
        .where('conversation_id', '=', conversationId)
        .execute();
      assert.deepEqual(left, []);
    });

    it('stay with an edited message by their id, and are answered again with it', async () => {
      const client = await member(server());
      const conversationId = randomUUID();
      await ask(client, 'Look', [image()], { conversationId });
      const [question] = (await client.conversation(conversationId)).body.messages;
      const kept = [{ id: question!.attachments![0]!.id }];
      const edited = await ask(client, 'Look closer', kept, { conversationId, replaces: question!.id });
      assert.deepEqual(edited.slice(1), [[text('Look closer\n\nAttached picture: screen.png'), part()]]);
      const [, answer] = (await client.conversation(conversationId)).body.messages;
      const again = client.chat('', { conversationId, model: 'eyes', replaces: answer!.id });
      endOf(await client.run(again));
      assert.deepEqual(lastPrompt(server()), edited);
      const stranger = await member(server());
      const stolen = asking(stranger, 'Mine?', kept);
      assert.equal((await stranger.start(stolen)).status, 404);
    });

    it('start a run once, however often the request comes', async () => {
      const client = await member(server());
      const request = asking(client, 'Look', [image()]);
      const before = server().double.bill.length;
      endOf(await client.run(request));
      assert.equal((await client.start(request)).status, 202);
      assert.equal(server().double.bill.length, before + 1);
    });
  },
  {
    policy: (policy) => {
      const model = { contextTokens: 128_000, maxOutputTokens: 1000, price: KIMI };
      policy.models = [
        { id: 'blind', name: 'Blind', ...model },
        { id: 'eyes', name: 'Eyes', ...model, vision: true, fallbacks: ['blind'] },
        { id: 'cheap', ...model, price: { mode: 'flat', runMicro: 1 }, vision: true },
      ];
    },
  },
);
