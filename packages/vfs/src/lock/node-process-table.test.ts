import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { describe, expect, onTestFinished, test } from 'vitest';

import { type Machine, MachineProcessTable, nodeProcessTable, parseProcessStat } from './node-process-table.ts';
import type { ProcessIdentity } from './process-table.ts';

/** A line of /proc/<pid>/stat. */
function stat(name: string, { state = 'S', threads = 11, startTicks = 500 }): string {
  const between = Array.from({ length: 16 }, (_, index) => index);
  return `42 (${name}) ${state} ${between.join(' ')} ${threads} 0 ${startTicks} 999 1\n`;
}

interface MachineParts {
  readonly files?: Readonly<Record<string, string>>;
  readonly probe?: string | undefined;
}

function machine({ files = {}, probe }: MachineParts = {}): Machine {
  const all: Readonly<Record<string, string>> = {
    '/proc/sys/kernel/random/boot_id': 'boot-a\n',
    '/proc/self/stat': stat('node', { startTicks: 500 }),
    '/proc/42/stat': stat('node', { startTicks: 500 }),
    ...files,
  };
  return {
    pid: 42,
    host: 'h',
    readText: (path) => all[path],
    readLink: () => 'pid:[1]',
    probe: () => probe,
  };
}

const other: ProcessIdentity = { pid: 7, host: 'h', bootId: 'boot-a', pidNamespace: 'pid:[1]', startTicks: 300 };

describe('MachineProcessTable', () => {
  test('describes its own process', () => {
    expect(new MachineProcessTable(machine()).self()).toEqual({ ...other, pid: 42, startTicks: 500 });
  });

  test('finds a process alive by its number and start time', () => {
    const files = { '/proc/7/stat': stat('node', { startTicks: 300 }) };

    expect(new MachineProcessTable(machine({ files })).isAlive(other)).toBe('alive');
  });

  test('does not take the next owner of a number for the first', () => {
    const files = { '/proc/7/stat': stat('node', { startTicks: 301 }) };

    expect(new MachineProcessTable(machine({ files })).isAlive(other)).toBe('dead');
    // A container that is restarted in place: process 1 again, in a namespace whose number was reused.
    expect(new MachineProcessTable(machine()).isAlive({ ...other, pid: 42, startTicks: 499 })).toBe('dead');
  });

  test('takes a zombie for dead, unless threads of it are left', () => {
    const ended = { '/proc/7/stat': stat('node', { state: 'Z', threads: 1, startTicks: 300 }) };
    const ending = { '/proc/7/stat': stat('node', { state: 'Z', threads: 2, startTicks: 300 }) };

    expect(new MachineProcessTable(machine({ files: ended })).isAlive(other)).toBe('dead');
    expect(new MachineProcessTable(machine({ files: ending })).isAlive(other)).toBe('alive');
  });

  test('knows that a restart of the host ended everything', () => {
    expect(new MachineProcessTable(machine()).isAlive({ ...other, bootId: 'boot-b' })).toBe('dead');
  });

  test('cannot tell about other hosts, other containers and unknown boots', () => {
    const table = new MachineProcessTable(machine());

    expect(table.isAlive({ ...other, host: 'elsewhere', bootId: 'boot-b' })).toBe('unknown');
    expect(table.isAlive({ ...other, pidNamespace: 'pid:[2]' })).toBe('unknown');
    expect(table.isAlive({ ...other, bootId: '' })).toBe('unknown');
  });

  test('asks by signal where /proc says nothing, and takes EPERM for alive', () => {
    expect(new MachineProcessTable(machine({ probe: 'ESRCH' })).isAlive(other)).toBe('dead');
    expect(new MachineProcessTable(machine({ probe: 'EPERM' })).isAlive(other)).toBe('alive');
    expect(new MachineProcessTable(machine({ probe: undefined })).isAlive(other)).toBe('alive');
  });
});

describe('MachineProcessTable with the /proc of another namespace', () => {
  test('asks by signal instead of looking up numbers that mean other processes', () => {
    const files = { '/proc/42/stat': stat('init', { startTicks: 1 }), '/proc/7/stat': stat('x', { startTicks: 9 }) };

    const table = new MachineProcessTable(machine({ files, probe: 'EPERM' }));

    expect(table.self().startTicks).toBe(500);
    expect(table.isAlive(other)).toBe('alive');
  });
});

describe('parseProcessStat', () => {
  test('counts fields from the last parenthesis of the name', () => {
    expect(parseProcessStat(stat(') R 1 (x', { startTicks: 77 }))).toEqual({ startTicks: 77, ended: false });
  });

  test('answers nothing for what it does not understand', () => {
    expect(parseProcessStat(undefined)).toBeUndefined();
    expect(parseProcessStat('')).toBeUndefined();
    expect(parseProcessStat('42 (node) S 1 2 3')).toBeUndefined();
  });
});

describe('nodeProcessTable', () => {
  test('finds itself alive', () => {
    const table = nodeProcessTable();

    expect(table.self().pid).toBe(process.pid);
    expect(table.isAlive(table.self())).toBe('alive');
    expect(table.isAlive({ ...table.self(), startTicks: table.self().startTicks + 1 })).toBe(
      table.self().startTicks === 0 ? 'alive' : 'dead',
    );
    expect(table.newToken()).not.toBe(table.newToken());
  });

  test('finds a child alive, and dead after it was killed', async () => {
    const script = `process.stdout.write('ready'); setInterval(() => {}, 1e6)`;
    const child: ChildProcess = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout!, 'data');
    const table = nodeProcessTable();
    const identity = { ...table.self(), pid: child.pid!, startTicks: 0 };

    expect(table.isAlive(identity)).toBe('alive');
    child.kill('SIGKILL');
    await once(child, 'exit');

    expect(table.isAlive(identity)).toBe('dead');
  });
});
