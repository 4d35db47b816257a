import { AppError } from '../platform/errors.ts';
import type { Api, AppContext } from '../platform/http/env.ts';
import type { PageFiles, WebFiles } from './files.ts';

/** A page may run its own script and call its own server, and nothing else. */
const POLICY = [
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:",
  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
].join('; ');

/**
 * The member's page, the reviewers' desk, and the public numbers if the operator shows them. Each is the same for
 * everybody; what is whose comes from the API.
 */
export function webRoutes(api: Api, files: WebFiles | null, { hasNumbers = false } = {}): void {
  // The address that the server prints on its first line.
  api.get('/', (c) => c.redirect('/account', 302));
  api.get('/account', (c) => show(c, files?.account));
  api.get('/desk', (c) => show(c, files?.desk));
  api.get('/fair-use', (c) => {
    if (!hasNumbers) throw new AppError('not_offered', 'The operator of this server does not publish these numbers.');
    return show(c, files?.fairUse);
  });
  for (const { script, style, math } of files ? Object.values<PageFiles>({ ...files }) : [])
    for (const file of math ? [script, style, math] : [script, style])
      api.get(file.path, (c) => {
        headersOf(c);
        const isSmall = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '');
        if (isSmall) c.header('content-encoding', 'gzip');
        c.header('vary', 'accept-encoding');
        c.header('cache-control', 'public, max-age=31536000, immutable');
        const bytes = isSmall ? file.gzip : file.body;
        return c.body(new Uint8Array(bytes), 200, { 'content-type': file.type });
      });
}

function show(c: AppContext, files: PageFiles | undefined) {
  if (!files) throw new AppError('not_found', 'The page was not built: run "npm run build:server".');
  headersOf(c);
  c.header('content-security-policy', POLICY);
  c.header('cross-origin-opener-policy', 'same-origin');
  c.header('cache-control', 'no-cache');
  return c.html(shell(files));
}

function headersOf(c: AppContext): void {
  // With no-referrer, browsers would not send the origin either.
  c.header('referrer-policy', 'same-origin');
  c.header('cross-origin-resource-policy', 'same-origin');
}

function shell({ script, style, math }: PageFiles): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Perigee</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${style.path}">
<script src="${script.path}"${math ? ` data-math="${math.path}"` : ''} defer></script>
</head>
<body>
<div id="root"></div>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`;
}
