import assert from 'node:assert/strict';
import { answer, conversation, instructions, problem, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

describe('chat view: commands after a slash', () => {
  let view: View;
  const list = () => view.page.getByRole('listbox', { name: 'Commands' });
  const labels = () => list().getByRole('option').locator('.label').allInnerTexts();
  const press = (key: string) => view.page.keyboard.press(key);
  const typed = () => view.composer.inputValue();

  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings(), conversation([user('First question'), answer('First answer')])],
  );

  it('are listed only where the slash begins the text, and by what follows it', async () => {
    await view.page.keyboard.type('either ');
    await view.page.keyboard.type('/');
    assert.equal(await list().count(), 0);
    await view.composer.fill('');
    await view.page.keyboard.type('/');
    assert.deepEqual(await labels(), ['/explain', '/fix', '/new', '/help', '/release-notes']);
    await view.until('listCommands');
    assert.match(await list().getByRole('option').last().innerText(), /a release · No effect here: its tools$/);
    await view.page.keyboard.type('E');
    assert.deepEqual(await labels(), ['/explain', '/new', '/help', '/release-notes'], 'beginnings first');
    await view.page.keyboard.type('lephant');
    assert.equal(await list().count(), 0);
    await view.composer.fill('/usr/bin is full');
    assert.equal(await list().count(), 0);
  });

  it('are chosen by the keyboard alone: the command stays in the text, attaches, and waits for more words', async () => {
    await view.page.keyboard.type('/');
    await press('ArrowUp');
    await press('ArrowDown');
    await press('ArrowDown');
    assert.equal(await view.composer.getAttribute('aria-activedescendant'), 'mention-1');
    await press('Enter');
    assert.deepEqual(await view.until('slash'), { type: 'slash', name: 'fix' });
    assert.equal(await typed(), '/fix ');
    assert.equal(await list().count(), 0);
    await view.page.keyboard.type('only the loop');
    await press('Enter');
    const { text, requestId } = await view.until('send');
    assert.equal(text, '/fix only the loop');
    await view.tell({ type: 'sent', requestId });
    assert.equal(await typed(), '');
  });

  it('can be put before what is typed already, and Escape leaves the text as it is', async () => {
    await view.page.keyboard.type('only the loop');
    await press('Home');
    await view.page.keyboard.type('/fi ');
    assert.equal(await typed(), '/fi only the loop');
    await press('ArrowLeft');
    await list().waitFor();
    await press('Escape');
    assert.equal(await list().count(), 0);
    await press('ArrowLeft');
    await press('Tab');
    assert.equal(await typed(), '/fix only the loop');
    await view.page.keyboard.type('x');
    assert.equal(await typed(), '/fix xonly the loop');
  });

  it('typed out in any case attach at the blank after them, before they are sent', async () => {
    await view.page.keyboard.type('/Fix it');
    assert.deepEqual(await view.until('slash'), { type: 'slash', name: 'fix' });
    assert.equal((await view.said()).filter(({ type }) => type === 'slash').length, 1);
  });

  it('are no longer offered when another chat is shown, whose text is another', async () => {
    await view.page.keyboard.type('/ex');
    await list().waitFor();
    await view.tell(conversation([user('Other')], { id: crypto.randomUUID(), draft: 'Why?' }));
    await list().waitFor({ state: 'detached' });
    await press('Tab');
    assert.equal(await typed(), 'Why?');
  });

  it('"/new" begins a chat at once, or, with more words, when it is sent', async () => {
    await view.page.keyboard.type('Why?');
    await press('Home');
    await view.page.keyboard.type('/ne');
    await press('Tab');
    assert.equal(await typed(), '/new Why?');
    await view.composer.fill('');
    await view.page.keyboard.type('/ne');
    await press('Enter');
    await view.until('newChat');
    assert.equal(await typed(), '');
    assert.equal((await view.said()).filter(({ type }) => type === 'send').length, 0);
  });

  it('"/help" lists all commands and what none of them does, costs nothing and keeps the rest of the text', async () => {
    await view.page.keyboard.type('/help me here');
    await press('Enter');
    const help = view.page.getByRole('region', { name: 'Commands' });
    assert.match(
      await help.innerText(),
      /\/explain\s+The selection[\s\S]*\/release-notes[\s\S]*No effect here: its tools/,
    );
    assert.equal(await typed(), 'me here');
    assert.equal((await view.said()).filter(({ type }) => type === 'send').length, 0);
    await press('Escape');
    assert.equal(await help.count(), 0);
    await view.composer.fill('/HELP');
    await press('Escape');
    await press('Enter');
    await help.getByRole('button', { name: 'Dismiss' }).click();
    assert.equal(await help.count(), 0);
  });

  it('that can not run are refused by name, and nothing typed is lost', async () => {
    await view.page.keyboard.type('/explain this');
    await press('Enter');
    const { requestId } = await view.until('send');
    const refusal = { ...problem('invalid_request'), title: 'The command could not run' };
    const detail = '/explain needs a selection or an open file. Nothing was sent.';
    await view.tell({ type: 'notSent', requestId, problem: { ...refusal, detail } });
    assert.match(
      await view.page.locator('.composer-place').innerText(),
      /^\/explain needs a selection or an open file\. Nothing was sent\. Your text is kept\./,
    );
    assert.equal(await typed(), '/explain this');
  });

  it('a slash alone says nothing', async () => {
    await view.page.keyboard.type('/');
    await press('Escape');
    await press('Enter');
    assert.equal((await view.said()).filter(({ type }) => type === 'send').length, 0);
    assert.equal(await view.page.getByRole('button', { name: 'Send', exact: true }).isDisabled(), true);
  });
});

