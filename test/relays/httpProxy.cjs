// `node httpProxy.cjs PACKAGE PORT HOST KEY`: a relay as the README of http-proxy makes one.
const [, , path, port, host, key] = process.argv;
require(path)
  .createProxyServer({ target: `http://${host}`, changeOrigin: true, headers: { authorization: `Bearer ${key}` } })
  .listen(Number(port), '127.0.0.1');
