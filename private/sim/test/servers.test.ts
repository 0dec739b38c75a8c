/** The first half of the seeds; the other runs beside it, in servers-other-half.test.ts. */

import { describeServers } from '../src/server/server-suite.ts';

describeServers(0);
