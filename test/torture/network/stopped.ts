import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process that passes bytes on, and can be stopped as if its machine had vanished. */
export interface Peer {
  readonly port: number;
  stop(): void;
  /** Stops it and fills its queue: the kernel answers no further connection. */
  stopAndFill(): Promise<void>;
  goOn(): void;
  end(): Promise<void>;
}

export async function startPeer(to: number, host = '127.0.0.1', port = 0): Promise<Peer> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./peer.ts', import.meta.url)), `${to}`, host, `${port}`],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const listening = (JSON.parse(line) as { port: number }).port;
  const fillers: Socket[] = [];
  return {
    port: listening,
    stop: () => void child.kill('SIGSTOP'),
    async stopAndFill() {
      child.kill('SIGSTOP');
      // A queue for one holds two, and none of them is accepted; whoever comes after these meets silence.
      await new Promise<void>((resolve) => {
        let waiting = 0;
        for (let i = 0; i < 8; i++) {
          const filler = connect(listening, host, () => ++waiting === 2 && resolve());
          fillers.push(filler.on('error', () => {}));
        }
      });
    },
    goOn() {
      for (const filler of fillers.splice(0)) filler.destroy();
      child.kill('SIGCONT');
    },
    async end() {
      const ended = once(child, 'exit');
      for (const filler of fillers.splice(0)) filler.destroy();
      child.kill('SIGKILL');
      await ended;
    },
  };
}
