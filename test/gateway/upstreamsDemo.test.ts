import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { planBlocks, readAnswerBlocks } from '../../extension/edit/changes/applyBlocks.ts';
import { planSnippet } from '../../extension/edit/engine/snippets/snippet.ts';
import { buildPrompt } from '../../server/gateway/prompt/prompt.ts';
import { estimateTokens } from '../../server/gateway/prompt/tokens.ts';
import { type PromptMessage, type StreamEvent, UpstreamError } from '../../server/gateway/stream.ts';
import { DEMO_MODEL, type DemoOptions, demoUpstream } from '../../server/gateway/upstreams/demo/demo.ts';
import { EDIT_RULES } from '../../server/gateway/upstreams/demo/demoEdit.ts';
import { KnownPaths } from '../../shared/answers/knownPaths.ts';
import type { SelectionEdit } from '../../shared/runs.ts';
import { eventsIn } from '../support/pieces.ts';

interface Heard {
  text: string;
  events: StreamEvent[];
  error?: unknown;
}

async function listen(messages: PromptMessage[], { maxOutputTokens = 4_000, options = {} as DemoOptions } = {}) {
  const heard: Heard = { text: '', events: [] };
  const upstream = demoUpstream({ delayMs: 0, now: () => Date.UTC(2026, 0, 2), ...options });
  const request = { model: DEMO_MODEL, messages, maxOutputTokens, cacheKey: 'c' };
  try {
    for await (const event of eventsIn(upstream.stream(request, new AbortController().signal))) {
      heard.events.push(event);
      if (event.type === 'text') heard.text += event.text;
    }
  } catch (error) {
    heard.error = error;
  }
  return heard;
}

const chat = (text: string) => listen(buildPrompt('chat', [{ role: 'user', text }], false));

const EDIT: SelectionEdit = {
  instruction: '',
  path: 'src/a b (1).ts',
  languageId: 'typescript',
  selection: { start: 1, end: 2, text: 'let b;\nlet a;' },
  before: 'import x;',
  after: '',
};

