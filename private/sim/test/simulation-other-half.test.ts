/** The other half of the seeds of simulation.test.ts. */

import { describeClusters } from '../src/suite.ts';

describeClusters(1);
