import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

interface Manifest {
  contributes: { menus: { commandPalette: { command: string; when: string }[] } };
}
type Context = Record<string, string | number | boolean | undefined>;

/** When-clauses as they are used here: `||`, `&&`, `!`, `==` and `!=`, without brackets. */
function holds(when: string, context: Context): boolean {
  const text = (key: string) => String(context[key] ?? '');
  return when.split(' || ').some((any) =>
    any.split(' && ').every((one) => {
      const [, key, sign, value] = /^(\S+) (==|!=) (\S+)$/.exec(one) ?? [];
      if (key && sign) return (text(key) === value) === (sign === '==');
      return one.startsWith('!') ? !context[one.slice(1)] : !!context[one];
    }),
  );
}

describe('the command palette', () => {
  let offered: (context: Context) => string[];
  const ofAccount = [
    ...['signIn', 'useCode', 'continueAsGuest', 'openAccount', 'acceptTerms', 'signOut', 'reconnect', 'startServer'],
    'commitMessage',
  ];
  before(async () => {
    const manifest = JSON.parse(await readFile('package.json', 'utf8')) as Manifest;
    const rules = new Map(
      manifest.contributes.menus.commandPalette.map(({ command, when }) => [command.slice('perigee.'.length), when]),
    );
    offered = (context) =>
      ofAccount.filter((name) => holds(rules.get(name)!, { gitOpenRepositoryCount: 0, ...context }));
  });

  for (const [who, context, commands] of [
    ['before anything is known', {}, ['signIn', 'useCode']],
    ['a guest', { 'perigee.account': 'guest', 'perigee.connection': 'ok' }, ['signIn', 'useCode', 'signOut']],
    ['a member', { 'perigee.account': 'member', 'perigee.connection': 'ok' }, ['openAccount', 'signOut']],
    [
      'a member who has terms to accept',
      { 'perigee.account': 'member', 'perigee.connection': 'ok', 'perigee.termsDue': true },
      ['openAccount', 'acceptTerms', 'signOut'],
    ],
    [
      'a member without a connection',
      { 'perigee.account': 'member', 'perigee.connection': 'offline' },
      ['openAccount', 'signOut', 'reconnect', 'startServer'],
    ],
    [
      'one who is signed out',
      { 'perigee.connection': 'signedOut', 'perigee.account': undefined },
      ['signIn', 'useCode', 'continueAsGuest'],
    ],
    [
      'one with a repository',
      { 'perigee.account': 'member', 'perigee.connection': 'ok', gitOpenRepositoryCount: 1 },
      ['openAccount', 'signOut', 'commitMessage'],
    ],
  ] as [string, Context, string[]][]) {
    it(`offers ${who} only what applies`, () => assert.deepEqual(offered(context), commands));
  }
});
