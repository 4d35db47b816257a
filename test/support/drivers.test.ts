import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { Deeds } from '../editor/parts/deeds.ts';
import { InTurn } from './inTurn.ts';

/** A window that can be pressed a key in, and photographed. */
function windowWith(onPress: () => void): Page {
  const page = {
    isClosed: () => false,
    keyboard: { press: async () => onPress() },
    screenshot: async () => {},
    evaluate: async () => ({ quickInput: ['>Perigee: New Chat'], dialogs: [] }),
  };
  return page as unknown as Page;
}

describe('a deed in an editor', () => {
  it('is repeated until its effect shows', async () => {
    let pressed = 0;
    const deeds = new Deeds(windowWith(() => void pressed++));
    await deeds.press('F1', 'the palette', async () => pressed === 3, { patienceMs: 1 });
    assert.equal(pressed, 3);
  });

  it('is not done twice when its effect comes late', async () => {
    let pressed = 0;
    let asked = 0;
    const deeds = new Deeds(windowWith(() => void pressed++));
    // The effect shows between two tries: after the patience of the first, before the second.
    await deeds.press('F1', 'the palette', async () => pressed > 0 && ++asked > 1, { patienceMs: 0 });
    assert.equal(pressed, 1);
  });

  it('is done once even where the effect seems to be there', async () => {
    let pressed = 0;
    await new Deeds(windowWith(() => void pressed++)).press('Escape', 'nothing is left', async () => true);
    assert.equal(pressed, 1);
  });

  it('says what was done, what was expected, why it failed, and what was seen', async () => {
    const page = windowWith(() => {
      throw new Error('the window is not there');
    });
    await assert.rejects(
      new Deeds(page, 5).press('F1', 'the palette', async () => false, { patienceMs: 1 }),
      (error) => {
        const { message } = error as Error;
        assert.match(
          message,
          /^press F1: after \d+ tries, the palette did not show\.\nThe last try: the window is not there\n/,
        );
        assert.match(message, /quickInput: \[">Perigee: New Chat"\]\nPicture: .*press-F1\.png$/);
        return true;
      },
    );
  });
});

describe('those who print in turn', () => {
  it('print at once while they are first, and later what was kept, whole', () => {
    let printed = '';
    const turns = new InTurn((text) => {
      printed += text;
    });
    const [one, two, three] = [turns.begin(), turns.begin(), turns.begin()];
    two.print('b1 ');
    one.print('a1 ');
    assert.equal(printed, 'a1 ');
    two.end();
    three.print('c1 ');
    one.print('a2 ');
    one.end();
    assert.equal(printed, 'a1 a2 b1 c1 ');
    three.print('c2 ');
    three.end();
    assert.equal(printed, 'a1 a2 b1 c1 c2 ');
  });
});

describe('suites that drive an editor', () => {
  const folder = new URL('../editor/specs/', import.meta.url);
  const specs = readdirSync(folder).filter((name) => name.endsWith('.spec.ts'));
  /** What it tries are keys that are pressed before anything can show their effect. */
  const ABOUT_KEYS = 'reload.spec.ts';
  /** What does something and then hopes, with what to use instead; `isKey`: by a key. */
  const blind: { what: RegExp; instead: string; isKey?: true }[] = [
    { what: /\.keyboard\b|\.mouse\b/, instead: 'use press, pressIn or what EditorParts has', isKey: true },
    { what: /waitForTimeout|setTimeout\((?!done)/, instead: 'wait for what shows' },
    { what: /\b(?:composer|field|input)(?:\(\))?\.press\(/, instead: 'use pressIn or the chat', isKey: true },
    { what: /bail\(true\)/, instead: 'use inSteps: bail leaves out later suites without a word' },
  ];

  it('press no key blindly, and sleep nowhere', () => {
    assert.ok(specs.length > 5 && specs.includes(ABOUT_KEYS));
    const found = specs.flatMap((name) =>
      readFileSync(new URL(name, folder), 'utf8')
        .split('\n')
        .flatMap((line, i) =>
          blind
            .filter(({ what, isKey }) => what.test(line) && !(isKey && name === ABOUT_KEYS))
            .map(({ instead }) => `${name}:${i + 1}: ${line.trim()}: ${instead}`),
        ),
    );
    assert.deepEqual(found, []);
  });
});
