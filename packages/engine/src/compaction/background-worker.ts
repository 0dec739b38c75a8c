/** Entry of a background worker's thread: see worker-thread.ts for the other side. */

import { parentPort } from 'node:worker_threads';

import { resolveResources } from '../resources.ts';
import type { WorkerRequest } from './worker-messages.ts';
import { WorkerSession } from './worker-session.ts';

const port = parentPort!;
const session = new WorkerSession((reply) => port.postMessage(reply), resolveResources({}));
port.on('message', (request: WorkerRequest) => session.handle(request));
