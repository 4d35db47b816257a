import assert from 'node:assert/strict';
import type { Chip } from '../../extension/chat/protocol.ts';
import { readImageHead } from '../../shared/media/images.ts';
import type { Model } from '../../shared/models.ts';
import { png, pngHead } from '../support/pngs.ts';
import { answer, conversation, problem, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

describe('chat view: pictures', () => {
  let view: View;
  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings(), conversation([user('Go'), answer('Yes')])],
  );

  const hint = () => view.page.locator('.hint').innerText();
  /** Pastes a file with these bytes into the composer. */
  const paste = (bytes: Uint8Array, name: string, type: string, andSend = false) =>
    view.page.evaluate(
      ([base64, name, type, andSend]) => {
        const bytes = Uint8Array.from(atob(base64!), (char) => char.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], name!, { type: type! }));
        const area = document.querySelector('.composer textarea')!;
        const init = { bubbles: true, cancelable: true };
        const isTaken = !area.dispatchEvent(new ClipboardEvent('paste', { ...init, clipboardData: data }));
        if (andSend) area.dispatchEvent(new KeyboardEvent('keydown', { ...init, key: 'Enter' }));
        return isTaken;
      },
      [Buffer.from(bytes).toString('base64'), name, type, andSend] as const,
    );
  const attached = async (count = 1) => Buffer.from((await view.until('attachPicture', count)).data, 'base64');
  const seeing = (part: Partial<Model> = { vision: true }): Model[] => [
    {
      ...{ id: 'eyes', name: 'Eyes', contextTokens: 128_000, maxOutputTokens: 8_192, isDefault: true, isDemo: false },
      ...{ price: { mode: 'flat', runMicro: 1 }, ...part },
    },
    {
      ...{
        id: 'blind',
        name: 'Blind',
        contextTokens: 128_000,
        maxOutputTokens: 8_192,
        isDefault: false,
        isDemo: false,
      },
      price: { mode: 'flat', runMicro: 1 },
    },
  ];
  const chip: Chip = {
    id: `image ${'a'.repeat(64)}`,
    kind: 'image',
    label: 'shot.png',
    path: 'shot.png',
    tokens: 1_640,
  };
  const shown = (bytes: Uint8Array, id = chip.id) =>
    ({ type: 'picture', id, mediaType: 'image/png', data: Buffer.from(bytes).toString('base64') }) as const;

  it('are pasted as they are if they are small, but encoded anew', async () => {
    const secret = Buffer.concat([png(40, 30), Buffer.from('where it was taken')]);
    assert.equal(await paste(secret, 'image.png', 'image/png'), true);
    const bytes = await attached();
    assert.deepEqual(readImageHead(bytes), { mediaType: 'image/png', width: 40, height: 30 });
    assert.ok(!bytes.includes('where it was taken'));
    assert.equal((await view.until('attachPicture')).name, 'image.png');
  });

  it('are made smaller, with their shape, and a photo stays a JPEG', async () => {
    await paste(png(4_000, 1_000), 'wide.png', 'image/png');
    assert.deepEqual(readImageHead(await attached()), { mediaType: 'image/png', width: 1_568, height: 392 });
    const sharp = (await import('sharp')).default;
    await paste(await sharp(png(2_000, 3_136)).jpeg().toBuffer(), 'photo.jpg', 'image/jpeg');
    assert.deepEqual(readImageHead(await attached(2)), { mediaType: 'image/jpeg', width: 1_000, height: 1_568 });
  });

  it('become a JPEG if a PNG of them is too large', async () => {
    const sharp = (await import('sharp')).default;
    const noise = {
      create: { width: 1_200, height: 900, channels: 3, noise: { type: 'gaussian', sigma: 90 } },
    } as const;
    await paste(
      await sharp({ ...noise, create: { ...noise.create, background: '#888' } } as never)
        .png()
        .toBuffer(),
      'noise.png',
      'image/png',
    );
    const bytes = await attached();
    assert.ok(bytes.length <= 1_000_000);
    assert.equal(readImageHead(bytes)?.mediaType, 'image/jpeg');
  });

  for (const [what, bytes, said] of [
    [
      'that claims 40,000 pixels a side',
      pngHead(40_000, 40_000),
      /^bad\.png has 40,000 × 40,000 pixels, and may have 40 million/,
    ],
    [
      'that is an SVG in truth',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
      /^bad\.png is no PNG, JPEG, WebP or GIF/,
    ],
    ['without its pixels', pngHead(20, 20), /^bad\.png is damaged: it cannot be drawn/],
    ['of nothing', Buffer.alloc(0), /^bad\.png is no PNG/],
  ] as const)
    it(`${what} are refused with a word, and the text stays`, async () => {
      await view.composer.fill('What is on it?');
      assert.equal(await paste(bytes, 'bad.png', 'image/png'), true);
      await view.page.locator('.hint').waitFor();
      assert.match(await hint(), said);
      assert.equal(await view.composer.inputValue(), 'What is on it?');
      assert.equal((await view.said()).filter(({ type }) => type === 'attachPicture').length, 0);
    });

  it('go along with the message although Enter comes before they are small enough', async () => {
    await view.composer.fill('What is on it?');
    await paste(png(1_900, 1_900), 'shot.png', 'image/png', true);
    await view.until('send');
    const order = (await view.said()).map(({ type }) => type).filter((type) => /attachPicture|send/.test(type));
    assert.deepEqual(order, ['attachPicture', 'send']);
  });

  it('that are refused keep the message from being sent without them', async () => {
    await view.composer.fill('What is on it?');
    await paste(pngHead(20, 20), 'shot.png', 'image/png', true);
    await view.page.locator('.hint').waitFor();
    assert.equal((await view.said()).filter(({ type }) => type === 'send').length, 0);
    assert.equal(await view.composer.inputValue(), 'What is on it?');
  });

  it('of files are made smaller for the host, or refused', async () => {
    const requestId = crypto.randomUUID();
    const data = (bytes: Buffer) => bytes.toString('base64');
    await view.tell({ type: 'shrink', requestId, name: 'a.png', data: data(png(2_000, 10)) });
    const taken = await view.until('attachPicture');
    assert.deepEqual([taken.requestId, taken.name], [requestId, 'a.png']);
    assert.equal(readImageHead(Buffer.from(taken.data, 'base64'))?.width, 1_568);
    await view.tell({ type: 'shrink', requestId, name: 'a.png', data: data(pngHead(9, 9)) });
    assert.match((await view.until('pictureRefused')).why, /^is damaged/);
  });

  it('stand in their chip as a small picture, with their tokens, and can be removed', async () => {
    await view.tell(surroundings({ models: seeing(), modelId: 'eyes', chips: [chip] }));
    assert.deepEqual(await view.until('picture'), { type: 'picture', id: chip.id });
    await view.tell(shown(png(40, 30)));
    const item = view.page.locator('.composer .chip');
    await item.locator('img.thumb').waitFor();
    assert.equal(await item.getAttribute('title'), 'shot.png, about 1,640 tokens');
    assert.equal(await item.locator('.size').innerText(), '1,640 tokens');
    assert.equal(await view.page.evaluate(`document.querySelector('img.thumb').naturalWidth`), 40);
    await item.getByRole('button', { name: /^Remove shot\.png/ }).click();
    assert.equal((await view.until('detach')).id, chip.id);
  });

  it('say by their chip that the model reads none, and the refusal leads to another', async () => {
    const told = (modelId: string) => surroundings({ models: seeing(), modelId, chips: [chip] });
    await view.tell(told('blind'));
    const item = view.page.locator('.composer .chip');
    assert.equal((await item.locator('.note').innerText()).trim(), 'not for this model');
    assert.match((await item.getAttribute('title'))!, /Blind reads no pictures\./);
    await view.composer.fill('Look');
    await view.composer.press('Enter');
    const { requestId } = await view.until('send');
    const detail = 'Blind reads no pictures. Nothing was sent: choose another model, or remove the picture.';
    await view.tell({ type: 'notSent', requestId, problem: problem('no_vision', { detail }) });
    const refused = view.page.locator('.refused');
    assert.match(await refused.innerText(), /Blind reads no pictures[\s\S]*Your text is kept/);
    for (const width of [260, 380]) {
      await view.page.setViewportSize({ width, height: 600 });
      assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
    }
    await refused.getByRole('button', { name: 'Choose another model' }).click();
    await view.page.getByRole('menuitemradio', { name: /^Eyes/ }).click();
    assert.equal((await view.until('selectModel')).id, 'eyes');
    await view.tell(told('eyes'));
    assert.equal(await refused.count(), 0, 'its cause is gone');
    assert.equal(await view.composer.inputValue(), 'Look');
    assert.equal(await item.locator('.note').count(), 0);
  });

  it('can be left out where the model reads none', async () => {
    await view.tell(surroundings({ models: seeing(), modelId: 'blind', chips: [chip] }));
    await view.composer.fill('Look');
    await view.composer.press('Enter');
    const { requestId } = await view.until('send');
    await view.tell({ type: 'notSent', requestId, problem: problem('no_vision') });
    await view.page.getByRole('button', { name: 'Send without the picture' }).click();
    assert.equal((await view.until('detach')).id, chip.id);
    await view.until('send', 2);
  });

  it('are drawn with their message, small, and large on a click', async () => {
    const image = { mediaType: 'image/png', width: 900, height: 600, bytes: 9 } as const;
    const question = user('Look', {
      attachments: [{ id: 'm/0', kind: 'image', path: 'shot.png', characters: 0, image }],
    });
    await view.tell(surroundings({ models: seeing(), modelId: 'eyes' }), conversation([question, answer('A cat')]));
    assert.equal((await view.until('picture')).id, 'm/0');
    const place = view.page.locator('.message.user .picture');
    const before = (await place.boundingBox())!.height;
    await view.tell(shown(png(900, 600), 'm/0'));
    const drawn = place.getByRole('img', { name: 'shot.png' });
    await drawn.waitFor();
    assert.equal((await place.boundingBox())!.height, before, 'nothing moves');
    assert.equal(await place.getAttribute('title'), 'shot.png, 900 × 600 pixels');
    const small = (await drawn.boundingBox())!.width;
    await place.getByRole('button').click();
    assert.ok((await drawn.boundingBox())!.width > small);
    for (const width of [260, 380]) {
      await view.page.setViewportSize({ width, height: 600 });
      assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
    }
    assert.equal(await view.page.locator('.unseen').count(), 0);
    await view.tell(surroundings({ models: seeing(), modelId: 'blind' }));
    assert.match(
      await view.page.locator('.unseen').innerText(),
      /Blind reads no pictures: the picture above is left out for it\./,
    );
  });

  it('that are gone say so in their place', async () => {
    const question = user('Look', { attachments: [{ id: 'm/1', kind: 'image', path: 'shot.png', characters: 0 }] });
    await view.tell(conversation([question, answer('A cat')]));
    await view.until('picture');
    await view.tell({ type: 'picture', id: 'm/1', why: 'It is no longer there.' });
    assert.match(await view.page.locator('.picture').innerText(), /shot\.png\s*· It is no longer there\./);
  });
});
