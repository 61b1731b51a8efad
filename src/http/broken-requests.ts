import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { rawProblem } from './problem.ts';

/** What Node's parser gives up on is answered too, in its turn: behind the requests that came before on the connection. */
export interface BrokenRequests {
  /** To be told of every request. */
  note(request: IncomingMessage, response: ServerResponse): void;
  answer(error: { readonly code?: string }, socket: Socket): void;
}

export function createBrokenRequests(): BrokenRequests {
  const unanswered = new WeakMap<Socket, Set<ServerResponse>>();
  return {
    note: ({ socket }, response) => {
      const responses = unanswered.get(socket) ?? new Set();
      unanswered.set(socket, responses.add(response));
      response.once('close', () => responses.delete(response));
    },
    answer: (error, socket) => {
      const end = (): void => void (socket.writable ? socket.end(rawProblem(error.code ?? '')) : socket.destroy());
      // One of which the body is still coming is the broken one.
      const last = [...(unanswered.get(socket) ?? [])].findLast(({ req }) => req.complete);
      if (last) last.once('close', end);
      else end();
    },
  };
}
