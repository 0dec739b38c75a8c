import { describeFuzzing } from '../src/fuzz/fuzz-suite.ts';

describeFuzzing(1, 2);
