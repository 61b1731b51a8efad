import type { Failure } from './outbound.ts';
import { type ForwardProxy, nameOf, ProxyRefusal } from './proxy.ts';
import { reasonOf } from './reason.ts';

/** What went wrong at the proxy, and what its operator does about it: the destination has seen nothing. */
export function proxyFailure(
  error: unknown,
  code: string,
  {
    proxy,
    url,
    port,
    timeoutMs,
  }: { readonly proxy: ForwardProxy; readonly url: URL; readonly port: number; readonly timeoutMs: number },
): Omit<Failure, 'kind' | 'uncertain'> {
  const { variable } = proxy;
  const name = `the proxy ${nameOf(proxy)}`;
  const target = `${url.hostname}:${port}`;
  const failure = (failed: string, reason: string, fix: string) =>
    ({ stage: 'proxy', blocked: false, code: failed, reason, fix }) as const;
  const reach = `Check that ${name} can reach ${target} and that ${variable} names the right proxy.`;

  if (error instanceof ProxyRefusal) {
    const { status } = error;
    const failed = `PROXY_${status}`;
    if (status === 407)
      return failure(
        failed,
        proxy.authorization
          ? `${name} did not accept the user and password of ${variable} (407)`
          : `${name} asks for a user and password (407)`,
        `Ask the operator to write the proxy's user and password into ${variable} (http://user:password@host:port).`,
      );
    if (status >= 500) return failure(failed, `${name} could not reach ${target} (${status})`, reach);
    return failure(
      failed,
      `${name} does not allow connections to ${target} (${status})`,
      `Let ${name} pass CONNECT to port ${port} of the address of ${url.hostname}, or write ${url.hostname} into NO_PROXY.`,
    );
  }
  if (code === 'TIMEOUT') return failure(code, reasonOf(code, { target: name, stage: 'proxy', timeoutMs }), reach);
  return failure(
    code,
    // Whatever is wrong before the tunnel stands is said of the proxy itself.
    reasonOf(code, { target: name, stage: /CERT|SSL|TLS/.test(code) ? 'tls' : 'proxy', timeoutMs }),
    `Check that the proxy is running and that ${variable} names it.`,
  );
}
