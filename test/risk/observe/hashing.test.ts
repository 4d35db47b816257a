import assert from 'node:assert/strict';
import { accountKey, hashBytes, hashKey, hashText, simHash } from '../../../server/risk/observe/hashing.ts';

const KEY = hashKey(Buffer.from(Uint8Array.from({ length: 16 }, (_, i) => i)));

/** Of the authors' reference implementation: key 00 01 … 0f, input 00 01 … of so many bytes. */
const VECTORS: [length: number, hash: bigint][] = [
  [0, 0x726fdb47dd0e0e31n],
  [1, 0x74f839c593dc67fdn],
  [2, 0x0d6c8009d9a94f5an],
  [3, 0x85676696d7fb7e2dn],
  [7, 0xab0200f58b01d137n],
  [8, 0x93f5f5799a932462n],
  [15, 0xa129ca6149be45e5n],
  [63, 0x958a324ceb064572n],
];

const bitsBetween = (a: number, b: number) => ((a ^ b) >>> 0).toString(2).replaceAll('0', '').length;

describe('hashes of what a request shows', () => {
  it('are SipHash-2-4, both halves xored', () => {
    for (const [length, hash] of VECTORS) {
      const bytes = Buffer.from(Uint8Array.from({ length }, (_, i) => i));
      assert.equal(hashBytes(KEY, bytes), Number((hash >> 32n) ^ (hash & 0xffffffffn)), `${length} bytes`);
    }
  });

  it('take a text as UTF-8, up to 16 KB', () => {
    for (const text of ['', 'src/a.ts', 'größe/日本.ts', 'a'.repeat(1000)])
      assert.equal(hashText(KEY, text), hashBytes(KEY, Buffer.from(text)));
    assert.equal(hashText(KEY, 'a'.repeat(20_000)), hashBytes(KEY, Buffer.from('a'.repeat(16_384))));
    assert.notEqual(hashText(KEY, '\ud800'), 0);
  });

  it('differ from account to account and from period to period', () => {
    const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const hashes = [accountKey(one, 'a'), accountKey(one, 'b'), accountKey(two, 'a')].map((key) =>
      hashText(key, 'x/y.ts'),
    );
    assert.equal(new Set(hashes).size, 3);
    assert.equal(hashText(accountKey(one, 'a'), 'x/y.ts'), hashes[0]);
    assert.equal(new Set([1, 2, 3].map((n) => simHash(accountKey(Buffer.alloc(32, n), 'a'), LONG))).size, 3);
  });
});

const LONG =
  'Please look at the payment service and find out why some of the invoices are sent twice when a customer pays in two ' +
  'parts, then write a test that fails before the change';

describe('the SimHash of a text', () => {
  const same: [string, string][] = [
    [
      'Fix the lint errors in src/a.ts and run the tests again',
      'Fix the lint errors in lib/deep/b.test.ts and run the tests again',
    ],
    ['Review pull request 1234 of the service', 'review  pull request 99 of the Service.'],
    [
      'Translate messages_de.json into the other language files',
      'Translate messages_fr.json into the other language files',
    ],
    ['请检查文件 a.ts 里的错误并修复', '请检查文件 b.ts 里的错误并修复'],
  ];
  for (const [one, other] of same)
    it(`is the same for “${one.slice(0, 40)}…” with other names`, () => {
      assert.notEqual(simHash(KEY, one), 0);
      assert.equal(simHash(KEY, one), simHash(KEY, other));
    });

  it('differs in at most 4 bits when one word of thirty is another one, for most keys', () => {
    const other = LONG.replace('invoices', 'receipts');
    const differ = Array.from({ length: 200 }, (_, n) => {
      const key = accountKey(Buffer.alloc(32, n), 'a');
      return bitsBetween(simHash(key, LONG), simHash(key, other));
    });
    const near = differ.filter((bits) => bits <= 4).length;
    assert(near > 120, `${near} of 200`);
  });

  it('differs in more than 4 bits for other texts', () => {
    const others = [
      'Rename the class Invoice to Bill in the whole project, and update the documentation of the public interface as well',
      'Why does the build of the container fail on the second machine, although the same commit was fine yesterday evening',
      'Разберись, почему тесты на оплату падают каждую вторую ночь, и напиши мне, что нужно исправить в первую очередь',
    ];
    for (let n = 0; n < 100; n++) {
      const key = accountKey(Buffer.alloc(32, n), 'a');
      const hashes = [LONG, ...others].map((text) => simHash(key, text));
      hashes.forEach((one, i) => {
        for (const other of hashes.slice(i + 1)) assert(bitsBetween(one, other) > 4);
      });
    }
  });

  it('is 0 for what is too short to say', () => {
    for (const text of ['', 'yes', 'go on', 'fix the tests', 'README.md', '继续', '\u0000'])
      assert.equal(simHash(KEY, text), 0, text);
  });

  it('reads the first 512 characters', () => {
    const head = LONG.repeat(4).slice(0, 512);
    assert.equal(simHash(KEY, head), simHash(KEY, `${head}${' and more'.repeat(100_000)}`));
  });
});
