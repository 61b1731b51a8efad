import { type ComponentType, lazy, Suspense, useEffect, useState } from 'react';

/**
 * A dialog whose code is fetched when it is first opened. It stays from then on, for its way out and for the focus it
 * gives back.
 */
export function lazyDialog<P extends { readonly opened: boolean }>(
  load: () => Promise<ComponentType<P>>,
): ComponentType<P> {
  const Dialog = lazy(async () => ({ default: await load() }));
  /** Opens a moment after it is there: a dialog that begins open does not notice where the focus was. */
  function Ready(props: P) {
    const [isReady, setReady] = useState(false);
    useEffect(() => setReady(true), []);
    return <Dialog {...props} opened={props.opened && isReady} />;
  }
  return function LazyDialog(props: P) {
    const [wasOpened, setWasOpened] = useState(false);
    if (props.opened && !wasOpened) setWasOpened(true);
    return wasOpened ? (
      <Suspense fallback={null}>
        <Ready {...props} />
      </Suspense>
    ) : null;
  };
}
