import { connect, createServer } from 'node:net';

/**
 * A peer in a process of its own, so that it can be stopped (SIGSTOP): it passes bytes on to the port it is given, and
 * says where it listens. Few connections may wait for it.
 */
const [, , to = '', host = '127.0.0.1', port = '0'] = process.argv;
const server = createServer((socket) => {
  const inside = connect(Number(to), '127.0.0.1');
  inside.on('error', () => socket.destroy()).on('close', () => socket.resume().end());
  socket.on('error', () => {}).on('close', () => inside.destroy());
  socket.pipe(inside).pipe(socket);
});
server.listen({ port: Number(port), host, backlog: 1 }, () =>
  process.stdout.write(`${JSON.stringify(server.address())}\n`),
);
process.stdin.on('end', () => process.exit()).resume();
