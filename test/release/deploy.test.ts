import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type Config, parseConfig } from '../../server/platform/config/config.ts';
import { startServer, type TestServer } from '../support/server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };

interface Service {
  image: string;
  env_file?: string;
  environment: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  networks: string[] | Record<string, { ipv4_address: string }>;
}
interface Network {
  ipam?: { config: { subnet: string; ip_range?: string }[] };
}
const compose = parse(read('compose.yaml')) as {
  services: Record<string, Service>;
  networks: Record<string, Network>;
  volumes: Record<string, null>;
};

/** `env.example` with its blanks filled in, as an operator does. */
const filled: Record<string, string> = Object.fromEntries(
  [...read('docs/deploy/env.example').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [
    name,
    value || '0123456789abcdef'.repeat(4),
  ]),
);

describe('compose.yaml', () => {
  const { perigee, postgres, caddy } = compose.services as Record<'perigee' | 'postgres' | 'caddy', Service>;

  /** What Compose gives a container: the file, and over it what the service names. */
  const environmentOf = (service: Service): Record<string, string> => {
    const put = (text: string) => text.replace(/\$\{(\w+):\?[^}]*\}/g, (_, name) => filled[name] ?? assert.fail(name));
    const own = Object.entries(service.environment).map(([name, value]) => [name, put(value)]);
    return { ...(service.env_file ? filled : {}), ...Object.fromEntries(own) };
  };

  it('starts the backend with settings that it takes', () => {
    const config: Config = parseConfig(environmentOf(perigee), () => '{}');
    assert.equal(config.publicUrl, 'https://perigee.example.org');
    assert.equal(config.database.engine, 'postgres');
    assert.equal(new URL((config.database as { url: string }).url).hostname, 'postgres');
    assert.equal(config.host, '0.0.0.0');
  });

  it('has the backend believe Caddy alone', () => {
    assert.ok(!Array.isArray(caddy.networks));
    assert.equal(environmentOf(perigee).TRUSTED_PROXIES, caddy.networks.edge!.ipv4_address);
    assert.equal(environmentOf(caddy).PERIGEE_BACKENDS, `perigee:${environmentOf(perigee).PORT}`);
  });

  // Docker gives a container without a fixed address the first free one, and the backend starts before Caddy.
  it('gives no other container the fixed address of Caddy', () => {
    const fixed = Object.values(compose.services).flatMap(({ networks }) =>
      Array.isArray(networks)
        ? []
        : Object.entries(networks).map(([network, { ipv4_address }]) => [network, ipv4_address] as const),
    );
    assert.ok(fixed.length > 0);
    for (const [network, address] of fixed) {
      const [{ subnet, ip_range }] = compose.networks[network]!.ipam!.config as [{ subnet: string; ip_range?: string }];
      const inRange = (range: string, of: string) => {
        const list = new BlockList();
        const [base, bits] = range.split('/') as [string, string];
        list.addSubnet(base, Number(bits));
        return list.check(of);
      };
      assert.ok(ip_range, `the network ${network} has no ip_range`);
      assert.ok(inRange(subnet, address) && !inRange(ip_range, address), `${address} in ${ip_range}`);
      assert.ok(inRange(subnet, ip_range.split('/')[0]!), `${ip_range} is outside ${subnet}`);
    }
  });

  it('keeps the list of deletions in a volume, which the image gives to the user of the backend', () => {
    const { deletionsFile } = parseConfig(environmentOf(perigee), () => '{}').database;
    const folder = deletionsFile!.slice(0, deletionsFile!.lastIndexOf('/'));
    assert.ok(perigee.volumes!.some((volume) => volume === `deletions:${folder}`));
    assert.match(read('Dockerfile'), new RegExp(`install -d -o node -g node [^\\n]* ${folder}$`, 'm'));
  });

  it('opens Caddy to the world, and nothing else', () => {
    assert.deepEqual(caddy.ports, ['80:80', '443:443', '443:443/udp']);
    assert.deepEqual([perigee.ports, postgres.ports], [undefined, undefined]);
    assert.deepEqual(postgres.networks, ['inner']);
  });

  it('pins each image, that of the backend to this version', () => {
    assert.equal(perigee.image, `perigee-server:${version}`);
    for (const { image } of [postgres, caddy]) assert.match(image, /^\w+:\d+\.\d+/);
  });

  it('mounts files that are here, and volumes that it makes', () => {
    const sources = [perigee, postgres, caddy].flatMap(({ volumes }) =>
      volumes!.map((volume) => volume.split(':')[0]!),
    );
    for (const source of sources)
      assert.ok(source.startsWith('./') ? existsSync(join(ROOT, source)) : source in compose.volumes, source);
  });

  it('keeps no secret', () => {
    for (const name of ['POSTGRES_PASSWORD', 'SECRET', 'METRICS_TOKEN', 'UPSTREAM_KEY'])
      assert.match(read('docs/deploy/env.example'), new RegExp(`^${name}=$`, 'm'));
    assert.match(read('.gitignore'), /^\.env$/m);
  });
});

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  it('copies what its build is sent', () => {
    const sent = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    for (const line of sent) assert.ok(existsSync(join(ROOT, line.slice(1).replace(/\/\*\*$/, ''))), line);
    for (const [, files] of lines.join('\n').matchAll(/^COPY ((?!--|\. )[^\n]+) \S+$/gm))
      for (const file of files!.split(' ')) assert.ok(sent.includes(`!${file}`), file);
  });

  it('runs as a user without rights, on pinned images, and says how it is', () => {
    assert.ok(lines.includes('USER node'));
    for (const line of lines.filter((line) => line.startsWith('FROM'))) assert.match(line, /^FROM node:\d+\.\d+\.\d+-/);
    assert.ok(lines.some((line) => line.startsWith('HEALTHCHECK')));
  });
});

