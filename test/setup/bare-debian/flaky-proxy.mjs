/**
 * A proxy for HTTPS (CONNECT) that goes and comes: `node flaky-proxy.mjs PORT`. Three times it is there for 20 seconds and then gone
 * for 25, with every connection cut; after that it stays.
 */
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [UP_MS, DOWN_MS, TIMES] = [20_000, 25_000, 3];
const open = new Set();

const server = createServer((_, response) => response.writeHead(405).end());
server.on('connect', ({ url }, client, head) => {
  const [host, port] = url.split(':');
  const upstream = connect(Number(port), host, () => {
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    upstream.write(head);
    upstream.pipe(client);
    client.pipe(upstream);
  });
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ]) {
    open.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => open.delete(socket) && other.destroy());
  }
});

const listen = () => new Promise((done) => server.listen(Number(process.argv[2]), '127.0.0.1', done));
for (let time = 0; time < TIMES; time++) {
  await listen();
  await sleep(UP_MS);
  console.log('the network is gone');
  server.close();
  for (const socket of open) socket.destroy();
  await sleep(DOWN_MS);
}
await listen();
console.log('the network is back');
