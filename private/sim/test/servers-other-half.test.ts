/** The other half of the seeds of servers.test.ts. */

import { describeServers } from '../src/server/server-suite.ts';

describeServers(1);
