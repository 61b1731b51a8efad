/** Above every page while forwarding is not healthy: what happened, what waits, and the way to the fix. */
export function ForwardingBanner() {
  return null;
}
