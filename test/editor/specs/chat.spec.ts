import assert from 'node:assert/strict';
import type { UpstreamDouble } from '../../doubles/upstream.ts';
import type { Backend } from '../backend.ts';
import { once } from '../parts/deeds.ts';
import { atSharedDesk } from '../sharedDesk.ts';
import type { Workbench } from '../workbench.ts';

// The words are numbered, so that one lost or repeated anywhere shows.
const numbered = Array.from({ length: 120 }, (_, i) => `w${i} `);
const whole = numbered.join('').trim();

describe('the chat in a real editor', () => {
  const desk = atSharedDesk();
  let upstream: UpstreamDouble;
  let backend: Backend;
  let editor: Workbench;
  before(() => {
    ({ upstream, backend, editor } = desk());
  });
  beforeEach(async () => {
    upstream.reset();
    await editor.chat.startNew();
  });

  /** Another one after each restart of the editor. */
  const chat = () => editor.chat.view;
  const composer = () => editor.chat.composer;
  const answers = () => editor.chat.answers;
  const ended = () => editor.chat.ended();
  const send = (text: string) => editor.chat.send(text);
  const spoken = async () =>
    ((await answers().last().locator('p').first().textContent()) ?? '').replace(/\s+/g, ' ').trim();
  const left = async () =>
    Number(/(\d+) of/.exec((await editor.statusBarItem(/of 100 messages/).textContent()) ?? '')?.[1]);

  /** Sends, and resolves when half of the answer is on the screen and the model waits at its gate. */
  async function sendToTheMiddle(text: string) {
    // At a model's pace: server and editor store what they have several times a second, not in the same instant.
    const call = upstream.script({ pieces: numbered, gateAt: 60, everyMs: 10 });
    await send(text);
    await call.atGate;
    await answers().last().getByText('w59').waitFor();
    return call;
  }

  it('streams an answer that the model service bills once, and says what it cost', async () => {
    const before = await left();
    upstream.script({ text: 'A **bold** answer with `code`.', everyMs: 5 });
    await send('Say something');
    await ended();
    assert.equal(await answers().last().locator('strong').textContent(), 'bold');
    assert.equal(upstream.bill.length, 1);
    const [bill] = upstream.bill;
    assert.equal(bill?.state, 'complete');
    await answers().last().getByText(`1 message · ${bill?.inputTokens} in · ${bill?.outputTokens} out`).waitFor();
    await editor.statusBarItem(`${before - 1} of 100 messages`).waitFor();
  });

  it('goes on after a reload in mid-answer, with no text lost or repeated', async () => {
    const call = await sendToTheMiddle('Reload me');
    await editor.chat.type('half a thought');
    // Once a new view shows what was typed, it is the host that has it.
    await editor.chat.close();
    await editor.chat.open();
    await composer().and(chat().locator(':not(:placeholder-shown)')).waitFor();
    await editor.reload();
    await answers().last().getByText('w59').waitFor();
    await composer().and(chat().locator(':not(:placeholder-shown)')).waitFor();
    assert.equal(await composer().inputValue(), 'half a thought');
    call.open();
    await ended();
    assert.equal(await spoken(), whole);
    assert.equal(upstream.bill.length, 1);
    await editor.chat.type('');
  });

  it('shows what the model thinks, also after a reload in mid-thought, and keeps it folded above the answer', async () => {
    const call = upstream.script({ thoughts: ['One. ', 'Two. ', 'Three.'], pieces: ['Yes.'], gateAt: 0 });
    const line = (name: RegExp) => answers().last().getByRole('button', { name, expanded: false });
    await send('Think');
    await call.atGate;
    await line(/^Thinking…/).click();
    await answers().last().getByText('One. Two. Three.').waitFor();
    await editor.reload();
    await line(/^Thinking…/).waitFor();
    call.open();
    await ended();
    await line(/^Thought for \d+ s$/).click();
    await answers().last().getByText('One. Two. Three.').waitFor();
    assert.equal(await answers().last().locator('> .markdown').innerText(), 'Yes.');
  });

  it('sends what is typed in the first moment after a reload, as it was typed, and gives back what was left there', async () => {
    await send('Before');
    await ended();
    await editor.chat.type('half a thought');
    await editor.chat.close();
    await editor.chat.open();
    await composer().and(chat().locator(':not(:placeholder-shown)')).waitFor();
    await editor.reload({ isAwaited: false });
    upstream.script({ when: 'Early', text: 'Heard.' });
    // As soon as there is a composer at all, whatever the host has told by then.
    const field = composer();
    await field.waitFor();
    // Once, with the Enter key at its end: what is lost here is lost to a person, too.
    await field.pressSequentially('Early\n');
    await answers().last().getByText('Heard.').waitFor();
    await ended();
    const asked = await chat().getByRole('article', { name: 'You' }).last().innerText();
    assert.equal(upstream.bill.length, 2);
    // What was left there either stood in the composer before the first key, or waits for its turn.
    const outcome = [/^[^\n]*/.exec(asked)![0], await composer().inputValue()];
    const isLeftInFront = outcome[0] !== 'Early';
    assert.deepEqual(outcome, isLeftInFront ? ['half a thoughtEarly', ''] : ['Early', 'half a thought']);
    await editor.chat.type('');
  });

  it('goes on after the editor was killed in mid-answer', async () => {
    const call = await sendToTheMiddle('Kill me');
    await editor.killHost();
    call.open();
    await call.ended;
    await editor.reopen();
    await editor.statusBarItem(/of 100 messages/).waitFor();
    await editor.chat.open();
    await ended();
    assert.equal(await spoken(), whole);
    assert.equal(upstream.bill.length, 1);
    await chat().getByText('Kill me').first().waitFor();
  });

  it('goes on when the view was closed and opened again in mid-answer', async () => {
    const call = await sendToTheMiddle('Close me');
    await editor.chat.close();
    call.open();
    await call.ended;
    await editor.chat.open();
    await ended();
    assert.equal(await spoken(), whole);
    assert.equal(upstream.bill.length, 1);
  });

  it('stops an answer on request and charges what was produced', async () => {
    const call = await sendToTheMiddle('Stop me');
    await editor.chat.stop();
    await call.ended;
    await ended();
    await answers().last().getByText('Stopped.').waitFor();
    assert.match(await spoken(), /^w0 .* w59$/);
  });

  it('keeps what was typed when the server is not reachable, and sends it once it is back', async () => {
    await backend.kill();
    await editor.statusBarItem('Perigee offline').waitFor();
    await editor.chat.sendInVain('Are you there?', chat().getByText('Your text is kept.'));
    await backend.start();
    await editor.statusBarItem(/of 100 messages/).waitFor();
    const before = await left();
    upstream.script({ text: 'I am back.' });
    const back = answers().last().getByText('I am back.');
    // Why it was not sent is over, and no longer told.
    await chat().getByText('Your text is kept.').waitFor({ state: 'hidden' });
    await editor.click(editor.chat.button(/^Send$/), 'the answer', back, once);
    // The answer may be there before the window has stored that the message was sent.
    await editor.until('it has left the composer', async () => (await composer().inputValue()) === '');
    assert.equal(upstream.bill.length, 1);
    // It is told a moment after the answer's end, and the next test counts from here.
    await editor.statusBarItem(`${before - 1} of 100 messages`).waitFor();
  });

  it('keeps the half answer of a server that was killed, charges nothing, and continues it', async () => {
    const before = await left();
    await sendToTheMiddle('Interrupt me');
    await backend.kill();
    await editor.statusBarItem('Perigee offline').waitFor();
    await backend.start();
    await answers().last().getByText('The server stopped in the middle of the answer.').waitFor();
    await answers().last().getByText('Not charged.', { exact: true }).waitFor();
    // The server kept what it had stored. What was on the screen beyond that is told in the box, and nothing is gone.
    const beyond = await answers().last().locator('.box q').allTextContents();
    const compact = (text: string) => text.replace(/\s/g, '');
    assert.equal(compact((await spoken()) + beyond.join('')), compact(numbered.slice(0, 60).join('')));
    await editor.statusBarItem(`${before} of 100 messages`).waitFor();
    upstream.script({ text: 'and here is the rest.' });
    const rest = answers().last().getByText('and here is the rest.');
    await editor.click(answers().last().getByRole('button', { name: 'Continue' }), 'the rest', rest, once);
    await editor.statusBarItem(`${before - 1} of 100 messages`).waitFor();
  });

  it('answers again and replaces an earlier message', async () => {
    upstream.script({ text: 'The first answer.' });
    await editor.chat.ask('First wording', 'The first answer.');
    await ended();
    upstream.script({ text: 'The second answer.' });
    const second = answers().last().getByText('The second answer.');
    await editor.click(answers().last().getByRole('button', { name: 'Regenerate' }), 'another answer', second, once);
    await ended();
    assert.equal(await answers().count(), 1);
    const field = editor.chat.messages.getByRole('textbox');
    await editor.pressIn(composer(), 'ArrowUp', 'the last message to edit', field);
    await field.fill('Second wording');
    upstream.script({ text: 'The third answer.' });
    await editor.pressIn(field, 'Enter', 'the third answer', answers().last().getByText('The third answer.'), once);
    assert.equal(await answers().count(), 1);
    await chat().getByRole('article').getByText('Second wording').waitFor();
    assert.equal(await chat().getByRole('article').getByText('First wording').count(), 0);
  });
});
