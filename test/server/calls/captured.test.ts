import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { startServer, type TestServer } from '../../support/server.ts';
import { openTool } from '../../support/tools.ts';

/** Exchanges of real clients with a model service. They lie beside the repository, where there are any. */
const FOLDER = new URL('../../../../shared/captures/', import.meta.url);
const CLIENTS = ['opencode', 'kimi', 'cline', 'continue', 'sdk-ai', 'sdk-openai-chat'];

interface Exchange {
  url?: string;
  headers?: Record<string, string>;
  body?: { messages: unknown[]; tools?: unknown[]; [more: string]: unknown };
}

/** Each different request of a client once, in all of its recorded tasks. */
function requestsOf(client: string): Required<Pick<Exchange, 'headers' | 'body'>>[] {
  const files = readdirSync(FOLDER).filter((name) => new RegExp(`^${client}-(none|\\d|cut|eof|errmid)`).test(name));
  const seen = new Map<string, Required<Pick<Exchange, 'headers' | 'body'>>>();
  for (const file of files) {
    const { exchanges } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { exchanges: Exchange[] };
    for (const { url, headers = {}, body } of exchanges)
      if (url === '/v1/chat/completions' && body) seen.set(JSON.stringify(body), { headers, body });
  }
  return [...seen.values()];
}

describe('the requests that were recorded of', () => {
  let server: TestServer;
  before(async function () {
    if (!existsSync(FOLDER)) this.skip();
    const tier = { requestsPerMinute: 100_000, modelRequestsPerMinute: 100_000, tokensPerMinute: 1e9 };
    server = await startServer('sqlite', { policy: (policy) => policy.limits.tiers.splice(0, 9, tier) });
  });
  after(() => server?.stop());

  for (const client of CLIENTS)
    it(`${client} are answered, and the model gets every message, tool and picture`, async () => {
      const requests = requestsOf(client);
      assert.ok(requests.length >= 3, `${requests.length} requests`);
      const tool = await openTool(server);
      for (const { headers, body } of requests) {
        const kept = Object.entries(headers).filter(([name]) => /^(user-agent|x-(stainless|msh|session))/.test(name));
        const answer = await tool.send({ ...body, model: 'double' }, Object.fromEntries(kept));
        assert.equal(answer.status, 200, answer.text);
        assert.match(answer.text, body.stream ? /data: \[DONE\]\n\n$/ : /"finish_reason":"stop"/);
        const { messages, tools, tool_choice } = server.double.bill.at(-1)!.body as NonNullable<Exchange['body']>;
        assert.deepEqual(messages, body.messages);
        assert.deepEqual([tools, tool_choice], [body.tools, body.tool_choice]);
      }
      const lines = await tool.log();
      assert.equal(lines.filter(({ kind }) => kind === 'charge').length, requests.length);
      await server.audit();
    });
});