/** What the demo model makes of a selection: the answer's block, of which the fence must be all there is beside. */
async function edited(instruction: string, text: string, languageId = 'typescript'): Promise<string> {
  const edit = { ...EDIT, instruction, languageId, selection: { start: 0, end: 0, text } };
  const heard = await listen(buildPrompt('edit', [{ role: 'user', text: instruction, edit }], false));
  assert.equal(heard.error, undefined);
  const block = /^(`{3,})[^\n]*\n([\s\S]*)\n\1$/.exec(heard.text);
  assert(block, `not one block: ${heard.text}`);
  assert(!block[2]!.includes(block[1]!), 'the fence is longer than any run inside');
  return block[2]!;
}

describe('the demo model', () => {
  it('is the only one of its service', async () => {
    assert.deepEqual(await demoUpstream().models(), [DEMO_MODEL]);
  });

  it('says in each answer that it is one', async () => {
    for (const text of ['hello', 'help', 'table a b', 'code', 'long', 'slow', 'time', 'fail', '']) {
      assert.match((await chat(text)).text, /^> \*\*Demo model\.\*\*/, text);
    }
  });

  it('repeats what it does not know, in quotes, with a heading and a list', async () => {
    const { text, events } = await chat('Grüße\n# 世界');
    assert.match(text, /\n## You wrote\n\n> Grüße\n> # 世界\n/);
    assert.match(text, /- \*\*3 words\*\* in 2 lines/);
    assert.deepEqual(events.at(-1), { type: 'finish', why: 'stop' });
  });

  it('shows in its first answer of a conversation what can be tried, and later only where that stands', async () => {
    const first = await chat('Wie spät ist es?');
    for (const name of ['edit', 'code', 'long', 'fail', 'help']) assert(first.text.includes(`- \`${name}\`: `), name);
    const later = await listen(
      buildPrompt(
        'chat',
        [
          { role: 'user', text: 'Hi' },
          { role: 'assistant', text: 'Hello' },
          { role: 'user', text: 'And?' },
        ],
        false,
      ),
    );
    assert.match(later.text, /> And\?/);
    assert.match(later.text, /Write `help` to see what else I can do\.\n$/);
  });

  it('answers whatever an empty chat suggests, and repeats none of it', async () => {
    const file = {
      kind: 'file',
      path: 'a.ts',
      languageId: 'typescript',
      text: 'export class A {}\nlet b = 1;',
    } as const;
    const diff = { kind: 'diff', text: 'diff --git a/x.ts b/x.ts\n--- a/x.ts\n+++ b/x.ts\n-a\n+b\n+c\n' } as const;
    for (const [text, attachments, expected] of [
      ['Explain a.ts.', [file], /- line 1: `export class A \{\}`\n- line 2: `let b = 1;`[\s\S]*<<<<<<< SEARCH/],
      ['Review my uncommitted changes.', [diff], /\| x\.ts \| 2 \| 1 \|/],
      ['What can you help me with?', [], /## What I can do/],
      ['Write a regular expression that matches ISO 8601 dates, and explain it.', [], /```javascript\n\/\^/],
      [
        'What is the difference between rebase and merge in git, and when is each the better choice?',
        [],
        /\| merge \|/,
      ],
    ] as const) {
      const { text: said } = await listen(
        buildPrompt('chat', [{ role: 'user', text, attachments: [...attachments] }], false),
      );
      assert.match(said, expected, text);
      assert.doesNotMatch(said, /You wrote/, text);
    }
  });

  it('writes changes that fit the file which `npm start` opens', async () => {
    const path = 'src/client.ts';
    const sample = readFileSync(new URL(`../editor/sample/${path}`, import.meta.url), 'utf8');
    const attached = { kind: 'file', path, languageId: 'typescript', text: sample } as const;
    const applied = (text: string) => {
      const { edits } = readAnswerBlocks(text, new KnownPaths([path]));
      const [plan] = planBlocks(edits, (name) => (name === path ? sample : undefined));
      assert(plan?.kind === 'update', `${text}\n${JSON.stringify(plan)}`);
      return plan.after;
    };
    const mended = applied((await chat('Why does `fetchOrder` give up after one failure?')).text);
    assert.match(mended, /if \(i === tries - 1\) throw[\s\S]*setTimeout\(done, waitMs\(i\)\)/);
    const explained = await listen(
      buildPrompt('chat', [{ role: 'user', text: 'Explain client.ts.', attachments: [attached] }], false),
    );
    assert.equal(applied(explained.text), mended);
    const code = /```typescript\n([\s\S]*?)\n```/.exec((await chat('code')).text)![1]!;
    const plan = planSnippet(path, sample, code.split('\n'));
    assert(plan.kind === 'update', JSON.stringify(plan));
    assert.match(plan.after, /Math\.min\(2 \*\* attempt \* baseMs, 10_000\)/);
    assert.equal(plan.after.split('\n').length, sample.split('\n').length + 1);
  });

  it('lists all that it can do', async () => {
    const { text } = await chat('help');
    for (const name of ['table', 'code', 'long', 'slow', 'fail']) assert(text.includes(`- \`${name}\``), name);
    for (const rule of EDIT_RULES) assert(text.includes(rule.example), rule.example);
  });

  it('counts words in a table', async () => {
    assert.match(
      (await chat('table to be or not to be')).text,
      /\| word \|.*\n\|-.*\n\| table \| 5 \| 1 \|\n\| to \| 2 \| 2 \|/,
    );
  });

  it('says what was attached, and gives it back unchanged, fences inside included', async () => {
    const attached = {
      kind: 'file',
      path: 'notes/a|b.md',
      languageId: 'markdown',
      text: 'see\n```js\n1\n```\nend',
    } as const;
    const range = { start: 3, end: 7 };
    const attachments = [
      { ...attached, range },
      { ...attached, kind: 'problems' as const, path: undefined, text: '' },
    ];
    const about = (text: string) => listen(buildPrompt('chat', [{ role: 'user', text, attachments }], false));
    const table = await about('what is this?');
    assert.match(table.text, /\*\*2 attachments\*\*/);
    assert.match(table.text, /\| file notes\/a\\\|b\.md lines 4-8 \| 5 \| 19 \|/);
    assert.match(table.text, /\| problems \| 0 \| 0 \|/);
    assert((await about('code')).text.includes(`\n\n\`\`\`\`markdown\n${attached.text}\n\`\`\`\`\n`));
  });

  it('tells the time it was given', async () => {
    assert.match((await chat('time')).text, /2026-01-02T00:00:00\.000Z/);
  });

  it('writes a long answer that even a guest gets whole', async () => {
    const heard = await listen(buildPrompt('chat', [{ role: 'user', text: 'long' }], false), {
      maxOutputTokens: 2_000,
    });
    assert.deepEqual(heard.events.at(-1), { type: 'finish', why: 'stop' });
    const usage = heard.events.find((event) => event.type === 'usage')!.usage;
    assert(usage.outputTokens > 1_500 && usage.outputTokens <= 2_000, String(usage.outputTokens));
    assert.equal(usage.estimated, false);
  });

  it('stops at the limit, and never counts beyond it', async () => {
    const heard = await listen([{ role: 'user', text: 'long' }], { maxOutputTokens: 16 });
    assert.deepEqual(heard.events.at(-1), { type: 'finish', why: 'length' });
    assert(heard.events.find((event) => event.type === 'usage')!.usage.outputTokens <= 16);
  });

  it('says nothing twice and leaves nothing out, whatever is written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (words) => {
        const { text, events, error } = await chat(words);
        if (!error) assert.equal(events.at(-1)!.type, 'finish');
        assert(text.length > 80);
      }),
    );
  });

  it('counts all but the last exchange as cached', async () => {
    const turns = [
      { role: 'user', text: 'one' },
      { role: 'assistant', text: 'two' },
      { role: 'user', text: 'three' },
    ] as const;
    const prompt = buildPrompt('chat', [...turns], false);
    const { cachedInputTokens, inputTokens } = (await listen(prompt)).events.find((e) => e.type === 'usage')!.usage;
    assert(cachedInputTokens > estimateTokens(prompt[0]!.text));
    assert(cachedInputTokens < inputTokens);
  });

  it('fails in the middle when asked to, and then continues to the end', async () => {
    const failed = await chat('fail');
    assert(failed.error instanceof UpstreamError);
    assert.equal(failed.error.code, 'upstream_failed');
    const cut = [{ role: 'user', text: 'fail' } as const, { role: 'assistant', text: failed.text } as const];
    const rest = await listen(buildPrompt('chat', cut, true));
    assert.equal(rest.error, undefined);
    assert.equal(rest.text, ' continue, which you just did: this is the rest.\n');
  });

  it('is cut at its length limit when asked to, and then continues to the end', async () => {
    const cut = await chat('cut');
    assert.deepEqual(cut.events.at(-1), { type: 'finish', why: 'length' });
    const turns = [{ role: 'user', text: 'cut' } as const, { role: 'assistant', text: cut.text } as const];
    const rest = await listen(buildPrompt('chat', turns, true));
    assert.deepEqual(rest.events.at(-1), { type: 'finish', why: 'stop' });
    assert.equal(rest.text, ' continue, which you just did: this is the rest.\n');
  });

  it('goes on exactly where an answer was cut off', async () => {
    const whole = (await chat('long')).text;
    for (const at of [1, 500, whole.length - 1]) {
      const turns = [
        { role: 'user', text: 'long' },
        { role: 'assistant', text: whole.slice(0, at) },
      ] as const;
      assert.equal((await listen(buildPrompt('chat', [...turns], true))).text, whole.slice(at));
    }
  });

  it('takes its time, and stops at once when told to', async () => {
    const abort = new AbortController();
    const upstream = demoUpstream({ delayMs: 60_000 });
    const messages = [{ role: 'user' as const, text: 'slow' }];
    const request = { model: DEMO_MODEL, messages, maxOutputTokens: 100, cacheKey: 'c' };
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await new Promise(setImmediate);
    const timersBefore = timers();
    const first = eventsIn(upstream.stream(request, abort.signal)).next();
    assert.equal(timers(), timersBefore + 1);
    abort.abort(new Error('stopped'));
    await assert.rejects(first, { message: 'stopped' });
    assert.equal(timers(), timersBefore);
  });
});

