import type { FastifyReply } from 'fastify';
import type { App } from './server-parts.ts';

/** Signals for answers that stream: each aborts when its reader is gone or the server begins to close. */
export function liveSignals(app: App): (reply: FastifyReply) => AbortSignal {
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  return (reply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return AbortSignal.any([gone.signal, closing.signal]);
  };
}
