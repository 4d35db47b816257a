import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { inCredits } from '../../../shared/money/amounts.ts';
import type { AccountConfig, ProviderConfig } from '../../platform/config/signInConfig.ts';
import type { Purpose } from './flows.ts';

// The sign-in pages: plain forms without scripts, so that nothing runs where secrets are typed.

type Part = HtmlEscapedString | Promise<HtmlEscapedString> | string;

function page(title: string, body: Part, head: Part = ''): Part {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Perigee</title>
<link rel="stylesheet" href="/sign-in.css">
${head}
</head>
<body>
<main>
<p class="brand">Perigee</p>
<h1>${title}</h1>
${body}
</main>
</body>
</html>`;
}

/** A message, with a next step if there is one. */
export function messagePage(title: string, text: string, wayOn?: { href: string; label: string }): Part {
  return page(
    title,
    html`<p>${text}</p>${wayOn ? html`<p><a class="button" href="${wayOn.href}">${wayOn.label}</a></p>` : ''}`,
  );
}

function placeOf(purpose: Purpose): Part {
  if (purpose.kind === 'page') return 'this browser';
  return html`${purpose.tool} on <strong>${purpose.name}</strong>`;
}

/** The purpose of the sign-in, in a sentence. */
function purposeLine(purpose: Purpose): Part {
  return html`<p>For ${placeOf(purpose)}.</p>`;
}

export function choosePage(
  flow: { id: string; purpose: Purpose },
  offered: { providers: readonly ProviderConfig[]; email: boolean },
  problem?: string,
): Part {
  const { providers, email } = offered;
  return page(
    'Sign in',
    html`${purposeLine(flow.purpose)}
${problem ? html`<p class="problem" role="alert">${problem}</p>` : ''}
${
  providers.length > 0
    ? html`<ul class="ways">${providers.map(
        ({ id, name }) =>
          html`<li><a class="button quiet" href="/sign-in/with/${id}?flow=${flow.id}">Continue with ${name}</a></li>`,
      )}</ul>`
    : ''
}
${providers.length > 0 && email ? html`<p class="or">or</p>` : ''}
${
  email
    ? html`<form method="post" action="/sign-in/email">
<input type="hidden" name="flow" value="${flow.id}">
<label for="email">Email address</label>
<input id="email" name="email" type="email" autocomplete="email" maxlength="320" required${providers.length === 0 ? ' autofocus' : ''}>
<button class="quiet">Send a code</button>
</form>`
    : ''
}`,
  );
}

export function codePage(flow: { id: string }, email: string, problem?: string): Part {
  return page(
    'Type the code',
    html`<p>If mail can be delivered to <strong>${email}</strong>, a code of 6 digits is on its way. It is good for 10 minutes.</p>
${problem ? html`<p class="problem" role="alert">${problem}</p>` : ''}
<form method="post" action="/sign-in/code">
<input type="hidden" name="flow" value="${flow.id}">
<label for="code">Code</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required autofocus>
<button>Sign in</button>
</form>
<p class="aside"><a href="/sign-in/start?flow=${flow.id}">Another address, or another way</a></p>`,
  );
}

/** Names the account and the purpose: nothing happens before a click on this page. */
export function confirmPage(
  flow: { id: string; purpose: Purpose },
  who: { label: string; way: string; isNew: boolean; termsDue: 'changed' | 'first' | null; replaces: string | null },
  policy: AccountConfig,
  problem?: string,
): Part {
  const { purpose } = flow;
  const { url } = policy.terms;
  return page(
    who.isNew ? 'Make an account' : 'Is this right?',
    html`<dl>
<dt>Account</dt><dd><strong>${who.label}</strong> by ${who.way}${who.isNew ? ', new here' : ''}</dd>
<dt>For</dt><dd>${placeOf(purpose)}</dd>
${purpose.kind === 'device' ? html`<dt>Code</dt><dd><strong class="code">${purpose.userCode}</strong></dd>` : ''}
</dl>
${purpose.kind === 'device' ? html`<p>Continue only if that device is in front of you and shows this code.</p>` : ''}
${who.replaces ? html`<p>${who.replaces} is signed in in this browser now, and will be signed out here.</p>` : ''}
${who.isNew && policy.bonusMicro > 0 ? html`<p>A new account gets ${inCredits(policy.bonusMicro)}.</p>` : ''}
${problem ? html`<p class="problem" role="alert">${problem}</p>` : ''}
<form method="post" action="/sign-in/confirm">
<input type="hidden" name="flow" value="${flow.id}">
${who.termsDue ? html`<p>${who.termsDue === 'first' ? 'You have not accepted the terms yet.' : 'The terms have changed.'} You can accept them now or later; nothing is answered before.</p>` : ''}
${who.isNew && !url ? html`<p>By making the account you confirm that you are ${policy.smallestAge} or older.</p>` : ''}
${
  url && (who.isNew || who.termsDue)
    ? html`<label class="check"><input type="checkbox" name="terms" value="${policy.terms.version}"${who.isNew ? ' required' : ''}>
<span>I am ${policy.smallestAge} or older and accept the <a href="${url}" target="_blank" rel="noopener">terms of use</a>.</span></label>`
    : ''
}
<div class="row">
<button name="decision" value="continue">${who.isNew ? 'Make the account and continue' : 'Continue'}</button>
<button class="quiet" name="decision" value="cancel" formnovalidate>Cancel</button>
</div>
</form>`,
  );
}

/** Opens the editor. A link stays on the page, because the system may ask first. */
export function openEditorPage(title: string, address: string, editor: string): Part {
  return page(
    title,
    html`<p>Go on in ${editor}. If it does not open by itself:</p>
<p><a class="button" href="${address}">Open ${editor}</a></p>
<p class="aside">You can close this page then.</p>`,
    html`<meta http-equiv="refresh" content="0; url=${address}">`,
  );
}

export function devicePage(userCode: string, problem?: string): Part {
  return page(
    'Sign in a device',
    html`<p>Type the code that the device shows. Never type a code that somebody sent you.</p>
${problem ? html`<p class="problem" role="alert">${problem}</p>` : ''}
<form method="post" action="/device">
<label for="user_code">Code</label>
<input class="code" id="user_code" name="user_code" value="${userCode}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus>
<button>Go on</button>
</form>`,
  );
}

export const signInStyles = `:root {
  color-scheme: light dark;
  --text: light-dark(#1f1f1f, #d6d6d6); --soft: light-dark(#5c5c5c, #a0a0a0); --page: light-dark(#f5f5f5, #181818);
  --card: light-dark(#ffffff, #202020); --line: light-dark(#d0d0d0, #3c3c3c); --accent: light-dark(#005fb8, #0078d4);
  --problem: light-dark(#b3261e, #f48771);
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 400px; padding: 32px; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; overflow-wrap: anywhere; }
.brand { margin: 0; color: var(--soft); }
h1 { margin: 4px 0 16px; font-size: 22px; line-height: 1.3; font-weight: 600; }
p { margin: 0 0 12px; }
.aside, .or, dt { color: var(--soft); }
.or { text-align: center; margin: 16px 0; }
.problem { color: var(--problem); }
ul { list-style: none; margin: 0; padding: 0; }
.ways li + li { margin-top: 8px; }
form { display: grid; gap: 8px; }
form + p { margin-top: 16px; }
main > :last-child { margin-bottom: 0; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 16px; margin: 0 0 16px; }
dd { margin: 0; }
a { color: light-dark(#005fb8, #4daafc); }
input:not([type=checkbox]) { width: 100%; padding: 8px 12px; font: inherit; color: inherit; background: var(--page);
  border: 1px solid var(--soft); border-radius: 4px; }
.code { font-family: ui-monospace, monospace; letter-spacing: 0.08em; }
.check { display: flex; gap: 8px; align-items: baseline; margin-bottom: 8px; }
button, .button { display: block; width: 100%; padding: 8px 16px; text-align: center; text-decoration: none; font: inherit;
  font-weight: 500; color: #ffffff; background: var(--accent); border: 1px solid transparent; border-radius: 4px;
  cursor: pointer; }
.quiet { color: var(--text); background: transparent; border-color: var(--soft); }
.row { display: flex; gap: 8px; }
.row .quiet { width: auto; flex: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (max-width: 440px) { body { place-items: start center; padding: 0; } main { border: 0; min-height: 100vh; border-radius: 0; } }
`;
