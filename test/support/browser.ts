/** A page as its user sees it. */
export interface Page {
  url: URL;
  status: number;
  html: string;
  headers: Headers;
}

interface Cookie {
  value: string;
  attributes: string;
}

/** The parts of a browser that sign-in needs: cookies by host, redirects, links and forms, and no scripts. */
export class Browser {
  readonly #jars = new Map<string, Map<string, Cookie>>();
  /** All `set-cookie` headers, for checks of their attributes. */
  readonly cookiesSet: string[] = [];

  /** Opens an address and follows redirects, also from one server to another. */
  async open(address: string | URL, init: RequestInit = {}): Promise<Page> {
    let url = new URL(address);
    let request: RequestInit = init;
    for (let hop = 0; hop < 20; hop++) {
      const page = await this.request(url, request);
      const location = page.headers.get('location');
      if (page.status < 300 || page.status >= 400 || !location) return page;
      const next = new URL(location, url);
      if (next.protocol !== 'http:') return { ...page, url: next };
      url = next;
      request = {};
    }
    throw new Error('it redirects for ever');
  }

  /** Sends one request without following its redirect. */
  async request(url: URL, init: RequestInit = {}): Promise<Page> {
    const jar = this.#jars.get(url.host) ?? new Map<string, Cookie>();
    this.#jars.set(url.host, jar);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, { value }]) => `${name}=${value}`).join('; '));
    headers.set('user-agent', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36');
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      this.cookiesSet.push(line);
      const [, name = '', value = '', attributes = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(line) ?? [];
      if (/max-age=0\b/i.test(attributes)) jar.delete(name);
      else jar.set(name, { value, attributes });
    }
    return { url, status: response.status, html: await response.text(), headers: response.headers };
  }

  cookie(host: string, name: RegExp): [name: string, value: string] | undefined {
    const found = [...(this.#jars.get(host) ?? [])].find(([cookie]) => name.test(cookie));
    return found && [found[0], found[1].value];
  }

  /** The cookie header that it would send to this host. */
  cookieHeader(host: string): string {
    return [...(this.#jars.get(host) ?? [])].map(([name, { value }]) => `${name}=${value}`).join('; ');
  }

  /** Follows the link with this label. */
  click(page: Page, label: string): Promise<Page> {
    const links = [...page.html.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)];
    const link = links.find(([, , text]) => text === label);
    if (!link) throw new Error(`no link "${label}" on: ${page.html}`);
    return this.open(new URL(unescapeHtml(link[1]!), page.url));
  }

  /** Fills in the page's form and sends it, as a browser does from this page. */
  submit(page: Page, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    const action = /<form method="post" action="([^"]*)"/.exec(page.html)?.[1];
    if (!action) throw new Error(`no form on: ${page.html}`);
    const hidden = [...page.html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    const body = new URLSearchParams({
      ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])),
      ...fields,
    });
    const target = new URL(action, page.url);
    return this.open(target, { method: 'POST', body, headers: { origin: target.origin, ...headers } });
  }
}

/** The editor's address on a page that hands over to an editor. */
export function editorAddress(page: Page): URL {
  const address = /http-equiv="refresh" content="0; url=([^"]*)"/.exec(page.html)?.[1];
  if (!address) throw new Error(`it opens no editor: ${page.status} ${page.url} ${page.html}`);
  return new URL(unescapeHtml(address));
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
