import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { countTokens as countCl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base';
import {
  boundPromptTokens,
  boundTokens,
  estimatePromptTokens,
  estimateTokens,
} from '../../server/gateway/prompt/tokens.ts';

const COUNTS = { o200k_base: countO200k, cl100k_base: countCl100k };

/** Sources and documents of this repository, at most 60,000 characters of each. */
function samples(): { name: string; text: string }[] {
  const root = new URL('../../', import.meta.url);
  const names = ['server', 'shared', 'extension', 'test'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|tsx|css|md)$/.test(name) && !name.includes('node_modules'))
      .map((name) => `${folder}/${name}`),
  );
  const documents = readdirSync(root).filter((name) => /\.md$/.test(name));
  return [...names, ...documents, 'LICENSE', 'package.json'].map((name) => ({
    name,
    text: readFileSync(new URL(name, root), 'utf8').slice(0, 60_000),
  }));
}

describe('counting tokens without a tokenizer', () => {
  it("is off by at most 15 % for 98 of 100 of this repository's files of 500 tokens and more, and by 20 % for all", function () {
    this.timeout(60_000);
    const offs: { name: string; off: number }[] = [];
    for (const { name, text } of samples()) {
      for (const [encoding, count] of Object.entries(COUNTS)) {
        const real = count(text);
        if (real >= 500) offs.push({ name: `${name} by ${encoding}`, off: Math.abs(estimateTokens(text) / real - 1) });
      }
    }
    assert(offs.length > 20);
    const far = offs.filter(({ off }) => off > 0.15);
    const told = far.map(({ name, off }) => `${name}: ${(off * 100).toFixed(1)} %`).join('; ');
    assert(far.length <= offs.length * 0.02 && far.every(({ off }) => off <= 0.2), told);
  });

  it('is off by at most 25 % for prose in other scripts', () => {
    const prose = {
      German:
        'Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt. ',
      French: 'Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison. ',
      Russian:
        'Все люди рождаются свободными и равными в своём достоинстве и правах. Они наделены разумом и совестью. ',
      Chinese: '人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。',
      Japanese: 'すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。',
    };
    for (const [language, text] of Object.entries(prose)) {
      const off = estimateTokens(text.repeat(10)) / countO200k(text.repeat(10)) - 1;
      assert(Math.abs(off) <= 0.25, `${language}: ${(off * 100).toFixed(1)} %`);
    }
  });

  it('never makes the bound smaller than the count or the estimate', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const bound = boundTokens(text);
        assert(estimateTokens(text) <= bound);
        for (const count of Object.values(COUNTS)) assert(count(text) <= bound);
      }),
    );
  });

  it('counts nothing for nothing, and something for anything', () => {
    assert.equal(estimateTokens(''), 0);
    assert.equal(boundTokens(''), 0);
    fc.assert(fc.property(fc.string({ minLength: 1 }), (text) => assert(estimateTokens(text) >= 1)));
  });

  it('takes 1 MB of one character as calmly as any other', () => {
    for (const unit of ['a', 'A', ' ', '\n', '1', '-', '世', '🙂', 'aB', '\u0000']) {
      const text = unit.repeat(1_000_000 / unit.length);
      const tokens = estimateTokens(text);
      assert(tokens > 0 && tokens <= boundTokens(text), `${unit}: ${tokens}`);
    }
  });

  it("adds a prompt's messages and what stands around them", () => {
    const messages = [
      { role: 'system', text: 'Be brief.' },
      { role: 'user', text: 'Hello' },
    ] as const;
    assert.equal(boundPromptTokens([...messages]), 9 + 5 + 3 * 8);
    assert.equal(estimatePromptTokens([...messages]), estimateTokens('Be brief.') + estimateTokens('Hello') + 3 * 8);
  });
});
