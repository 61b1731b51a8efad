import type { PlantedDefect, Scenario } from '../scenario.ts';
import { backup } from './backup.ts';
import { copiedFolder } from './copied-folder.ts';
import { damagedPage } from './damaged-page.ts';
import { damagedService } from './damaged-service.ts';
import { downgrade } from './downgrade.ts';
import { readOnly } from './read-only.ts';
import { twoProcesses } from './two-processes.ts';
import { walCut } from './wal-cut.ts';

export const scenarios: readonly Scenario[] = [
  walCut,
  backup,
  copiedFolder,
  damagedPage,
  damagedService,
  readOnly,
  twoProcesses,
  downgrade,
];

export const planted: readonly PlantedDefect[] = [
  {
    name: 'what the journal must have is committed behind it',
    file: 'src/store/sqlite/log-writer.ts',
    find: '    this.#journal.flush();',
    replace: "    this.#connection.exec('COMMIT; BEGIN IMMEDIATE');\n    this.#journal.flush();",
    caughtBy: 'store/wal-cut',
  },
  {
    name: 'a row is trusted without its checksum',
    file: 'src/store/sqlite/chunk.ts',
    find: 'row.checksum !== null && row.checksum !== checksumOf(teamNo, row)',
    replace: 'false',
    caughtBy: 'store/damaged-page',
  },
  {
    name: 'what may only be read is locked',
    file: 'src/store/sqlite/connection.ts',
    find: 'if (database.location() !== null) accessSync(path, constants.W_OK);',
    replace: '',
    caughtBy: 'store/read-only',
  },
  {
    name: 'the lock of the folder is shared',
    file: 'src/store/sqlite/folder-lock.ts',
    find: 'BEGIN EXCLUSIVE',
    replace: 'BEGIN',
    caughtBy: 'store/two-processes',
  },
  {
    name: 'a backup lacks what opens second factors',
    file: 'src/cli/backup.ts',
    find: "const FILES = ['accounts.key'];",
    replace: 'const FILES: string[] = [];',
    caughtBy: 'store/backup',
  },
  {
    name: 'a newer database is opened',
    file: 'src/store/sqlite/migrations.ts',
    find: 'if (version > MIGRATIONS.length)',
    replace: 'if (version > 1_000)',
    caughtBy: 'store/downgrade',
  },
  {
    name: 'pages that contradict each other are an unknown error',
    file: 'src/store/sqlite/connection.ts',
    find: 'if (code === CORRUPT || code === NOT_A_DATABASE) return true;',
    replace: 'if (code === NOT_A_DATABASE) return true;',
    caughtBy: 'store/copied-folder',
  },
  {
    name: 'damage in the log is told as an error of the service',
    file: 'src/delivery/lane-loop.ts',
    find: 'isDamaged ? logDamaged() : internalError();',
    replace: 'internalError();',
    caughtBy: 'store/damaged-service',
  },
];
