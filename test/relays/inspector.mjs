// `node inspector.mjs PORT FOLDER`: a company's gateway. It opens TLS with a certificate of its own, adds what such gateways
// add, and keeps connections to the server for all its users. FOLDER has key.pem and certificate.pem.
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import { createSecureContext, TLSSocket } from 'node:tls';

const [, , port, folder] = process.argv;
const secureContext = createSecureContext({
  key: readFileSync(`${folder}/key.pem`),
  cert: readFileSync(`${folder}/certificate.pem`),
});
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });

const inside = http.createServer((request, response) => {
  const { host, port: asked } = request.socket.target;
  const headers = [...request.rawHeaders, 'Via', '1.1 gateway', 'X-Forwarded-For', '10.20.30.40'];
  const onward = http.request(
    { host, port: asked, method: request.method, path: request.url, headers, agent },
    (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    },
  );
  onward.on('error', () => response.destroy());
  request.pipe(onward);
});

http
  .createServer()
  .on('connect', (request, socket) => {
    const [host, asked] = request.url.split(':');
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    const opened = new TLSSocket(socket, { isServer: true, secureContext });
    opened.target = { host, port: Number(asked) };
    opened.on('error', () => {});
    inside.emit('connection', opened);
  })
  .listen(Number(port), '127.0.0.1');
