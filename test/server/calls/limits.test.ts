import assert from 'node:assert/strict';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { endOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import { member } from '../../support/tokenPrices.ts';
import { openTool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;
const PRICE = { mode: 'tokens' as const, inputMicro: 60 * C, cachedInputMicro: 15 * C, outputMicro: 250 * C };

const chunk = (delta: object) => `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`;
/** Thoughts of about 100 tokens each, from a service that counts none of them in its limit, and that has more. */
const ENDLESS = {
  raw: Array.from({ length: 20 }, () => chunk({ reasoning_content: 'Let me think about this once more. '.repeat(12) })),
  gateAt: 4,
};

const DIALECTS: [path: string, body: object, end: RegExp][] = [
  ['/v1/chat/completions', { max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }, /"finish_reason":"length"/],
  ['/v1/messages', { max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }, /"stop_reason":"max_tokens"/],
  ['/v1/responses', { max_output_tokens: 1, input: 'Hi' }, /"reason":"max_output_tokens"/],
];

onBothEngines(
  'an output limit counts thoughts',
  (server) => {
    for (const [path, body, end] of DIALECTS)
      it(`on ${path}: a service that thinks on beyond it is cut off, and its thoughts are paid for`, async () => {
        const tool = await openTool(server(), { credits: 1 });
        const call = server().double.script(ENDLESS);
        const { status, text } = await tool.send({ model: 'double', stream: true, ...body }, {}, path);
        assert.equal(status, 200, text);
        assert.match(text, end);
        await call.ended;
        const [line] = await tool.log();
        assert.equal(line!.kind, 'charge');
        assert.equal(line!.absorbed, 0);
        assert.ok(line!.output_tokens! < 600, `${line!.output_tokens} tokens for a limit of 1`);
        assert.equal(await tool.available(), C + line!.amount);
      });

    it('is charged where thoughts within it leave no room for an answer, and an empty answer without a limit is not', async () => {
      for (const [finish, kind] of [
        ['length', 'charge'],
        ['stop', 'not_charged'],
      ] as const) {
        const tool = await openTool(server());
        server().double.script({ thoughts: ['Hm, ', 'so ', 'be ', 'it.'], pieces: [], finish });
        const body = { model: 'double', max_tokens: 4, messages: [{ role: 'user', content: 'Hi' }] };
        await tool.send(body);
        assert.equal((await tool.log())[0]?.kind, kind);
      }
    });

    it('in the editor, too: the run ends at its limit', async () => {
      const client = await member(server());
      const call = server().double.script({ raw: Array(100).fill(ENDLESS.raw).flat(), gateAt: 1_900 });
      const end = endOf(await client.run(client.chat('well?')));
      assert.deepEqual(
        [end.type, end.type === 'done' && end.data.state, end.type === 'done' && end.data.cutShort],
        ['done', 'complete', true],
      );
      await call.ended;
    });

    it('cuts no answer that keeps to it, whatever it is made of', async () => {
      // Each is close to 2,000 tokens of its own tokenizer.
      const texts = [
        'word '.repeat(1_950),
        '代码测试'.repeat(480),
        '{"a":[1,22,333]},'.repeat(200),
        '🙂👍'.repeat(900),
      ];
      for (const text of texts) {
        const tool = await openTool(server());
        const pieces = text.match(/[\s\S]{1,5}/gu)!;
        server().double.script({ raw: [...pieces.map((content) => chunk({ content })), 'data: [DONE]\n\n'] });
        const body = { model: 'double', max_tokens: 2_000, messages: [{ role: 'user', content: 'Hi' }] };
        const answer = await tool.send({ ...body, stream: false });
        const { choices } = JSON.parse(answer.text);
        assert.deepEqual([choices[0].message.content.length, choices[0].finish_reason], [text.length, 'stop']);
      }
    });
  },
  {
    policy: (policy) => {
      policy.models = [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 8_000, price: PRICE }];
    },
  },
);
