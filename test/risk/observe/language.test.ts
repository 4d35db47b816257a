import assert from 'node:assert/strict';
import fc from 'fast-check';
import { languageOf } from '../../../server/risk/observe/language.ts';
import { LANGUAGES, type Language } from '../../../server/risk/signals/observation.ts';

const CASES: [Language | null, string][] = [
  ['english', 'In the file colour.txt, change red to blue. Read colour.txt and README.md first.'],
  ['english', 'make it faster please'],
  ['english', 'Why does this test fail?\n```\nconst a = () => { return [1]; };\n```'],
  ['latin', 'Kannst du bitte die Datei umbenennen und die Tests anpassen?'],
  ['latin', 'Corrige le test qui échoue dans ce module'],
  ['latin', 'zmień nazwę funkcji i popraw testy'],
  ['latin', 'Adicione um teste para o módulo de pagamento'],
  ['latin', 'sửa lỗi trong tập tin này giúp tôi'],
  ['latin', 'tambahkan tes untuk fungsi ini dan perbaiki bug'],
  ['latin', 'voeg een test toe voor de betaling, dat is nog niet af'],
  ['chinese', '继续'],
  ['chinese', '请修复这个 bug: TypeError: Cannot read properties of undefined (reading "x")'],
  ['japanese', 'このエラーを直してください'],
  ['japanese', '関数名を変更して、テストも更新して'],
  ['korean', '이 오류를 고쳐 주세요'],
  ['cyrillic', 'Почини тест, он падает в CI'],
  ['arabic', 'أصلح هذا الخطأ'],
  ['arabic', 'این خطا را درست کن'],
  ['indic', 'यह कोड ठीक करो'],
  ['indic', 'இந்தப் பிழையை சரிசெய்'],
  [null, ''],
  [null, 'ok'],
  [null, 'fix'],
  [null, 'npm run build'],
  [null, 'const a = () => { return b[c]; } // and if this is the one that'],
  [null, 'import os\nfor i in range(10):\n  print(i)\n'],
  [null, '```\nwhat is in a fence is not what a person wrote\n```'],
  [null, '😀😀😀😀😀😀😀😀 12345 !!!'],
];

describe('the language of a text', () => {
  for (const [language, text] of CASES)
    it(`is ${language ?? 'not known'} for “${text.slice(0, 40)}”`, () => assert.equal(languageOf(text), language));

  it('is read in the first 1,000 characters', () => {
    assert.equal(languageOf('x'.repeat(999) + ' Почини тест, он падает'.repeat(1_000)), null);
  });

  it('is one of the list, or none, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const language = languageOf(text);
        return language === null || LANGUAGES.includes(language);
      }),
    );
  });
});
