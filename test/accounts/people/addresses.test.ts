import assert from 'node:assert/strict';
import { mailboxOf, personOf } from '../../../server/accounts/people/emails.ts';
import { editorName, isAllowedCallback, withQuery } from '../../../server/accounts/signIn/callbacks.ts';

describe('the mailbox of an address', () => {
  const SAME: [address: string, mailbox: string | null][] = [
    ['Ada@Example.org', 'ada@example.org'],
    [' ada@example.org ', 'ada@example.org'],
    ['a.d.a+news@gmail.com', 'ada@gmail.com'],
    ['ada@googlemail.com', 'ada@gmail.com'],
    ['ada+news@outlook.com', 'ada@outlook.com'],
    ['a.da@outlook.com', 'a.da@outlook.com'],
    // A provider of which nobody knows that it ignores a tag: a tag may be somebody else's mailbox there.
    ['ada+news@example.org', 'ada+news@example.org'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@example.org.', 'ada@example.org'],
    ['ada', null],
    ['ada@', null],
    ['@example.org', null],
    ['+x@gmail.com', null],
    ['ada@host', null],
    ['a b@example.org', null],
    ['ada@example.org\nbcc: eve@example.org', null],
    ['"ada"@example.org', null],
    ['ada@example.org, eve@example.org', null],
    [`${'a'.repeat(65)}@example.org`, null],
    ['jörg@example.org', 'jörg@example.org'],
    ['jo\u0308rg@example.org', 'jörg@example.org'],
    ['用户@例子.公司', '用户@xn--fsqu00a.xn--55qx5d'],
    ["a!b#$%&'*+/=?^_`{|}~-@example.org", "a!b#$%&'*+/=?^_`{|}~-@example.org"],
    ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
    ['ADA@BÜCHER.EXAMPLE', 'ada@xn--bcher-kva.example'],
    [`ada@${'a'.repeat(64)}.example`, null],
    [`ada@${'abcdefg.'.repeat(31)}example`, null],
    ['x'.repeat(100_000), null],
    ['ada\0@example.org', null],
    ['ada\ud800@example.org', null],
    ['ada\u202e@example.org', null],
    ['ada\u200b@example.org', null],
    ['ada😀@example.org', null],
    ['ada@exa\0mple.org', null],
    ['ada@example..org', null],
    ['ada@-example.org', null],
    ['ada@exa_mple.org', null],
    ['ada@127.0.0.1', null],
    ['ada@[127.0.0.1]', null],
    ['ada@example.org:25', null],
    ['ada@example.org/x', null],
    ['ada@ex%61mple.org', null],
    ['ada@eve@example.org', null],
    ['ada', null],
  ];
  for (const [address, mailbox] of SAME)
    it(`${JSON.stringify(address)} is ${mailbox ?? 'none'}`, () => assert.equal(mailboxOf(address), mailbox));

  it('counts as one person under all its tags where something is given once', () => {
    assert.equal(personOf('ada+1@example.org'), 'ada@example.org');
    assert.equal(personOf('ada@example.org'), 'ada@example.org');
  });
});

describe('the address at which an editor is called back', () => {
  const ours = 'vscode-authority=perigee.perigee';
  const ALLOWED = [
    'vscode://perigee.perigee/signed-in',
    'vscode-insiders://perigee.perigee/signed-in?windowId=12',
    'vscodium://perigee.perigee/x',
    'code-oss://perigee.perigee/x',
    'cursor://perigee.perigee/x',
    'windsurf://perigee.perigee/x',
    `https://vscode.dev/callback?vscode-reqid=1&vscode-scheme=vscode&${ours}&vscode-path=/signed-in`,
    `https://insiders.vscode.dev/callback?${ours}`,
    `http://127.0.0.1:8443/stable-abc/callback?${ours}`,
    `http://localhost:3000/callback?${ours}`,
    `https://code.example.org/ide/callback?${ours}`,
    `https://code.example.org/ide?${ours}`,
  ];
  const REFUSED: [address: string, why: string][] = [
    ['vscode://somebody.else/signed-in', 'another extension'],
    ['vscode:perigee.perigee', 'no authority'],
    ['vscode://perigee.perigee:80/x', 'a port'],
    ['vscode://eve@perigee.perigee/x', 'a user'],
    ['vscode://perigee.perigee.evil/x', 'a longer name'],
    ['javascript:alert(1)', 'a script'],
    ['data:text/html,x', 'data'],
    ['file:///etc/passwd', 'a file'],
    ['https://evil.example/callback', 'a stranger'],
    [`https://evil.example/callback?${ours}`, 'a stranger that names us'],
    [`https://vscode.dev.evil.example/callback?${ours}`, 'a stranger whose name begins well'],
    [`https://vscode.dev@evil.example/callback?${ours}`, 'a stranger behind a user'],
    ['https://vscode.dev/callback?vscode-authority=somebody.else', 'another extension of a web editor'],
    [`https://vscode.dev/callback?${ours}&vscode-authority=somebody.else`, 'two extensions of a web editor'],
    ['https://vscode.dev/callback', 'a web editor and nobody in it'],
    [`http://vscode.dev/callback?${ours}`, 'a web editor without encryption'],
    [`http://192.168.1.5/callback?${ours}`, 'another machine'],
    [`https://code.example.org/idea/callback?${ours}`, 'a path that only begins alike'],
    [`https://code.example.org/other?${ours}`, 'another path'],
    [`http://code.example.org/ide/callback?${ours}`, 'no encryption'],
    [`https://code.example.org/ide/../evil?${ours}`, 'a way out of the path'],
    ['vscode://perigee.perigee/x#code=1', 'a fragment'],
    ['vscode://perigee.perigee/x?code=1', 'a code of its own'],
    ['vscode://perigee.perigee/x?state=1', 'a state of its own'],
    ['vscode://perigee.perigee\\@evil.example/x', 'a backslash'],
    ['vscode://perigee.perigee/x\ny', 'a line break'],
    [' vscode://perigee.perigee/x', 'a blank'],
    ['//evil.example', 'no scheme'],
    ['', 'nothing'],
  ];
  const configured = ['https://code.example.org/ide'];
  for (const address of ALLOWED)
    it(`may be ${address}`, () => assert.equal(isAllowedCallback(address, configured), true));
  for (const [address, why] of REFUSED)
    it(`is refused: ${why}, ${JSON.stringify(address)}`, () =>
      assert.equal(isAllowedCallback(address, configured), false));

  it('keeps its own query as it was written', () => {
    assert.equal(withQuery('vscode://p.p/x?a=%20%2B', { code: 'c d' }), 'vscode://p.p/x?a=%20%2B&code=c+d');
    assert.equal(withQuery('vscode://p.p/x', { code: '1' }), 'vscode://p.p/x?code=1');
  });

  it('names a web editor by its host', () => {
    assert.equal(editorName('https://vscode.dev/callback'), 'vscode.dev');
    assert.equal(editorName('cursor://perigee.perigee/x'), 'your editor');
  });
});
