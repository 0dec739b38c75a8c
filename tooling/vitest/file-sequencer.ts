/** Hands the order of order-files.ts to vitest, whose own is by the names of the projects where nothing is known of an earlier run. */

import { relative } from 'node:path';

import { BaseSequencer, type TestSpecification } from 'vitest/node';

import { FILE_COSTS } from './file-costs.ts';
import { orderFiles } from './order-files.ts';

export class FileSequencer extends BaseSequencer {
  override sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const { root, maxWorkers } = this.ctx.config;
    const files = specifications.map((specification) => ({
      path: relative(root, specification.moduleId).replaceAll('\\', '/'),
      project: specification.project.name,
      specification,
    }));
    const ordered = orderFiles(files, FILE_COSTS, maxWorkers);
    return Promise.resolve(ordered.map(({ specification }) => specification));
  }
}
