/**
 * The HTML page of the chat's web view. It may run scripts with the nonce, load styles from the extension's folder and
 * draw the pictures that the host sends, and nothing else: no network, fonts, frames, forms or eval. A pure function, so
 * that the web view's tests serve the same page.
 */
export function chatPage(parts: {
  scriptUri: string;
  /** The URI of the script that the main script loads when there is math to draw. */
  mathUri: string;
  styleUri: string;
  cspSource: string;
  nonce: string;
  /** The window's scope: see `scopeOf`. The page ignores state that was stored under another one. */
  scope: string;
}): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${parts.nonce}'`,
    `style-src ${parts.cspSource}`,
    'img-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Perigee chat</title>
<link rel="stylesheet" href="${parts.styleUri}">
</head>
<body>
<div id="app"></div>
<script nonce="${parts.nonce}" src="${parts.scriptUri}" data-math="${parts.mathUri}" data-scope="${encodeURIComponent(parts.scope)}"></script>
</body>
</html>
`;
}
