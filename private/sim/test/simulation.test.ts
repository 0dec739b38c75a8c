/** The first half of the seeds; the other runs beside it, in simulation-other-half.test.ts. */

import { describeClusters } from '../src/suite.ts';

describeClusters(0);
