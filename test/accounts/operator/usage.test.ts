import assert from 'node:assert/strict';
import { runBackupCommand } from '../../../server/accounts/operator/backupCommands.ts';
import { type CommandDeps, runCommand } from '../../../server/accounts/operator/commands.ts';
import { USAGE, usageOf } from '../../../server/accounts/operator/usage.ts';

const NOW = Date.parse('2027-01-31T12:00:00Z');
/** Nothing here gets as far as a database. */
const run = (...args: string[]) => runCommand({ clock: { now: () => NOW } } as unknown as CommandDeps, args);

describe('the help of the operator’s commands', () => {
  const commands = [...new Set([...USAGE.matchAll(/^ {2}([a-z-]+)/gm)].map(([, command]) => command!))];

  it('has a part for each command, and all parts are the whole list', () => {
    assert.ok(commands.length > 15);
    const parts = commands.flatMap(usageOf);
    for (const line of parts) assert.ok(USAGE.includes(line), line);
    const list = USAGE.split('\n\n')[1]!.split('\n');
    assert.deepEqual([...parts].sort(), [...list].sort());
    assert.deepEqual(usageOf('nothing'), []);
  });

  it('is shown for the command that was not understood', async () => {
    const { code, lines } = await run('promotion', 'LAUNCH');
    assert.equal(code, 2);
    assert.equal(lines[0], 'promotion needs --credits, --budget, --until, --why.');
    assert.match(lines[1]!, /^ {2}promotion NAME --credits N --budget CREDITS /);
    assert.equal(lines.at(-1), '  promotion NAME --end              ends a promotion');
  });

  const MISUSED: [args: string[], first: string][] = [
    [['promotion', 'L', '--credits', '5', '--budget', '9', '--until', '7d', '--why', '\u200b'], 'promotion needs --why.'],
    [['promotion', 'L', '--credits', '', '--why', 'w'], 'promotion needs --credits, --budget, --until.'],
    [['notice', 'x'], 'notice needs --until: a notice is over some day.'],
    [['notice', 'x', '--until', 'noon'], '"noon" is no time: write a day (2027-01-31), a time (2027-01-31T12:00:00Z), 12h or 7d.'],
    [['suspend', 'a', '--until', '7d'], 'suspend needs --why: its owner reads it.'],
    [['find', '--loud'], "Unknown option '--loud'."],
    [['grant', 'a', '-5'], '"-5" is less than nothing.'],
  ]; // biome-ignore format: a table
  for (const [args, first] of MISUSED)
    it(`follows what was wrong with "${args.join(' ')}"`, async () => {
      const { code, lines } = await run(...args);
      assert.deepEqual([code, lines[0], lines.slice(1)], [2, first, usageOf(args[0]!)]);
      assert.ok(lines.length > 1);
    });

  it('is named where there is no such command', async () => {
    for (const args of [['grnt', 'x'], []]) {
      const { code, lines } = await run(...args);
      assert.deepEqual([code, lines.length], [2, 1]);
      assert.match(lines[0]!, /^There is no command.* The command "help" lists all of them\.$/);
    }
  });

  it('tells what each number means with which a command ends', async () => {
    assert.match(USAGE, /ends with 0 if it did all, 1 if it could not, 2 if it was not understood, and 3 if something/);
    const { code, lines } = await runBackupCommand({} as never, ['backup']);
    assert.deepEqual([code, lines], [2, ['backup needs a file, and nothing else.', ...usageOf('backup')]]);
  });
});
