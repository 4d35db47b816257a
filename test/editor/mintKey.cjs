// Loaded into the VS Code server before its own program. Its page asks `POST <path>/mint-key` for one half of the key with
// which it keeps extensions' secrets in the browser; the other half never leaves the browser. code-server's outer program
// answers that, its inner one, which is what runs here, doesn't, and then every reload of the window forgets all secrets.
'use strict';
const { randomBytes } = require('node:crypto');
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const http = require('node:http');

// Programs that the server starts are started with the same arguments.
if (process.argv[1]?.endsWith('server-main.js')) {
  const emit = http.Server.prototype.emit;
  http.Server.prototype.emit = function (event, ...args) {
    const [request, response] = args;
    if (event !== 'request' || request.method !== 'POST' || !/\/mint-key$/.test(request.url.split('?')[0])) {
      return emit.call(this, event, ...args);
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
    response.end(keyHalf());
    return true;
  };
}

/** Kept in the server's data folder, its working directory: a restart must not forget what it sealed. */
function keyHalf() {
  const file = 'secret-key-half';
  if (!existsSync(file)) writeFileSync(file, randomBytes(32), { mode: 0o600 });
  return readFileSync(file);
}
