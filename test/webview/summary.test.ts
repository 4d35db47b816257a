import assert from 'node:assert/strict';
import { answer, CONVERSATION, changed, conversation, running, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

describe('chat view: a compacted conversation', () => {
  let view: View;
  eachView((opened) => {
    view = opened;
  });
  const SUMMARY = '## Goal\n\nRetry with backoff in `client.ts`.';
  const folded = () => view.page.getByRole('button', { name: /^Compacted: Goal Retry with backoff in client\.ts/ });
  const said = async () => (await view.said()).flatMap((m) => (m.type === 'summary' ? [[m.id, m.summary]] : []));

  it('shows its summary folded, with its cost, and says that it stands for all above', async () => {
    const summary = answer(SUMMARY, { summary: 'used' });
    await view.tell(surroundings(), conversation([user('Go'), answer('Done.'), summary]));
    await folded().waitFor();
    const article = view.page.locator('.answer').last();
    assert.match(await article.innerText(), /Stands for all messages above\./);
    assert.match(await article.innerText(), /0\.42 credits/);
    assert.equal(await article.getByRole('button', { name: 'Regenerate' }).count(), 0);
    assert.equal(await article.getByRole('heading', { name: 'Goal' }).count(), 0);
    await folded().click();
    await article.getByRole('heading', { name: 'Goal' }).waitFor();
    await folded().press('Enter');
    assert.equal(await article.getByRole('heading', { name: 'Goal' }).count(), 0);
  });

  it('goes back to the whole conversation, and to the summary again', async () => {
    const summary = answer(SUMMARY, { summary: 'used' });
    await view.tell(surroundings(), conversation([user('Go'), answer('Done.'), summary]));
    await view.page.getByRole('button', { name: 'Use the whole conversation again' }).click();
    await view.tell(changed([{ ...summary, summary: 'unused' }]));
    await view.page.getByText('Not in use: the whole conversation goes along.').waitFor();
    await view.page.getByRole('button', { name: 'Use this summary' }).click();
    assert.deepEqual(await said(), [
      [CONVERSATION, null],
      [CONVERSATION, summary.id],
    ]);
  });

  it('says while it is made, and what becomes of one that is not whole', async () => {
    const part = running({ text: 'Half a', summary: 'unused' });
    await view.tell(surroundings(), conversation([user('Go'), answer('Done.'), part]));
    await view.page.getByText('Summarising the conversation').waitFor();
    await view.tell(changed([answer('Half a', { id: part.id, summary: 'unused', cutShort: true })]));
    await view.page.getByText('The whole conversation stays in use.').waitFor();
    for (const name of ['Continue', 'Try again', 'Use this summary'])
      assert.equal(await view.page.getByRole('button', { name }).count(), 0, name);
  });
});