describe("the demo model's edits", () => {
  const table: [instruction: string, before: string, after: string, languageId?: string][] = [
    ['make this uppercase', 'let ä = 1;', 'LET Ä = 1;'],
    ['Lower case, please', 'LET A', 'let a'],
    ['sort the lines', 'b\na\nC', 'C\na\nb'],
    ['sort lines descending', 'b\nc\na', 'c\nb\na'],
    ['reverse lines', 'a\nb\nc', 'c\nb\na'],
    ['number the lines', 'a\nb', '1. a\n2. b'],
    ['add comment "look here"', '  a();', '  // look here\n  a();'],
    ['add a comment: two\nlines', 'a = 1', '# two\n# lines\na = 1', 'python'],
    ['add comment x', '<p>', '<!-- x -->\n<p>', 'html'],
    ['add comment x', 'SELECT 1', '-- x\nSELECT 1', 'sql'],
    ['rename count to total', 'count + counter + count$ + count', 'total + counter + count$ + total'],
    ['rename "a b" to "$&"', 'a b', '$&'],
    ['replace foo with bar', 'foo.foo', 'bar.bar'],
    ['delete empty lines', 'a\n\n  \nb', 'a\nb'],
    ['remove duplicate lines', 'a\nb\na', 'a\nb'],
    ['trim', 'a  \nb\t', 'a\nb'],
    ['indent', 'a\n\n  b', '  a\n\n    b'],
    ['indent', '\ta\n\t\tb', '\t\ta\n\t\t\tb'],
    ['outdent', '    a\n\tb\nc', '  a\nb\nc'],
    ['wrap in try/catch', '  a();', '  try {\n    a();\n  } catch (error) {\n    throw error;\n  }'],
    ['wrap in try', 'a()', 'try:\n  a()\nexcept Exception as error:\n  raise error', 'python'],
    ['sort lines', 'b\r\na', 'a\r\nb'],
    ['sort lines', '```\n`` b', '`` b\n```'],
    ['slow', 'a', 'a'],
  ];
  for (const [instruction, before, after, languageId] of table) {
    it(`"${instruction.replace('\n', '⏎')}" makes ${JSON.stringify(after)} of ${JSON.stringify(before)}`, async () => {
      assert.equal(await edited(instruction, before, languageId), after);
    });
  }

  it('follow each rule by the example that it is listed with', async () => {
    for (const { example, pattern } of EDIT_RULES) {
      assert.equal(EDIT_RULES.find((rule) => rule.pattern.test(example))!.pattern, pattern, example);
    }
  });

  it('say in a comment which rules there are when the instruction fits none', async () => {
    const text = await edited('refactor this for clarity', '  a();');
    assert.match(text, /^ {2}\/\/ Demo model: I only know these rules: .*sort lines.*\n {2}a\(\);$/);
  });

  it('are not misled by an instruction that looks like the rest of the message', async () => {
    assert.equal(await edited('sort lines\nFile: x (y)\nand so on', 'b\na'), 'a\nb');
  });

  it('fail in the middle when asked to', async () => {
    const edit = { ...EDIT, instruction: 'fail' };
    const heard = await listen(buildPrompt('edit', [{ role: 'user', text: 'fail', edit }], false));
    assert(heard.error instanceof UpstreamError);
    assert(heard.text.startsWith('```typescript\nl'));
  });
});
