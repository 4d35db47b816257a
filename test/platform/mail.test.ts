import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../server/platform/log.ts';
import { createMailer } from '../../server/platform/mail.ts';

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

/** As much of a mail server as takes one message. */
function speak(socket: Socket, said: string[]): void {
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
      else if (line !== '') socket.write('250 fine\r\n');
    }
  });
}
