/**
 * Abort signals that many calls share: each is listened to once, since a program that gives one signal to all that it does for a request would be warned of a
 * leak of listeners.
 */

interface Listeners {
  readonly all: Set<() => void>;
  readonly handleAbort: () => void;
}

export class SharedSignals {
  readonly #bySignal = new Map<AbortSignal, Listeners>();

  /** Requires: the signal is not aborted. @returns What takes the listener off again; idempotent. */
  listen(signal: AbortSignal, listener: () => void): () => void {
    const { all } = this.#listenersOf(signal);
    all.add(listener);
    return () => {
      all.delete(listener);
      if (all.size === 0) this.#forget(signal, all);
    };
  }

  #listenersOf(signal: AbortSignal): Listeners {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) return known;
    const all = new Set<() => void>();
    const handleAbort = (): void => {
      for (const listener of all) listener();
    };
    const listeners = { all, handleAbort };
    this.#bySignal.set(signal, listeners);
    signal.addEventListener('abort', handleAbort);
    return listeners;
  }

  #forget(signal: AbortSignal, all: Set<() => void>): void {
    const listeners = this.#bySignal.get(signal);
    if (listeners?.all !== all) return;
    this.#bySignal.delete(signal);
    signal.removeEventListener('abort', listeners.handleAbort);
  }
}
