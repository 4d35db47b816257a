import type { ClientSeen, Mark, Observation } from '../../../server/risk/signals/observation.ts';

const SYSTEMS = { windows: 'Windows', mac: 'MacOS', linux: 'Linux', other: 'FreeBSD', unknown: '' };
const CODEX = { windows: 'Windows 11', mac: 'Mac OS 15.1.0', linux: 'Linux 6.8.0', other: 'FreeBSD 14', unknown: '' };
const ARCHITECTURES = { x64: 'x64', arm64: 'arm64', other: 'other:riscv', unknown: '' };

/** What the client says of itself. */
function claims({ family, system, architecture }: ClientSeen): [string, string][] {
  if (family === 'codex')
    return [
      ['user-agent', `codex_cli_rs/0.171.0 (${CODEX[system]}; ${architecture === 'x64' ? 'x86_64' : 'arm64'}) xterm`],
    ];
  if (family === 'claude-code')
    return [
      ...([
        ['user-agent', 'claude-cli/2.1.300 (external, cli)'],
        ['x-app', 'cli'],
        ['x-stainless-lang', 'js'],
      ] as [string, string][]),
      ['x-stainless-os', SYSTEMS[system]],
      ['x-stainless-arch', ARCHITECTURES[architecture]],
      ...([
        ['x-stainless-runtime', 'node'],
        ['x-stainless-runtime-version', 'v22.11.0'],
      ] as [string, string][]),
    ];
  throw new Error(`The replay writes no ${family}`);
}

const canonical = (name: string) => name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

/** How each library orders and spells a head, as recorded (test/risk/observe/heads.json). */
const ORDERS: Partial<Record<Mark, (own: [string, string][], length: number) => [string, string][]>> = {
  fetch: (own, length) => [['host', 'x'], ['connection', 'keep-alive'], ...own, ['content-length', `${length}`]],
  rust: (own, length) => [...own, ['host', 'x'], ['content-length', `${length}`]],
  axios: (own, length) => [
    ...own.map(([name, value]): [string, string] => [canonical(name), value]),
    ...([
      ['Content-Length', `${length}`],
      ['Accept-Encoding', 'gzip, compress, deflate, br'],
      ['Host', 'x'],
      ['Connection', 'keep-alive'],
    ] as [string, string][]),
  ],
  nginx: (own, length) => [
    ...([
      ['Host', 'x'],
      ['Connection', 'close'],
      ['Content-Length', `${length}`],
    ] as [string, string][]),
    ...own,
  ],
  haproxy: (own, length) => [['host', 'x'], ...own, ['content-length', `${length}`]],
  go: (own, length) => {
    const agent = own.find(([name]) => name === 'user-agent')!;
    const rest = own.filter((one) => one !== agent).map(([name, value]): [string, string] => [canonical(name), value]);
    return [
      ...([
        ['Host', 'x'],
        ['User-Agent', agent[1]],
        ['Content-Length', `${length}`],
      ] as [string, string][]),
      ...rest.sort(([a], [b]) => (a < b ? -1 : 1)),
    ];
  },
};

export const canWrite = ({ family, runtime, isImpossible }: ClientSeen, mark: Mark): boolean =>
  (family === 'codex' || (family === 'claude-code' && runtime === 'node')) && !isImpossible && mark in ORDERS;

/** The head of a request that shows this client and this way. */
export function headOf(
  { client, transport: { isForwarded } }: Pick<Observation, 'client' | 'transport'>,
  mark: Mark,
  { host, secret, length }: { host: string; secret: string; length: number },
): string {
  const own: [string, string][] = [
    ['accept', 'application/json'],
    ['authorization', `Bearer ${secret}`],
    ['content-type', 'application/json'],
    ...claims(client),
    ...(isForwarded ? ([['x-forwarded-for', '192.0.2.7']] as [string, string][]) : []),
  ];
  const lines = ORDERS[mark]!(own, length).map(([name, value]) => `${name}: ${value === 'x' ? host : value}`);
  return `POST /v1/chat/completions HTTP/${mark === 'nginx' ? '1.0' : '1.1'}\r\n${lines.join('\r\n')}\r\n\r\n`;
}
