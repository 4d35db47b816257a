import assert from 'node:assert/strict';
import type { Chip } from '../../extension/chat/protocol.ts';
import { answer, conversation, nearlyOut, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

describe('chat view: what goes along because the editor shows it', () => {
  let view: View;
  const shown: Chip = {
    ...{ id: 'implicit selection a', kind: 'selection', label: 'client.ts:12–40', path: 'src/client.ts' },
    ...{ range: { start: 11, end: 39 }, tokens: 412, lines: 29, implicit: 'selection' },
  };
  const attached: Chip = { id: 'file b', kind: 'file', label: 'b.ts', path: 'src/b.ts', tokens: 88 };
  const asked = user('First question', {
    attachments: [
      {
        ...{ id: 'a1', kind: 'selection', visible: true, path: 'src/client.ts', characters: 900 },
        range: { start: 0, end: 44 },
      },
    ],
  });
  const list = () => view.page.locator('.composer').getByRole('list', { name: 'Attached' });
  const press = (key: string) => view.page.keyboard.press(key);

  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings({ chips: [attached, shown] }), conversation([asked, answer('First answer')])],
  );

  it('stands in the composer with the number of its lines, and goes with what is sent', async () => {
    const chip = list().getByRole('listitem').filter({ hasText: 'client.ts:12–40' });
    assert.match(await chip.innerText(), /^client\.ts:12–40\s*29 lines$/);
    assert.match((await chip.getAttribute('title')) ?? '', /^src\/client\.ts, lines 12–40, about 412 tokens\./);
    const border = (text: string) =>
      list()
        .getByRole('listitem')
        .filter({ hasText: text })
        .evaluate((element) => getComputedStyle(element).borderTopStyle);
    assert.deepEqual([await border('client.ts'), await border('b.ts')], ['dashed', 'solid']);
    await view.page.keyboard.type('Explain this function');
    await press('Enter');
    assert.equal((await view.until('send')).implicit, shown.id);
  });

  it('says a number with its unit, also of one line and in a narrow view', async () => {
    await view.page.setViewportSize({ width: 260, height: 600 });
    for (const [lines, told] of [
      [1, '1 line'],
      [10, '10 lines'],
      [1204, '1,204 lines'],
    ] as const) {
      const part: Partial<Chip> = { label: 'client.ts, visible part', implicit: 'visible', lines };
      await view.tell(surroundings({ chips: [{ ...shown, ...part }] }));
      const chip = list().getByRole('listitem');
      assert.equal((await chip.innerText()).replace(/\s+/g, ' '), `client.ts ${told}`);
      assert.equal(await chip.locator('.size').evaluate((size) => size.scrollWidth > size.clientWidth), false);
    }
  });

  it('is left out by its button, and stands there to be taken up again', async () => {
    await view.page.getByRole('button', { name: 'Leave out client.ts:12–40, about 412 tokens' }).click();
    assert.equal((await view.until('detach')).id, shown.id);
    await view.tell(surroundings({ chips: [attached], leftOut: { label: 'client.ts:12–40' } }));
    assert.match(await view.page.evaluate('document.activeElement.tagName'), /TEXTAREA/);
    await view.page.keyboard.type('Without it');
    await press('Enter');
    assert.equal((await view.until('send')).implicit, undefined);
    await view.page.getByRole('button', { name: 'Send client.ts:12–40 along' }).click();
    await view.until('attachImplicit');
  });

  it('says what is too large to go', async () => {
    const why = 'It is too large to go along unasked: 5,200 KB, and at most 100 KB do. Select less, or attach it.';
    await view.tell(surroundings({ leftOut: { label: 'big.txt:1–52000', why } }));
    const chip = list().getByRole('listitem').filter({ hasText: 'big.txt:1–52000' });
    assert.match(await chip.innerText(), /too large/);
    assert.equal(await chip.getAttribute('title'), why);
    assert.equal(await chip.getByRole('button').count(), 0);
  });

  it('counts in the context and in what an answer may cost', async () => {
    await view.page.getByRole('button', { name: /^Context / }).click();
    assert.match(await view.page.locator('.details').innerText(), /Attached\s+500/);
    await view.tell(surroundings(nearlyOut(412_000)));
    const enough = async () => (await view.page.getByText(/^Enough for about/).textContent()) ?? '';
    const without = await enough();
    await view.tell(surroundings({ ...nearlyOut(412_000), chips: [shown] }));
    await view.page
      .getByText(/^(Enough|Not enough)/)
      .filter({ hasNotText: without })
      .waitFor();
  });

  it('stands in the bubble of the question that it went with, and stays when that is edited and sent again', async () => {
    const bubble = view.page.locator('.bubble').first();
    const chip = bubble.getByRole('listitem');
    assert.match(await chip.innerText(), /client\.ts, visible part/);
    assert.match((await chip.getAttribute('title')) ?? '', /^src\/client\.ts, lines 1–45, 900 characters/);
    await view.composer.focus();
    await press('ArrowUp');
    await press('Enter');
    const { keep, implicit, replaces } = await view.until('send');
    assert.deepEqual([keep, implicit, replaces], [['a1'], undefined, asked.id]);
  });

  it('is no part of what was left here before', async () => {
    await view.page.getByRole('button', { name: 'New chat' }).click();
    await view.page.keyboard.type('Early');
    await view.tell(
      surroundings({ chips: [attached, shown] }),
      conversation([], { id: null as never, chatId: crypto.randomUUID(), draft: 'half a thought' }),
    );
    await view.page.getByText(/Left here before:.*half a thought.*1 attachment/).waitFor();
    assert.deepEqual(
      await list()
        .getByRole('listitem')
        .allInnerTexts()
        .then((all) => all.length),
      1,
    );
    await press('Enter');
    const { without, implicit } = await view.until('send');
    assert.deepEqual([without, implicit], [[attached.id], shown.id]);
  });
});