describe('docs/operating.md and docs/deploy/alerts.yml', () => {
  const rows = new Map(
    [...read('docs/operating.md').matchAll(/^\| `(perigee_\w+)`.*\|.*$/gm)].map(([row, metric]) => [metric!, row]),
  );
  const rules = (
    parse(read('docs/deploy/alerts.yml')) as { groups: { rules: { alert: string; expr: string }[] }[] }
  ).groups.flatMap((group) => group.rules);
  const exprOf = (metric: string) => rules.find(({ expr }) => expr.includes(metric))?.expr ?? '';

  it('set an alarm on each metric of which the page says so', () => {
    const named = [...rows].filter(([, row]) => row.includes('is an alarm')).map(([metric]) => metric);
    assert.ok(named.length >= 4);
    assert.deepEqual(
      named.filter((metric) => exprOf(metric) === ''),
      [],
    );
  });

  const LIMITS: [metric: string, says: RegExp, expr: RegExp][] = [
    ['perigee_audit_violations', /Above 0 is an alarm/, /> 0$/],
    ['perigee_audit_last_run_timestamp_seconds', /More than 3 hours ago/, /> 3 \* 3600$/],
    ['perigee_usage_corrected_total', /More than 5 in an hour/, /\[1h\]\)\) > 5$/],
    ['perigee_absorbed_micro_total', /More than 1,000 credits in a day/, /\[1d\]\)\) \/ 1e6 > 1000$/],
  ];
  for (const [metric, says, expr] of LIMITS)
    it(`agree on the limit of ${metric}`, () => {
      assert.match(rows.get(metric)!, says);
      assert.match(exprOf(metric).trim(), expr);
    });
});

describe('what watches the server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer('sqlite');
  });
  after(() => server?.stop());

  for (const file of ['alerts.yml', 'grafana-dashboard.json'])
    it(`asks in ${file} for metrics that the server exports`, async () => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      const exported = new Set<string>();
      for (const [, name, type] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm))
        for (const end of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) exported.add(name + end);
      const asked = new Set(read(`docs/deploy/${file}`).match(/\b(?:perigee|process|nodejs)_[a-z0-9_]+/g));
      assert.ok(asked.size > 8);
      // In a text a histogram goes by its own name.
      const unknown = [...asked].filter((name) => !exported.has(name) && !exported.has(`${name}_count`));
      assert.deepEqual(unknown, []);
    });

  it('draws each metric of ours that an alert is made of', () => {
    const dashboard = read('docs/deploy/grafana-dashboard.json');
    for (const name of read('docs/deploy/alerts.yml').match(/\bperigee_[a-z0-9_]+/g)!)
      assert.ok(dashboard.includes(name.replace(/_(bucket|count)$/, '')), name);
  });
});
