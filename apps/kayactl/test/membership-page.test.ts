/** The commands of docs/operating/membership.md, typed in their order, with nodes in memory in the place of machines. */

import { readFile } from 'node:fs/promises';

import { describe, expect, test } from 'vitest';

import { ClusterWorld } from './cluster-world.ts';

const PAGE = new URL('../../../docs/operating/membership.md', import.meta.url);

/** The lines of all blocks in `sh`. */
async function readCommands(): Promise<readonly string[]> {
  const page = await readFile(PAGE, 'utf8');
  const blocks = Array.from(page.matchAll(/^```sh\n([^]*?)^```$/gm), ([, block = '']) => block);
  return blocks.flatMap((block) => block.trimEnd().split('\n'));
}

/** Words behind each `flag`. */
function valuesOf(words: readonly string[], flag: string): readonly string[] {
  return words.flatMap((word, at) => (word === flag ? [words[at + 1] ?? ''] : []));
}

/** Starts the node that a line of the server's starts. */
async function startNode({ cluster }: ClusterWorld, words: readonly string[]): Promise<void> {
  const [node] = valuesOf(words, '--node-id');
  const peers = valuesOf(words, '--peer').map((peer) => Number(peer.split('=')[0]));
  await cluster.start(Number(node), { peers, isJoining: words.includes('--join-cluster') });
}

/** Addresses of machines to those in memory. */
function inMemory({ cluster }: ClusterWorld, word: string): string {
  const match = /^10\.0\.0\.(?<node>\d):(?<port>7379|7481)$/.exec(word);
  if (match === null) return word;
  const node = Number(match.groups?.['node']);
  return match.groups?.['port'] === '7379' ? cluster.clientAddressOf(node) : cluster.peerAddressOf(node);
}

describe('docs/operating/membership.md', { timeout: 60_000 }, () => {
  test('has commands that all succeed, one after the other, and lead to what it says', async () => {
    const commands = await readCommands();
    await using world = await ClusterWorld.open(1);
    const failed: string[] = [];

    for (const command of commands) {
      const [program, ...words] = command.split(' ');
      if (program === 'kayadb-server') {
        await startNode(world, words);
        continue;
      }
      expect(program).toBe('kayactl');
      // The reader takes longer than the leader needs to hear that a learner has come.
      await world.clock.advanceAsync(1_000);
      const result = await world.run(...words.map((word) => inMemory(world, word)));
      if (result.exitCode !== 0) failed.push(`${command}: ${result.stderr}`);
    }
    const members = JSON.parse((await world.run(...world.serversOf(1), 'members', '--json')).stdout) as {
      readonly members: readonly { readonly node: number; readonly kind: string }[];
    };

    expect(failed).toEqual([]);
    expect(commands.length).toBeGreaterThan(12);
    expect(members.members.map(({ node, kind }) => `${node} ${kind}`)).toEqual(['1 voter', '2 voter', '5 voter']);
  });
});
