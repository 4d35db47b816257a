import assert from 'node:assert/strict';
import { joined, withoutSent } from '../../shared/answers/draftText.ts';

describe('what is left of a draft when a message was sent', () => {
  const table: [draft: string, sent: string, left: string][] = [
    ['Yes', 'Yes', ''],
    ['Yes and', 'Yes', ' and'],
    ['Yes\n\nand', 'Yes', 'and'],
    ['Yesterday it', 'Yes', 'Yesterday it'],
    ['I want a house', 'house', 'I want a house'],
    ['greenhouse', 'house', 'greenhouse'],
    [joined('a green', 'house'), 'house', 'a green'],
    ['No', 'Yes', 'No'],
    ['', 'Yes', ''],
  ];
  for (const [draft, sent, left] of table)
    it(`is ${JSON.stringify(left)} of ${JSON.stringify(draft)} without “${sent}”`, () =>
      assert.equal(withoutSent(draft, sent), left));

  it('is what stands right behind it, where it is known to have been sent from there', () =>
    assert.equal(withoutSent('Yesnext', 'Yes', true), 'next'));
});
