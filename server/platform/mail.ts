import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { createTransport, type SMTPTransportOptions } from 'nodemailer';
import { type ProxyConfig, proxyFor } from './config/proxyConfig.ts';
import type { Log } from './log.ts';
import { tunnel } from './outbound.ts';
import { closeFolderToOthers, makePrivateFolder } from './private.ts';

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** Sends mail; rejects if the mail server does not accept it. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}

/**
 * Why a mail was not sent. `refused`: the mail server takes none for this address, or not this text, as far as it knows for good;
 * `put off`: not now. `unavailable`: it takes no mail at all now, such as one that can't be reached.
 */
export function failureOf(error: unknown): 'refused' | 'put off' | 'unavailable' {
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  // nodemailer's names for what is about one message: its addresses, its text. The 421 closes the connection (RFC 5321, 3.8).
  if ((code !== 'EENVELOPE' && code !== 'EMESSAGE') || responseCode === 421) return 'unavailable';
  return responseCode !== undefined && responseCode < 500 ? 'put off' : 'refused';
}

const TIMEOUT_MS = 20_000;

/**
 * Sends by SMTP, through the mail proxy if one is set. To try things without a mail server, writes to a folder
 * (`file:folder`, one .eml each) or to the console (`console:`).
 */
export function createMailer(
  { url, from }: { url: string; from: string },
  log: Log,
  proxies: ProxyConfig | null = null,
): Mailer {
  if (!url.startsWith('smtp')) return { send: async (mail) => keep(url, await compose(from, mail), mail, log) };
  const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
  const socket = proxies?.mail ? { getSocket: socketsBy(proxies) } : {};
  // A message never makes the mailer read files or fetch URLs.
  const access = { disableFileAccess: true, disableUrlAccess: true };
  const transport = createTransport({ url, ...timeouts, ...access, ...socket }, { from });
  return { send: async (mail) => void (await transport.sendMail(mail)) };
}

function socketsBy(proxies: ProxyConfig): NonNullable<SMTPTransportOptions['getSocket']> {
  return (options, made) => {
    const { host = 'localhost', secure } = options;
    const port = Number(options.port || (secure ? 465 : 587));
    const proxy = proxyFor(proxies, new URL(`smtp://${isIPv6(host) ? `[${host}]` : host}:${port}`));
    if (!proxy) return made(null, false);
    tunnel(proxy, host, port).then(
      (connection) => made(null, { connection }),
      (error) => made(error, false),
    );
  };
}

async function compose(from: string, mail: Mail): Promise<Buffer> {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'unix' }, { from });
  return (await transport.sendMail(mail)).message as Buffer;
}

async function keep(url: string, message: Buffer, mail: Mail, log: Log): Promise<void> {
  if (url === 'console:') return log.warn({ to: mail.to, subject: mail.subject, text: mail.text }, 'mail, not sent');
  const folder = url.slice('file:'.length);
  makePrivateFolder(folder);
  closeFolderToOthers(folder, (name) => name.endsWith('.eml'));
  await writeFile(join(folder, `${Date.now()}-${randomUUID()}.eml`), message, { mode: 0o600 });
}