describe('chat view: instructions that go along', () => {
  let view: View;
  const chips = () => view.page.locator('.composer').getByRole('list', { name: 'Attached' }).getByRole('listitem');
  const open = () => view.page.getByRole('button', { name: /^Instructions: / });

  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings({ instructions }), conversation([user('First question'), answer('First answer')])],
  );

  it('are told with what they cost, each by its name in a list, and what is not whole with the reason', async () => {
    assert.match((await chips().innerText()).replace(/\s+/g, ' '), /^3 instructions 8,192 tokens/);
    await open().press('Enter');
    const items = await view.page.getByRole('menuitem').allInnerTexts();
    assert.deepEqual(
      items.map((text) => text.replace(/\s+/g, ' ').trim()),
      [
        'Your own instructions 12 tokens',
        'AGENTS.md 7,400 tokens',
        'typescript.instructions.md 780 tokens .github/instructions/typescript.instructions.md',
        'AGENTS.md Sent in part: of all instructions together, 32 KB go along.',
      ],
    );
    await view.page.keyboard.press('ArrowDown');
    await view.page.keyboard.press('Enter');
    assert.deepEqual(await view.until('openFile'), { type: 'openFile', path: 'AGENTS.md' });
  });

  it('count in the context, but not again when the chat has them', async () => {
    const used = async () => (await view.page.getByRole('button', { name: /^Context/ }).getAttribute('title')) ?? '';
    assert.match(await used(), /about 29,192 of/);
    const files = instructions.files.map((file) => ({ ...file, isSent: true as const }));
    await view.tell(surroundings({ instructions: { files, leftOut: [] } }));
    assert.match(await used(), /about 21,000 of/);
    assert.match((await chips().innerText()).replace(/\s+/g, ' '), /^3 instructions sent before/);
  });

  it('are left out of a chat by one button, and taken up again by another', async () => {
    await view.page.getByRole('button', { name: 'Leave out instructions in this chat' }).click();
    assert.deepEqual(await view.until('instructions'), { type: 'instructions', on: false });
    await view.tell(surroundings({ instructions: { ...instructions, isOut: true } }));
    await view.page.getByRole('button', { name: 'Instructions', exact: true }).click();
    assert.deepEqual(await view.until('instructions', 2), { type: 'instructions', on: true });
  });

  it('stand with the message that they went along with', async () => {
    const attachments = [
      { id: 'a/0', kind: 'instructions' as const, characters: 9 },
      { id: 'a/1', kind: 'instructions' as const, path: 'docs/AGENTS.md', characters: 90 },
    ];
    await view.tell(conversation([user('Asked', { attachments }), answer('Answered')]));
    const shown = view.page.locator('.message.user .chip');
    assert.deepEqual(await shown.allInnerTexts(), ['Your own instructions', 'AGENTS.md']);
  });
});
