import { useLocation } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

/**
 * The token of a one-time link, from the address's fragment, which no server sees. It leaves the address at once, so
 * that neither history nor a shared screen keeps it; a reload needs the link again.
 */
export function useLinkToken(): string | undefined {
  const fragment = useLocation({ select: ({ hash }) => hash });
  const [token, setToken] = useState(fragment);
  useEffect(() => {
    if (!fragment) return;
    setToken(fragment);
    history.replaceState(history.state, '', `${location.pathname}${location.search}`);
  }, [fragment]);
  return token || undefined;
}
