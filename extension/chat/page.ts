/**
 * The page that holds the chat's web view. It may run scripts named by the nonce, take styles from the extension's own
 * folder, and nothing else: no network, no images, no fonts, no frames, no forms, no eval. Pure, so that
 * the web view's tests serve the very same page.
 */
export function chatPage(parts: {
  scriptUri: string;
  /** Of the script that the first one loads when there is math to draw. */
  mathUri: string;
  styleUri: string;
  cspSource: string;
  nonce: string;
  /** Of the window: see `scopeOf`. What the page kept under another one is not for this one. */
  scope: string;
}): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${parts.nonce}'`,
    `style-src ${parts.cspSource}`,
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
