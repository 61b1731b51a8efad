import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What the peer does with a connection while a fault lasts. */
export type Act = (socket: Socket) => void;

/**
 * A door in front of a stand-in: honest, it passes bytes on; hostile, an `Act` has the connection. Changing sides ends
 * what is open, so that no connection outlives the fault it met.
 */
export interface Front {
  readonly port: number;
  /** Connections that are open now. */
  open(): number;
  /** Connections that met the fault. */
  struck(): number;
  /** Bytes sent on connections that met a fault. */
  sent(): number;
  /** Lets acts that do not read see that the other side has gone. */
  readOn(): void;
  hostile(act: Act): Promise<void>;
  honest(): Promise<void>;
  /** Nobody listens on the port until `honest`. */
  refuse(): Promise<void>;
  close(): Promise<void>;
}

export async function openFront(passOn: Act, port = 0, host = '127.0.0.1'): Promise<Front> {
  const sockets = new Set<Socket>();
  let act = passOn;
  let struck = 0;
  let sent = 0;
  const accept = (socket: Socket): void => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    socket.setNoDelay(true);
    if (act !== passOn) {
      struck += 1;
      socket.on('close', () => {
        sent += socket.bytesWritten;
      });
    }
    act(socket);
  };
  let server = await listen(accept, port, host);
  const address = server.address() as AddressInfo;
  const change = async (next: Act): Promise<void> => {
    act = next;
    await endAll(sockets);
    if (!server.listening) server = await listen(accept, address.port, host);
  };
  const refuse = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : null;
    server.close();
    await endAll(sockets);
    await closed;
  };
  return {
    port: address.port,
    open: () => sockets.size,
    struck: () => struck,
    sent: () => sent,
    readOn() {
      for (const socket of sockets) socket.resume();
    },
    hostile: change,
    honest: () => change(passOn),
    refuse,
    close: refuse,
  };
}

/** Passes bytes on to whoever listens on this port. */
export function relayTo(port: number): Act {
  return (socket) => {
    const inside = connect(port, '127.0.0.1');
    inside.on('error', () => socket.destroy()).on('close', () => socket.resume().end());
    socket.on('error', () => {}).on('close', () => inside.destroy());
    socket.pipe(inside).pipe(socket);
  };
}

/** Calls `act` each time a whole request has been read, with its bytes; `nth` counts them on this connection. */
export function onRequest(act: (socket: Socket, request: Buffer, nth: number) => void): Act {
  return (socket) => {
    let got = Buffer.alloc(0);
    let nth = 0;
    socket.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      const end = got.indexOf('\r\n\r\n') + 4;
      if (end < 4) return;
      const length = Number(/\ncontent-length: *(\d+)/i.exec(got.toString('latin1', 0, end))?.[1] ?? 0);
      if (got.length < end + length) return;
      const request = got.subarray(0, end + length);
      got = got.subarray(end + length);
      nth += 1;
      act(socket, request, nth);
    });
  };
}

/** Answers every request with these bytes. */
export const answer = (bytes: string | Buffer): Act => onRequest((socket) => void socket.write(bytes));

/** Writes the same piece for as long as the other side takes it; its memory is ours, not the pieces'. */
export function pour(socket: Socket, piece: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

/** Ends each connection, and resolves when none is left: the other side has seen it too. */
async function endAll(sockets: ReadonlySet<Socket>): Promise<void> {
  const gone = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const socket of sockets) {
    // An act may have stopped reading: then the other side's end would never be seen.
    socket.resume().end();
    if (socket.writableLength > 0) socket.destroy();
  }
  await Promise.all(gone);
}

async function listen(accept: Act, port: number, host: string): Promise<Server> {
  const server = createServer(accept);
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}
