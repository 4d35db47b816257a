import assert from 'node:assert/strict';
import {
  ago,
  answer,
  changed,
  conversation,
  nearlyOut,
  pricedModels,
  problem,
  running,
  surroundings,
  thinkingModels,
  user,
} from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

describe('chat view: the composer', () => {
  let view: View;
  const question = user('First question', {
    attachments: [
      { id: 'a1', kind: 'file', path: 'src/a.ts', characters: 10 },
      { id: 'a2', kind: 'diff', characters: 10 },
    ],
  });
  const reply = answer('First answer');
  const press = (key: string) => view.page.keyboard.press(key);
  const focused = () =>
    view.page.evaluate(`document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent`);
  const typed = () => view.composer.inputValue();
  async function refuse(...args: Parameters<typeof problem>): Promise<void> {
    const sends = (await view.said()).filter((m) => m.type === 'send').length;
    await press('Enter');
    const { requestId } = await view.until('send', sends + 1);
    await view.tell({ type: 'notSent', requestId, problem: problem(...args) });
  }

  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings(), conversation([question, reply])],
  );

  it('has the focus, sends by Enter, breaks the line by Shift+Enter', async () => {
    await view.page.keyboard.type('One');
    await press('Shift+Enter');
    await view.page.keyboard.type('two');
    await press('Enter');
    assert.equal((await view.until('send')).text, 'One\ntwo');
  });

  it('says before it is sent that what is left buys a short answer, or none, and nothing where there is plenty', async () => {
    const hint = view.page.getByText(/^(Enough|Not enough)/);
    assert.equal(await hint.count(), 0);
    await view.tell(surroundings(nearlyOut(412_000)));
    await view.page.getByText(/^Enough for about 1,\d00 more tokens$/).waitFor();
    await view.page.keyboard.type('x'.repeat(2000));
    await view.page.getByText(/^Enough for about \d\d0 more tokens$/).waitFor();
    await view.tell(surroundings(nearlyOut(50_000)));
    await view.page.getByText('Not enough left for this message').waitFor();
    await view.tell(surroundings());
    await hint.waitFor({ state: 'detached' });
  });

  it('says in the menu of models what long requests cost, and what a price will be from when', async () => {
    await view.tell(surroundings(pricedModels()));
    await view.page.getByRole('button', { name: 'Model: kimi-k2' }).click();
    const item = view.page.getByRole('menuitemradio', { name: /kimi-k2/ });
    await item.getByText('Above 32,000 tokens in: 120 in · 500 out / M').waitFor();
    await item.getByText(/^From (Jan 1, 2099|1 Jan 2099): 70 in · 250 out \/ M$/).waitFor();
  });

  it('offers how hard the model thinks, says what it does to the price, and tells the host what is chosen', async () => {
    const before = answer('Yes.', { model: 'kimi-k3', effort: 'max', chargedMicro: 1_400_000 });
    await view.tell(surroundings(thinkingModels()), conversation([user('Go'), before]));
    await view.page.getByRole('button', { name: 'Model: kimi-k3' }).click();
    const longest = view.page.getByRole('menuitemradio', { name: /Thinking: max/ });
    await longest.getByText('thinks longest; thoughts are charged as output').waitFor();
    await longest.getByText('about 1.4 credits an answer in this chat').waitFor();
    const checked = view.page.getByRole('menuitemradio', { checked: true });
    assert.deepEqual(await checked.locator('.label').allTextContents(), ['kimi-k3', 'Thinking: as usual']);
    await longest.click();
    const said = (await view.said()).filter((m) => m.type === 'selectModel');
    assert.deepEqual(said, [{ type: 'selectModel', id: 'kimi-k3', effort: 'max' }]);
    await view.tell(surroundings({ ...thinkingModels(), effort: 'max' }));
    await view.page.getByRole('button', { name: 'Model: kimi-k3, thinking: max' }).click();
    await view.page.getByRole('menuitemradio', { name: /Thinking: as usual/ }).click();
    assert.deepEqual(
      (await view.said()).findLast((m) => m.type === 'selectModel'),
      {
        type: 'selectModel',
        id: 'kimi-k3',
        effort: null,
      },
    );
  });

  it('sends nothing that is empty, and nothing twice', async () => {
    await view.page.keyboard.type('  ');
    await press('Enter');
    await view.page.keyboard.type('x');
    await press('Enter');
    await press('Enter');
    assert.equal((await view.said()).filter((m) => m.type === 'send').length, 1);
  });

  it('is cleared only when the message was sent, and keeps what was typed meanwhile', async () => {
    await view.page.keyboard.type('Hello');
    await press('Enter');
    const { requestId } = await view.until('send');
    assert.equal(await typed(), 'Hello');
    await view.page.keyboard.type(' and more');
    await view.tell({ type: 'sent', requestId });
    assert.equal(await typed(), ' and more');
    assert.equal((await view.until('draft')).text, ' and more');
  });

  it('tells drafts, at once when the view loses the focus', async () => {
    await view.page.keyboard.type('Half a sentence');
    await view.page.evaluate(`window.dispatchEvent(new Event('blur'))`);
    assert.equal((await view.until('draft')).text, 'Half a sentence');
  });

  it('shows the draft it is given, and does not overwrite typing with the same conversation told anew', async () => {
    await view.tell(conversation([], { id: crypto.randomUUID(), draft: 'From yesterday' }));
    assert.equal(await typed(), 'From yesterday');
    await view.tell(conversation([question, reply], { draft: '' }));
    await view.page.keyboard.type('Typing');
    await view.tell(conversation([question, reply], { draft: 'Typ' }));
    assert.equal(await typed(), 'Typing');
  });

  it('carries over what is typed while another conversation is being opened', async () => {
    await view.page.keyboard.type('old');
    await view.page.getByRole('button', { name: 'New chat' }).click();
    await view.until('newChat');
    assert.equal((await view.until('draft')).text, 'old');
    await view.page.keyboard.type(' new');
    await view.tell(conversation([], { draft: '' }));
    assert.equal(await typed(), ' new');
  });

  it('keeps to itself the keys that select its text or take it back: the editor would carry them out in a file', async () => {
    await view.page.evaluate(`{
      globalThis.heard = [];
      addEventListener('keydown', (event) => heard.push(event.key));
    }`);
    await view.page.keyboard.type('One two');
    await press('Control+a');
    await view.page.keyboard.type('3');
    assert.equal(await typed(), '3');
    await press('Control+z');
    assert.equal(await typed(), 'One two');
    await press('Control+Shift+Z');
    assert.equal(await typed(), '3');
    await press('Control+z');
    await press('Control+y');
    assert.equal(await typed(), '3');
    await press('Control+b');
    const heard = (await view.page.evaluate('heard')) as string[];
    assert.deepEqual(
      heard.filter((key) => /^[abyz]$/i.test(key)),
      ['b'],
      'the editor has its own keys',
    );
  });

  it('is typed into before the chat is there: Enter waits, and what was left there comes back afterwards', async () => {
    await view.page.reload();
    await view.until('ready');
    await view.page.keyboard.type('Early');
    await press('Enter');
    assert.equal((await view.said()).filter((m) => m.type === 'send').length, 0);
    assert.ok(await view.page.getByRole('button', { name: 'Send', exact: true }).isDisabled());
    await view.page.keyboard.type(' bird');
    const chatId = crypto.randomUUID();
    await view.tell(surroundings(), conversation([], { chatId, draft: 'half a thought' }));
    assert.equal(await typed(), 'Early bird');
    assert.match(await view.page.locator('.before').innerText(), /Left here before: half a thought/);
    await view.tell(conversation([question, reply], { chatId, draft: 'half a thought' }));
    const { requestId, text } = await view.until('send');
    assert.equal(text, 'Early');
    await view.tell({ type: 'sent', requestId });
    assert.equal(await typed(), ' bird');
    await view.page.getByRole('button', { name: 'Put it in front' }).click();
    assert.equal(await typed(), 'half a thought\n\n bird');
    assert.equal(await focused(), 'Message');
    assert.equal((await view.said()).filter((m) => m.type === 'send').length, 1);
  });

  it('is not pushed away by a long text that was left there', async () => {
    await view.page.reload();
    await view.until('ready');
    await view.page.keyboard.type('Now');
    await view.tell(surroundings(), conversation([], { draft: `The first words. ${'word '.repeat(1_000)}` }));
    const told = view.page.locator('.before');
    assert.match(await told.innerText(), /Left here before: .?The first words\. (?:word )+wor…/);
    assert.ok((await told.boundingBox())!.height < 200);
    await view.page.getByRole('button', { name: 'Put it in front' }).click();
    assert.match(await typed(), /^The first words\. (?:word ){900}.*Now$/s);
  });

  it('keeps the text of a refused message and says why, with a way on', async () => {
    await view.page.keyboard.type('Please');
    await refuse('upstream_unreachable');
    assert.equal(await typed(), 'Please');
    const box = view.page.locator('.refused');
    assert.match(await box.innerText(), /The model service cannot be reached\. Your text is kept\./);
    await box.getByRole('button', { name: 'Try again' }).click();
    assert.equal((await view.until('send', 2)).text, 'Please');
    assert.equal(await box.count(), 0);
  });

  it('says when another try makes sense: in local time, with the zone', async () => {
    await view.page.keyboard.type('Again');
    await refuse('rate_limited', { detail: '30 requests a minute are allowed.', retryAt: ago(-40_000) });
    assert.match(
      await view.page.locator('.refused').innerText(),
      /30 requests a minute are allowed\. Try again at .*\d\d:\d\d \(UTC\+[12]\), in \d+ s\./,
    );
  });

  it('lists what to drop from what is too long, largest first, and drops chips right there', async () => {
    const chips = [
      { id: 'c1', kind: 'file' as const, label: 'small.ts', path: 'src/small.ts', tokens: 900 },
      { id: 'c2', kind: 'file' as const, label: 'big.ts', path: 'src/big.ts', tokens: 80_000 },
    ];
    await view.tell(surroundings({ chips }));
    await view.page.keyboard.type('All');
    await refuse('context_too_long', { limitTokens: 128_000, drop: [{ what: 'Earlier messages', tokens: 60_000 }] });
    const rows = view.page.getByRole('list', { name: 'What can be dropped' }).getByRole('listitem');
    assert.deepEqual(
      (await rows.allInnerTexts()).map((t) => t.split('\n')[0]),
      ['big.ts', 'Earlier messages', 'small.ts'],
    );
    await view.page.getByRole('button', { name: 'Remove big.ts', exact: true }).click();
    assert.equal((await view.until('detach')).id, 'c2');
  });

  it('offers to compact a conversation that is too long, and keeps the text', async () => {
    await view.page.keyboard.type('And the rest?');
    await refuse('context_too_long', { limitTokens: 128_000, compactable: true });
    await view.page.getByRole('button', { name: 'Compact the conversation' }).click();
    const sent = (await view.said()).findLast((m) => m.type === 'send');
    assert.equal(sent?.text, '/compact');
    await view.tell({ type: 'sent', requestId: sent!.requestId });
    assert.equal(await typed(), 'And the rest?');
  });

  it('says that the conversation is answering elsewhere, and can stop that answer', async () => {
    const runId = crypto.randomUUID();
    await view.page.keyboard.type('Now');
    await refuse('conversation_busy', { runId });
    assert.match(await view.page.locator('.refused').innerText(), /answering elsewhere\. Your text is kept/);
    await view.page.getByRole('button', { name: 'Stop that answer' }).click();
    assert.equal((await view.until('stop')).runId, runId);
  });

  it('says what to do without credits', async () => {
    await view.page.keyboard.type('Now');
    await refuse('insufficient_credits', { availableMicro: 300_000, neededMicro: 2_000_000 });
    await view.page.getByRole('button', { name: 'What is left' }).click();
    assert.equal((await view.until('command')).command, 'showQuota');
    assert.equal(await typed(), 'Now');
  });

  it('has a stop button while an answer runs; Escape stops as well', async () => {
    const now = running();
    await view.tell(changed([user('Go'), now]));
    assert.equal(await view.page.getByRole('button', { name: 'Send', exact: true }).count(), 0);
    await view.page.getByRole('button', { name: 'Stop (Escape)' }).click();
    assert.equal((await view.until('stop')).runId, now.runId);
    await view.page.keyboard.type('x');
    await press('Escape');
    await view.until('stop', 2);
    assert.equal(await typed(), 'x');
  });

  it('sends by Ctrl+Enter alone where the settings say so, also what is edited, and then breaks lines by Enter', async () => {
    await view.tell(surroundings({ look: { sendWith: 'Ctrl+Enter' } }));
    await view.page.keyboard.type('One');
    await press('Enter');
    await view.page.keyboard.type('two');
    await press('Control+Enter');
    const { text, requestId } = await view.until('send');
    assert.equal(text, 'One\ntwo');
    assert.equal(
      await view.page.getByRole('button', { name: 'Send', exact: true }).getAttribute('title'),
      'Send (Ctrl+Enter)',
    );
    await view.tell({ type: 'sent', requestId });
    await press('ArrowUp');
    await press('End');
    await press('Enter');
    await view.page.keyboard.type('more');
    await press('Control+Enter');
    assert.equal((await view.until('send', 2)).text, 'First question\nmore');
  });

  it('has the font that the settings ask for, code in its size as well, and the editor’s own again without', async () => {
    const font = () => view.composer.evaluate((e) => [getComputedStyle(e).fontSize, getComputedStyle(e).fontFamily]);
    const own = await font();
    await view.tell(surroundings({ look: { sendWith: 'Enter', fontSize: 19, fontFamily: "'Some Font', serif" } }));
    assert.deepEqual(await font(), ['19px', '"Some Font", serif']);
    await view.tell(surroundings({ look: { sendWith: 'Enter', fontFamily: 'Inter 12' } }));
    assert.deepEqual(await font(), own, 'a font that CSS can’t read is none');
    await view.tell(surroundings({ look: { sendWith: 'Enter' } }));
    assert.deepEqual(await font(), own);
  });

  it('edits the last message by Up in an empty composer, and sends it with the attachments that stay', async () => {
    await press('ArrowUp');
    assert.equal(await focused(), 'Your message');
    await press('End');
    await view.page.keyboard.type(', better');
    await view.page.getByRole('button', { name: 'Remove a.ts' }).click();
    await press('Enter');
    const sent = await view.until('send');
    assert.deepEqual(
      { text: sent.text, replaces: sent.replaces, keep: sent.keep },
      { text: 'First question, better', replaces: question.id, keep: ['a2'] },
    );
    await view.tell({ type: 'notSent', requestId: sent.requestId, problem: problem('upstream_busy') });
    assert.equal(await view.page.locator('.editing textarea').inputValue(), 'First question, better');
    await view.page.locator('.editing').getByRole('button', { name: 'Try again' }).click();
    const { requestId } = await view.until('send', 2);
    const next = user('First question, better');
    await view.tell(changed([next, running()], { removed: [question.id, reply.id] }), { type: 'sent', requestId });
    assert.equal(await view.page.locator('.editing').count(), 0);
    assert.equal(await focused(), 'Message');
  });

  it('keeps an unsent edit while another conversation is open', async () => {
    await press('ArrowUp');
    await view.page.keyboard.type(' changed');
    await view.tell(conversation([user('Other')], { id: crypto.randomUUID() }));
    assert.equal(await view.page.locator('.editing').count(), 0);
    await view.tell(conversation([question, reply]));
    assert.equal(await view.page.locator('.editing textarea').inputValue(), 'First question changed');
  });

  it('gives up an edit by Escape, and keeps an unsent one over a reload', async () => {
    await press('ArrowUp');
    await view.page.keyboard.type(' changed');
    await view.page.reload();
    await view.until('ready');
    await view.tell(surroundings(), conversation([question, reply]));
    assert.equal(await view.page.locator('.editing textarea').inputValue(), 'First question changed');
    await view.page.locator('.editing textarea').press('Escape');
    assert.equal(await view.page.locator('.editing').count(), 0);
    assert.equal(await focused(), 'Edit and send again');
  });

  it('completes what to attach after @', async () => {
    await view.page.keyboard.type('See @cl');
    const { requestId, query } = await view.until('mentions', 3);
    assert.equal(query, 'cl');
    const item = (id: string) => ({ id, icon: 'file' as const, label: `${id}.ts` });
    await view.tell({ type: 'mentions', requestId: 'another', items: [item('wrong')] });
    assert.equal(await view.page.getByRole('option').count(), 0);
    await view.tell({ type: 'mentions', requestId, items: [item('client'), item('class'), item('clock')] });
    await press('ArrowDown');
    assert.equal(await view.page.getByRole('option', { selected: true }).innerText(), 'class.ts');
    assert.equal(await view.composer.getAttribute('aria-activedescendant'), 'mention-1');
    await press('Enter');
    assert.equal((await view.until('attachMention')).id, 'class');
    assert.equal(await typed(), 'See class.ts', 'in a sentence the name stays');
    assert.equal((await view.said()).filter((m) => m.type === 'send').length, 0);
  });

  it('leaves no word of what was attached alone', async () => {
    await view.page.keyboard.type('@cl');
    const { requestId } = await view.until('mentions', 3);
    await view.tell({ type: 'mentions', requestId, items: [{ id: 'client', icon: 'file', label: 'client.ts' }] });
    await press('Enter');
    await view.until('attachMention');
    assert.equal(await typed(), '');
  });

  it('sends no "@", and nothing by an Enter that comes before what it offers', async () => {
    const sends = async () => (await view.said()).filter((m) => m.type === 'send').length;
    await view.page.keyboard.type('@');
    await press('Enter');
    const { requestId } = await view.until('mentions');
    assert.equal(await typed(), '@');
    await view.tell({ type: 'mentions', requestId, items: [] });
    await press('Enter');
    assert.ok(await view.page.getByRole('button', { name: 'Send', exact: true }).isDisabled());
    await view.composer.fill('');
    await view.page.keyboard.type('See @cl');
    await press('Enter');
    assert.equal(await sends(), 0);
    const { requestId: last } = await view.until('mentions', 4);
    await view.tell({ type: 'mentions', requestId: last, items: [] });
    await press('Enter');
    assert.equal((await view.until('send')).text, 'See @cl', 'nothing is offered for it');
  });

  it('closes the completion by Escape, and asks for none inside a word', async () => {
    await view.page.keyboard.type('@x');
    const { requestId } = await view.until('mentions', 2);
    await view.tell({ type: 'mentions', requestId, items: [{ id: '1', icon: 'file', label: 'x.ts' }] });
    await press('Escape');
    assert.equal(await view.page.getByRole('listbox').count(), 0);
    assert.equal(await typed(), '@x');
    await view.composer.fill('');
    await view.page.keyboard.type('me@example.org');
    assert.equal((await view.said()).filter((m) => m.type === 'mentions').length, 2);
  });

  it('attaches and chooses the model by menus that keys can use', async () => {
    await view.page.getByRole('button', { name: 'Attach', exact: true }).focus();
    await press('Enter');
    await press('ArrowDown');
    await press('Enter');
    assert.deepEqual(await view.until('attach'), { type: 'attach', kind: 'selection' });
    await view.page.getByRole('button', { name: 'Model: kimi-k2' }).focus();
    await press('ArrowDown');
    assert.match(String(await focused()), /kimi-k2/);
    await press('l');
    await press('Enter');
    assert.equal((await view.until('selectModel')).id, 'local-small');
    assert.equal(await focused(), 'Message');
    await view.page.getByRole('button', { name: 'Attach', exact: true }).press('Enter');
    await press('Escape');
    assert.equal(await focused(), 'Attach');
  });

  it('shows the context apart from the credits, and warns when it is nearly full', async () => {
    assert.match(await view.page.locator('.left').innerText(), /^87\.4 of 100 credits left$/);
    const ring = view.page.getByRole('button', { name: /^Context/ });
    assert.equal(await ring.getAttribute('aria-label'), 'Context 16 % full: about 21,000 of 128,000 tokens');
    await view.tell(
      surroundings({ contextTokens: 100_000, chips: [{ id: 'c', kind: 'file', label: 'a.ts', tokens: 10_000 }] }),
    );
    assert.match((await ring.getAttribute('title'))!, /^Context 86 % full: .* Nearly full/);
    await ring.press('Enter');
    assert.match(await view.page.locator('.details').innerText(), /Attached\s+10,000/);
    await press('Escape');
    assert.equal(await view.page.locator('.details').count(), 0);
  });

  it('refuses a paste of 100 MB with a line, at once, and loses nothing', async () => {
    await view.page.keyboard.type('What was there');
    const letIn = await view.page.evaluate(`fake.paste('.composer textarea', 100 * 1024 * 1024)`);
    assert.equal(letIn, false);
    await view.tell();
    assert.match(await view.page.locator('.hint').innerText(), /104,857,600 characters; a message holds 1,000,000/);
    assert.equal(await typed(), 'What was there');
    assert.equal(await view.page.evaluate(`fake.paste('.composer textarea', 1000)`), true);
  });

  it('adds text that the host hands in to what stands there, and sends it when told to', async () => {
    await view.page.keyboard.type('Mine');
    await view.tell({ type: 'compose', text: 'Explain this', send: false });
    assert.equal(await typed(), 'Mine\n\nExplain this');
    await view.tell({ type: 'compose', text: 'Explain that', send: true });
    const { requestId, text } = await view.until('send');
    assert.equal(text, 'Explain that');
    await view.tell({ type: 'sent', requestId });
    assert.equal(await typed(), 'Mine\n\nExplain this');
  });

  it('is reached and left by Tab in the order of reading', async () => {
    await view.page.getByRole('button', { name: 'History' }).focus();
    const order: string[] = [String(await focused())];
    for (let i = 0; i < 12; i++) {
      await press('Tab');
      order.push(String(await focused()));
    }
    assert.deepEqual(order, [
      ...[
        'History',
        'New chat',
        'More',
        'Conversation',
        'Copy',
        'Edit and send again',
        'Copy as Markdown',
        'Regenerate',
      ],
      ...['Message', 'Attach', 'Model: kimi-k2', 'Context 16 % full: about 21,000 of 128,000 tokens'],
      '87.4 of 100 credits left',
    ]);
  });
});
