import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../server/platform/log.ts';
import { createMailer, failureOf } from '../../server/platform/mail.ts';

const FROM = 'Perigee <mail@perigee.example>';
const MAIL = { to: 'ada@example.org', subject: '123456 is your code', text: 'Grüße\n' };
const log = createLog('silent');

describe('mail', () => {
  it('is written into a folder, to be read by its owner alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'perigee-mail-'));
    try {
      await createMailer({ url: `file:${folder}`, from: FROM }, log).send(MAIL);
      const [name] = await readdir(folder);
      const message = await readFile(join(folder, name!), 'utf8');
      for (const line of [
        'From: Perigee <mail@perigee.example>',
        'To: ada@example.org',
        'Subject: 123456 is your code',
      ])
        assert.ok(message.includes(line), message);
      assert.equal((await stat(join(folder, name!))).mode & 0o777, 0o600);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('goes to a mail server', async () => {
    const said: string[] = [];
    const server = createServer((socket) => speak(socket, said));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await createMailer({ url: `smtp://127.0.0.1:${port}`, from: FROM }, log).send(MAIL);
    assert.ok(said.includes('MAIL FROM:<mail@perigee.example>') && said.includes('RCPT TO:<ada@example.org>'));
    assert.ok(said.includes('Subject: 123456 is your code'));
    server.close();
  });

  it('is refused aloud where nobody takes it', async () => {
    const server = createServer((socket) => socket.end('554 not here\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await assert.rejects(createMailer({ url: `smtp://127.0.0.1:${port}`, from: FROM }, log).send(MAIL), /554/);
    server.close();
  });
});

describe('what a failure to send a mail says', () => {
  const FAILURES: [what: string, error: { code?: string; responseCode?: number; command?: string }, said: string][] = [
    ['an address that there is not', { code: 'EENVELOPE', responseCode: 550, command: 'RCPT TO' }, 'refused'],
    ['a mailbox that is full', { code: 'EENVELOPE', responseCode: 552, command: 'RCPT TO' }, 'refused'],
    ['an address that no mail server could take', { code: 'EENVELOPE', command: 'API' }, 'refused'],
    ['a message that is taken for spam', { code: 'EMESSAGE', responseCode: 554, command: 'DATA' }, 'refused'],
    ['an address that is put off', { code: 'EENVELOPE', responseCode: 450, command: 'RCPT TO' }, 'put off'],
    ['a message that is put off', { code: 'EMESSAGE', responseCode: 451, command: 'DATA' }, 'put off'],
    ['a server that is closing', { code: 'EENVELOPE', responseCode: 421, command: 'RCPT TO' }, 'unavailable'],
    ['a server that wants another password', { code: 'EAUTH', responseCode: 535 }, 'unavailable'],
    ['a server that greets with a refusal', { code: 'EPROTOCOL', responseCode: 554 }, 'unavailable'],
    ['a server that can not be reached', { code: 'ECONNECTION' }, 'unavailable'],
    ['a server that answers nothing', { code: 'ETIMEDOUT' }, 'unavailable'],
    ['a folder that is full', { code: 'ENOSPC' }, 'unavailable'],
    ['anything else', {}, 'unavailable'],
  ];
  for (const [what, error, said] of FAILURES)
    it(`of ${what} is "${said}"`, () => assert.equal(failureOf(Object.assign(new Error('no'), error)), said));

  // As nodemailer itself makes them.
  for (const [reply, said] of [
    ['550 no such user', 'refused'],
    ['450 later', 'put off'],
    ['421 closing', 'unavailable'],
  ] as const)
    it(`of an address that a mail server answers by "${reply}" is "${said}"`, async () => {
      const server = createServer((socket) => speak(socket, [], reply));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const failed = await createMailer({ url: `smtp://127.0.0.1:${port}`, from: FROM }, log)
        .send(MAIL)
        .then(
          () => assert.fail('it was sent'),
          (error: unknown) => error,
        );
      assert.equal(failureOf(failed), said);
      server.close();
    });
});

/** As much of a mail server as takes one message; `toRecipient` is what it says of each address. */
function speak(socket: Socket, said: string[], toRecipient = '250 fine'): void {
  let inMessage = false;
  socket.write('220 double\r\n');
  socket.on('data', (bytes) => {
    for (const line of bytes.toString().split('\r\n')) {
      said.push(line);
      if (inMessage) {
        if (line === '.') {
          inMessage = false;
          socket.write('250 taken\r\n');
        }
      } else if (line === 'DATA') {
        inMessage = true;
        socket.write('354 go on\r\n');
      } else if (line === 'QUIT') socket.end('221 bye\r\n');
      else if (line.startsWith('RCPT')) socket.write(`${toRecipient}\r\n`);
      else if (line !== '') socket.write('250 fine\r\n');
    }
  });
}
