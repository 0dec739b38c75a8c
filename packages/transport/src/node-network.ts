/** TCP and TLS: this package's files are the one place that touches sockets. */

import type { Clock } from '@kayadb/codec';

import type { Network } from './network.ts';
import { dial } from './node-dial.ts';
import { listen } from './node-listener.ts';

/** TCP, with TLS where it is asked for. `clock` drives every time limit; `noDelay` is on, because `send` joins small writes itself. */
export function nodeNetwork(options: { readonly clock: Clock }): Network {
  return {
    listen: (listenOptions) => listen(options.clock, listenOptions),
    dial: (dialOptions) => dial(options.clock, dialOptions),
  };
}
