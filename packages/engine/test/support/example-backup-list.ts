/** The list that docs/format/backup.md prints. */

import type { BackupList } from '../../src/backup/backup-format.ts';

export const exampleBackupList: BackupList = {
  storeId: Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i),
  info: { sequence: 81, durableIndex: undefined, tableCount: 2, bytes: 822 },
  files: [
    { name: '000004.sst', bytes: 411, crc: 0x5a0f3c11 },
    { name: '000006.sst', bytes: 411, crc: 0x1be2a0d7 },
    { name: '000009.wal', bytes: 64, crc: 0x0ff2c7aa },
    { name: 'CURRENT', bytes: 67, crc: 0x03b1d7e4 },
    { name: 'MANIFEST-000008', bytes: 232, crc: 0xf7c4d0f2 },
  ],
};
